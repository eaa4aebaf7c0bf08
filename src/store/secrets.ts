/** Secrets that a service keeps by name, in a table of its own that has `name` and `value`. */
import { sql } from "./database.ts";
import type { Database } from "./database.ts";

type Table = "events_secret" | "s3_secret" | "sqs_secret";

/** A secret by name, the same for all servers of the database; `value` becomes it where there is none. */
export function settledSecret(
  database: Database,
  table: Table,
  name: string,
  value: Uint8Array,
): Promise<Buffer> {
  const insert = sql(
    `${table}.insert`,
    `INSERT INTO ${table} (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING`,
  );
  const find = sql(`${table}.find`, `SELECT value FROM ${table} WHERE name = ?`);
  return database.tx(async (tx) => {
    await tx.run(insert, name, value);
    const row = await tx.get<{ value: Buffer }>(find, name);
    if (!row) throw new Error(`The secret ${name} was not kept`);
    return row.value;
  });
}
