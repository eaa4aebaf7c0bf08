/** Which checksum a request carries or promises, and the checks of it that S3 makes before and after the body. */
import { DIGESTS_REFUSED, isDigestName } from "../../../kit/digest.ts";
import { notImplemented } from "../../../aws/errors.ts";
import type { RequestContext } from "../../../aws/service.ts";
import { invalidRequest, s3Error } from "../errors.ts";
import { ALGORITHM_NAMES, checksumHeader, checksumMember, digestBytes } from "./algorithms.ts";
import type { ChecksumAlgorithm } from "./algorithms.ts";

/** The checksum members of an input or an output. */
export type ChecksumMembers = { [A in ChecksumAlgorithm as `Checksum${A}`]?: string | undefined };

/** What the caller said about the checksum of the body it sends. */
export interface RequestedChecksum {
  /** Undefined when the caller named none. */
  readonly algorithm: ChecksumAlgorithm | undefined;
  /** Base64, when it stands in a header; a trailing one is known only after the body. */
  readonly value: string | undefined;
  readonly trailing: boolean;
}

type Carrier = ChecksumMembers & { ChecksumAlgorithm?: string | undefined };

/**
 * Reads the checksum headers of a request with a body.
 * @throws InvalidRequest for more than one, an invalid one, or one that is promised and missing.
 */
export function requestedChecksum(input: Carrier, context: RequestContext): RequestedChecksum {
  refuseUnknown(input, context);
  const given = ALGORITHM_NAMES.filter((algorithm) => input[checksumMember(algorithm)] !== undefined);
  const trailer = trailingAlgorithm(context);
  if (given.length + (trailer ? 1 : 0) > 1)
    throw invalidRequest(
      "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
    );
  const algorithm = given[0] ?? trailer;
  const named = input.ChecksumAlgorithm?.toUpperCase();
  if (named !== undefined && !isDigestName(named))
    throw invalidRequest("Value for x-amz-sdk-checksum-algorithm header is invalid.");
  if (named !== undefined && algorithm === undefined && context.headers["x-amz-sdk-checksum-algorithm"])
    throw invalidRequest(
      "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
    );
  if (named !== undefined && algorithm !== undefined && named !== algorithm)
    throw invalidRequest("Value for x-amz-sdk-checksum-algorithm header is invalid.");
  const value = given[0] === undefined ? undefined : input[checksumMember(given[0])];
  if (given[0] !== undefined && value !== undefined) checkForm(given[0], value);
  return { algorithm, value, trailing: trailer !== undefined };
}

/** @throws InvalidRequest when the value is no base64 of the algorithm's width. */
export function checkForm(algorithm: ChecksumAlgorithm, value: string): void {
  const decoded = Buffer.from(value, "base64");
  if (decoded.length !== digestBytes(algorithm) || decoded.toString("base64") !== value)
    throw invalidRequest(`Value for ${checksumHeader(algorithm)} header is invalid.`);
}

/** @throws BadDigest when what was stored is not what the caller said it sent. */
export function verifyChecksum(requested: RequestedChecksum, actual: Buffer, context: RequestContext): void {
  const { algorithm } = requested;
  if (algorithm === undefined) return;
  const expected = requested.value ?? context.trailers[checksumHeader(algorithm)];
  if (requested.trailing && expected === undefined)
    throw s3Error("MalformedXML", {}, "The request trailer that x-amz-trailer promised is missing");
  if (expected !== undefined && expected !== actual.toString("base64"))
    throw s3Error("BadDigest", {}, `The ${algorithm} you specified did not match the calculated checksum.`);
}

/** @throws InvalidDigest when Content-MD5 is no MD5. */
export function parseContentMd5(value: string | undefined): Buffer | undefined {
  if (value === undefined) return undefined;
  const decoded = Buffer.from(value, "base64");
  if (decoded.length !== digestBytes("MD5")) throw s3Error("InvalidDigest", { "Content-MD5": value });
  return decoded;
}

function trailingAlgorithm(context: RequestContext): ChecksumAlgorithm | undefined {
  const announced = context.headers["x-amz-trailer"];
  if (announced === undefined) return undefined;
  const name = String(announced).trim().toLowerCase();
  const algorithm = ALGORITHM_NAMES.find((one) => checksumHeader(one) === name);
  if (algorithm === undefined && name.startsWith("x-amz-checksum-"))
    throw invalidRequest("The value specified in the x-amz-trailer header is not supported");
  return algorithm;
}

function refuseUnknown(input: object, context: RequestContext): void {
  for (const name of DIGESTS_REFUSED) {
    const member = (input as Record<string, unknown>)[`Checksum${name}`];
    const trailer = String(context.headers["x-amz-trailer"] ?? "").toLowerCase();
    const named = (input as Record<string, unknown>)["ChecksumAlgorithm"] === name;
    if (member !== undefined || named || trailer === checksumHeader(name))
      throw notImplemented(`the checksum algorithm ${name}`);
  }
}
