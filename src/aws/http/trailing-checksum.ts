/** The checksums that an aws-chunked body may carry behind it. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { Crc64Nvme, crc32c } from "../../kit/crc.ts";
import { AwsError, notImplemented } from "../errors.ts";
import type { TrailingChecksum } from "./aws-chunked.ts";

interface Digest {
  update(bytes: Uint8Array): void;
  digest(): Buffer;
}

const PREFIX = "x-amz-checksum-";

const ALGORITHMS: Readonly<Record<string, () => Digest>> = {
  crc32: () => running32((bytes, crc) => crc32(bytes, crc)),
  crc32c: () => running32(crc32c),
  crc64nvme: () => new Crc64Nvme(),
  sha1: () => createHash("sha1"),
  sha256: () => createHash("sha256"),
  sha512: () => createHash("sha512"),
  md5: () => createHash("md5"),
};
const REFUSED = ["xxhash64", "xxhash3", "xxhash128"];

/**
 * What `x-amz-trailer` announces; undefined where it announces no checksum.
 * @throws AwsError for an algorithm that is not known, or not implemented
 */
export function trailingChecksum(announced: string | undefined): TrailingChecksum | undefined {
  const header = announced
    ?.split(",")
    .map((name) => name.trim().toLowerCase())
    .find((name) => name.startsWith(PREFIX));
  if (header === undefined) return undefined;
  const name = header.slice(PREFIX.length);
  const start = Object.hasOwn(ALGORITHMS, name) ? ALGORITHMS[name] : undefined;
  if (!start) {
    if (REFUSED.includes(name)) throw notImplemented(`the checksum algorithm ${name.toUpperCase()}`);
    throw new AwsError(
      "InvalidRequest",
      "The value specified in the x-amz-trailer header is not supported",
      {},
      400,
    );
  }
  const digest = start();
  return {
    header,
    label: name.toUpperCase(),
    update: (bytes) => digest.update(bytes),
    digest: () => digest.digest(),
  };
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
