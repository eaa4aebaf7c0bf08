/** Operations whose body is a document: its digests are verified before the operation sees it. */
import type { RequestContext } from "../../aws/service.ts";
import { ALGORITHM_NAMES, checksumHeader, startDigest } from "./checksum/algorithms.ts";
import type { ChecksumAlgorithm } from "./checksum/algorithms.ts";
import { checkForm, parseContentMd5 } from "./checksum/requested.ts";
import { s3Error } from "./errors.ts";

type Operation<Deps, In, Out> = (deps: Deps, input: In, context: RequestContext) => Promise<Out>;

/** The operation, preceded by the check of Content-MD5 and x-amz-checksum-*. */
export function withVerifiedBody<Deps, In, Out>(
  operation: Operation<Deps, In, Out>,
): Operation<Deps, In, Out> {
  return async (deps, input, context) => {
    await verifyBody(context);
    return operation(deps, input, context);
  };
}

/** @throws InvalidDigest, InvalidRequest, BadDigest */
async function verifyBody(context: RequestContext): Promise<void> {
  const { headers } = context;
  const md5 = parseContentMd5(first(headers["content-md5"]));
  const sent = ALGORITHM_NAMES.flatMap((algorithm): [ChecksumAlgorithm, string][] => {
    const value = first(headers[checksumHeader(algorithm)]);
    return value === undefined ? [] : [[algorithm, value]];
  });
  if (!md5 && sent.length === 0) return;
  const bytes = (await context.bodyBytes?.()) ?? Buffer.alloc(0);
  const actualMd5 = md5 && digestOf("MD5", bytes);
  if (md5 && actualMd5 && !md5.equals(actualMd5))
    throw s3Error("BadDigest", {
      ExpectedDigest: md5.toString("base64"),
      CalculatedDigest: actualMd5.toString("base64"),
    });
  for (const [algorithm, value] of sent) {
    checkForm(algorithm, value);
    if (digestOf(algorithm, bytes).toString("base64") !== value)
      throw s3Error("BadDigest", {}, `The ${algorithm} you specified did not match the calculated checksum.`);
  }
}

function digestOf(algorithm: ChecksumAlgorithm, bytes: Buffer): Buffer {
  const digest = startDigest(algorithm);
  digest.update(bytes);
  return digest.digest();
}

function first(value: string | string[] | undefined): string | undefined {
  return typeof value === "string" ? value : value?.[0];
}
