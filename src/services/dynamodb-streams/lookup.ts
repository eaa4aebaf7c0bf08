/** Finds the stream that a request names. */
import type { RequestContext } from "../../aws/service.ts";
import type { DynamoDbStreamsDeps } from "./deps.ts";
import { notFound } from "./errors.ts";
import type { StreamFacts } from "./ports.ts";

/** @throws AwsError ResourceNotFoundException also for streams of other accounts and regions */
export async function streamToRead(
  { streams }: DynamoDbStreamsDeps,
  arn: string,
  { account, region }: RequestContext,
): Promise<StreamFacts> {
  const [, , , ofRegion, ofAccount] = arn.split(":");
  const stream = ofRegion === region && ofAccount === account ? await streams.facts(arn) : undefined;
  if (!stream) throw notFound(`Stream: ${arn}`);
  return stream;
}
