/** The SQL that tells which stored blobs still belong to an object or a part. */
import type { Reader } from "../../store/database.ts";
import { sql } from "../../store/database.ts";

/** Names asked about in one statement. */
export const NAMES_PER_LOOK = 50;

const MARKS = Array.from({ length: NAMES_PER_LOOK }, () => "?").join(", ");
const REFERENCED = sql(
  "s3.blobs-referenced",
  `SELECT blob_name FROM s3_object WHERE blob_name IS NOT NULL AND blob_name IN (${MARKS})
   UNION ALL SELECT blob_name FROM s3_part WHERE blob_name IN (${MARKS})`,
);

/** Those of at most {@link NAMES_PER_LOOK} blob names that a row refers to. */
export async function referencedBlobs(reader: Reader, names: readonly string[]): Promise<Set<string>> {
  const padded = Array.from({ length: NAMES_PER_LOOK }, (_, index) => names[index] ?? "");
  const rows = await reader.all<{ blob_name: string }>(REFERENCED, ...padded, ...padded);
  return new Set(rows.map((row) => row.blob_name));
}
