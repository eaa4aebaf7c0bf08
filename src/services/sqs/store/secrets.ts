/** The SQL of the secrets that SQS keeps. */
import { sql } from "../../../store/database.ts";
import type { Database } from "../../../store/database.ts";

const INSERT = sql(
  "sqs.secret-insert",
  "INSERT INTO sqs_secret (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
);
const FIND = sql("sqs.secret", "SELECT value FROM sqs_secret WHERE name = ?");

/** A secret by name; `value` becomes it where there is none. */
export function settledSecret(database: Database, name: string, value: Buffer): Promise<Buffer> {
  return database.tx(async (tx) => {
    await tx.run(INSERT, name, value);
    const row = await tx.get<{ value: Uint8Array }>(FIND, name);
    if (!row) throw new Error(`The secret ${name} was not kept`);
    return Buffer.from(row.value);
  });
}
