/** The checksum algorithms S3 knows: how each is computed, how wide it is, and how it covers a multipart object. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { combineCrc, Crc64Nvme, crc32c } from "../../../kit/crc.ts";
import type { CrcKind } from "../../../kit/crc.ts";

export type ChecksumType = "COMPOSITE" | "FULL_OBJECT";

/** One digest being computed. */
export interface Digest {
  update(bytes: Uint8Array): void;
  digest(): Buffer;
}

interface Algorithm {
  readonly bytes: number;
  /** What a multipart object's checksum may be; the first is what it is when the caller does not say. */
  readonly multipart: readonly ChecksumType[];
  readonly start: () => Digest;
}

const ALGORITHMS = {
  CRC32: { bytes: 4, multipart: ["COMPOSITE", "FULL_OBJECT"], start: () => running32(crc32) },
  CRC32C: { bytes: 4, multipart: ["COMPOSITE", "FULL_OBJECT"], start: () => running32(crc32c) },
  CRC64NVME: { bytes: 8, multipart: ["FULL_OBJECT"], start: () => new Crc64Nvme() },
  SHA1: { bytes: 20, multipart: ["COMPOSITE"], start: () => createHash("sha1") },
  SHA256: { bytes: 32, multipart: ["COMPOSITE"], start: () => createHash("sha256") },
  SHA512: { bytes: 64, multipart: ["COMPOSITE"], start: () => createHash("sha512") },
  MD5: { bytes: 16, multipart: ["COMPOSITE"], start: () => createHash("md5") },
} as const satisfies Record<string, Algorithm>;

export type ChecksumAlgorithm = keyof typeof ALGORITHMS;

/** What S3 computes when the caller names none. */
export const DEFAULT_ALGORITHM: ChecksumAlgorithm = "CRC64NVME";

export const ALGORITHM_NAMES = Object.keys(ALGORITHMS) as ChecksumAlgorithm[];

/** Algorithms in S3's model that Lambent does not compute: refused by name. */
export const REFUSED_ALGORITHMS = ["XXHASH64", "XXHASH3", "XXHASH128"] as const;

export function isChecksumAlgorithm(name: string): name is ChecksumAlgorithm {
  return Object.hasOwn(ALGORITHMS, name);
}

export function startDigest(algorithm: ChecksumAlgorithm): Digest {
  return ALGORITHMS[algorithm].start();
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

function running32(step: (bytes: Uint8Array, crc: number) => number): Digest {
  let crc = 0;
  return {
    update(bytes) {
      crc = step(bytes, crc);
    },
    digest() {
      const out = Buffer.allocUnsafe(4);
      out.writeUInt32BE(crc);
      return out;
    },
  };
}
