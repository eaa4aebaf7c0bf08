/** The checksums that an aws-chunked body may carry behind it. */
import { DIGESTS, DIGESTS_REFUSED, isDigestName } from "../../kit/digest.ts";
import { AwsError, notImplemented } from "../errors.ts";
import type { TrailingChecksum } from "./aws-chunked.ts";

const PREFIX = "x-amz-checksum-";

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
  const name = header.slice(PREFIX.length).toUpperCase();
  if (!isDigestName(name)) {
    if (DIGESTS_REFUSED.includes(name)) throw notImplemented(`the checksum algorithm ${name}`);
    throw new AwsError(
      "InvalidRequest",
      "The value specified in the x-amz-trailer header is not supported",
      {},
      400,
    );
  }
  const digest = DIGESTS[name]();
  return {
    header,
    label: name,
    update: (bytes) => digest.update(bytes),
    digest: () => digest.digest(),
  };
}
