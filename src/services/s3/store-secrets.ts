/** The SQL of the secrets that S3 keeps. */
import type { Database } from "../../store/database.ts";
import { sql } from "../../store/database.ts";

const INSERT = sql(
  "s3.secret-insert",
  "INSERT INTO s3_secret (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
);
const FIND = sql("s3.secret", "SELECT value FROM s3_secret WHERE name = ?");

/** A secret by name; `value` becomes it where there is none. */
export function settledSecret(database: Database, name: string, value: Buffer): Promise<Buffer> {
  return database.tx(async (tx) => {
    await tx.run(INSERT, name, value);
    const row = await tx.get<{ value: Buffer }>(FIND, name);
    if (!row) throw new Error(`The secret ${name} was not kept`);
    return row.value;
  });
}
