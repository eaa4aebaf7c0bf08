/** SQL of the key that messages are signed with. */
import { sql } from "../../../store/database.ts";
import type { Reader, Transaction } from "../../../store/database.ts";

export interface SigningRow {
  /** PEM */
  readonly private_key: string;
  /** PEM */
  readonly certificate: string;
}

const NAME = "messages";
const GET = sql("sns.signing", "SELECT private_key, certificate FROM sns_signing WHERE name = ?");
const PUT = sql(
  "sns.put-signing",
  "INSERT INTO sns_signing (name, private_key, certificate) VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING",
);

export function getSigning(reader: Reader): Promise<SigningRow | undefined> {
  return reader.get<SigningRow>(GET, NAME);
}

/** Keeps it, unless there is one. */
export async function putSigning(tx: Transaction, { private_key, certificate }: SigningRow): Promise<void> {
  await tx.run(PUT, NAME, private_key, certificate);
}
