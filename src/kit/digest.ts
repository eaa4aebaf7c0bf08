/** The digests that AWS's checksums are made of, by the names AWS gives them. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { Crc64Nvme, crc32c } from "./crc.ts";

/** One digest being computed. */
export interface Digest {
  update(bytes: Uint8Array): void;
  digest(): Buffer;
}

/** Each call starts a new one. */
export const DIGESTS = {
  CRC32: () => running32((bytes, crc) => crc32(bytes, crc)),
  CRC32C: () => running32(crc32c),
  CRC64NVME: () => new Crc64Nvme(),
  SHA1: () => createHash("sha1"),
  SHA256: () => createHash("sha256"),
  SHA512: () => createHash("sha512"),
  MD5: () => createHash("md5"),
} as const satisfies Record<string, () => Digest>;

export type DigestName = keyof typeof DIGESTS;

/** Names in AWS's models that Lambent does not compute: refused by name. */
export const DIGESTS_REFUSED: readonly string[] = ["XXHASH64", "XXHASH3", "XXHASH128"];

export function isDigestName(name: string): name is DigestName {
  return Object.hasOwn(DIGESTS, name);
}

function running32(step: (bytes: Uint8Array, crc: number) => number): Digest {
  let crc = 0;
  return {
    update(bytes) {
      crc = step(bytes, crc);
    },
    digest() {
      const out = Buffer.allocUnsafe(4);
      out.writeUInt32BE(crc >>> 0);
      return out;
    },
  };
}
