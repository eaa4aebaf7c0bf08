/** An object's checksum as it is kept and as it is told: one algorithm, its type, its value. */
import { checksumMember } from "./algorithms.ts";
import type { ChecksumAlgorithm, ChecksumType } from "./algorithms.ts";
import type { ChecksumMembers } from "./requested.ts";

export interface StoredChecksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly type: ChecksumType;
  /** Base64, with `-N` after a composite one. */
  readonly value: string;
}

/** The output members: `ChecksumCRC32: "…", ChecksumType: "FULL_OBJECT"`. */
export function checksumOutput(stored: StoredChecksum): ChecksumMembers & { ChecksumType: ChecksumType } {
  return { [checksumMember(stored.algorithm)]: stored.value, ChecksumType: stored.type };
}
