/** SQL of the queries that people keep. */
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";

export interface DefinitionRow {
  readonly definition_id: string;
  readonly account: string;
  readonly region: string;
  readonly name: string;
  readonly query: string;
  /** JSON: names. */
  readonly log_groups: string;
  readonly changed_at: number;
}

const DEFINITION = `definition_id, account, region, name, query, log_groups, changed_at`;

const GET = sql(
  "logs.getDefinition",
  `SELECT ${DEFINITION} FROM logs_query_definition WHERE account = ? AND region = ? AND definition_id = ?`,
);
const LIST = sql(
  "logs.listDefinitions",
  `SELECT ${DEFINITION} FROM logs_query_definition WHERE account = ? AND region = ? ORDER BY name, definition_id`,
);
const PUT = sql(
  "logs.putDefinition",
  `INSERT INTO logs_query_definition (${DEFINITION}) VALUES (?, ?, ?, ?, ?, ?, ?)
   ON CONFLICT (definition_id) DO UPDATE SET name = excluded.name, query = excluded.query,
     log_groups = excluded.log_groups, changed_at = excluded.changed_at`,
);
const DELETE = sql(
  "logs.deleteDefinition",
  `DELETE FROM logs_query_definition WHERE account = ? AND region = ? AND definition_id = ?`,
);

export function getDefinition(
  reader: Reader,
  account: string,
  region: string,
  id: string,
): Promise<DefinitionRow | undefined> {
  return reader.get<DefinitionRow>(GET, account, region, id);
}

/** In order of their names. */
export function listDefinitions(reader: Reader, account: string, region: string): Promise<DefinitionRow[]> {
  return reader.all<DefinitionRow>(LIST, account, region);
}

export async function putDefinition(tx: Transaction, row: DefinitionRow): Promise<void> {
  await tx.run(
    PUT,
    row.definition_id,
    row.account,
    row.region,
    row.name,
    row.query,
    row.log_groups,
    row.changed_at,
  );
}

/** Answers whether there was one. */
export async function deleteDefinition(
  tx: Transaction,
  account: string,
  region: string,
  id: string,
): Promise<boolean> {
  return (await tx.run(DELETE, account, region, id)) > 0;
}
