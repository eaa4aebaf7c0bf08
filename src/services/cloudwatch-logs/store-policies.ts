/** SQL of resource policies. */
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";

export interface PolicyRow {
  readonly account: string;
  readonly region: string;
  readonly name: string;
  readonly document: string;
  /** Epoch milliseconds. */
  readonly changed_at: number;
}

const POLICY = `account, region, name, document, changed_at`;

const LIST = sql(
  "logs.listPolicies",
  `SELECT ${POLICY} FROM logs_resource_policy WHERE account = ? AND region = ? ORDER BY name`,
);
const PUT = sql(
  "logs.putPolicy",
  `INSERT INTO logs_resource_policy (${POLICY}) VALUES (?, ?, ?, ?, ?)
   ON CONFLICT (account, region, name) DO UPDATE SET document = excluded.document, changed_at = excluded.changed_at`,
);
const DELETE = sql(
  "logs.deletePolicy",
  `DELETE FROM logs_resource_policy WHERE account = ? AND region = ? AND name = ?`,
);

/** In order of their names. */
export function listPolicies(reader: Reader, account: string, region: string): Promise<PolicyRow[]> {
  return reader.all<PolicyRow>(LIST, account, region);
}

export async function putPolicy(tx: Transaction, row: PolicyRow): Promise<void> {
  await tx.run(PUT, row.account, row.region, row.name, row.document, row.changed_at);
}

/** Answers whether there was one. */
export async function deletePolicy(
  tx: Transaction,
  account: string,
  region: string,
  name: string,
): Promise<boolean> {
  return (await tx.run(DELETE, account, region, name)) > 0;
}
