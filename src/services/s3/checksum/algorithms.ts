/** The checksum algorithms S3 knows: how wide each is, and how it covers a multipart object. */
import { combineCrc } from "../../../kit/crc.ts";
import type { CrcKind } from "../../../kit/crc.ts";
import { DIGESTS } from "../../../kit/digest.ts";
import type { Digest, DigestName } from "../../../kit/digest.ts";

export type ChecksumType = "COMPOSITE" | "FULL_OBJECT";

interface Algorithm {
  readonly bytes: number;
  /** What a multipart object's checksum may be; the first is what it is when the caller does not say. */
  readonly multipart: readonly ChecksumType[];
}

const ALGORITHMS = {
  CRC32: { bytes: 4, multipart: ["COMPOSITE", "FULL_OBJECT"] },
  CRC32C: { bytes: 4, multipart: ["COMPOSITE", "FULL_OBJECT"] },
  CRC64NVME: { bytes: 8, multipart: ["FULL_OBJECT"] },
  SHA1: { bytes: 20, multipart: ["COMPOSITE"] },
  SHA256: { bytes: 32, multipart: ["COMPOSITE"] },
  SHA512: { bytes: 64, multipart: ["COMPOSITE"] },
  MD5: { bytes: 16, multipart: ["COMPOSITE"] },
} as const satisfies Record<DigestName, Algorithm>;

export type ChecksumAlgorithm = DigestName;

/** What S3 computes when the caller names none. */
export const DEFAULT_ALGORITHM: ChecksumAlgorithm = "CRC64NVME";

export const ALGORITHM_NAMES = Object.keys(ALGORITHMS) as ChecksumAlgorithm[];

export function startDigest(algorithm: ChecksumAlgorithm): Digest {
  return DIGESTS[algorithm]();
}

export function digestBytes(algorithm: ChecksumAlgorithm): number {
  return ALGORITHMS[algorithm].bytes;
}

export function multipartTypes(algorithm: ChecksumAlgorithm): readonly ChecksumType[] {
  return ALGORITHMS[algorithm].multipart;
}

/** The member and the header of an algorithm: `ChecksumCRC32`, `x-amz-checksum-crc32`. */
export function checksumMember<A extends ChecksumAlgorithm>(algorithm: A): `Checksum${A}` {
  return `Checksum${algorithm}`;
}

export function checksumHeader(algorithm: string): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

export interface PartDigest {
  readonly bytes: number;
  readonly digest: Buffer;
}

/** A multipart object's checksum from those of its parts: base64, with `-N` after a composite one. */
export function multipartChecksum(
  algorithm: ChecksumAlgorithm,
  type: ChecksumType,
  parts: readonly PartDigest[],
): string {
  if (type === "COMPOSITE") {
    const whole = startDigest(algorithm);
    for (const part of parts) whole.update(part.digest);
    return `${whole.digest().toString("base64")}-${parts.length}`;
  }
  const [first, ...rest] = parts;
  let joined = first?.digest ?? startDigest(algorithm).digest();
  for (const part of rest) joined = combineCrc(algorithm as CrcKind, joined, part.digest, part.bytes);
  return joined.toString("base64");
}
