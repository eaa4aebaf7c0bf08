/** PutResourcePolicy, GetResourcePolicy and DeleteResourcePolicy, of streams and of consumers. */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { changeStream } from "../change.ts";
import type { Client, Kinesis } from "../deps.ts";
import { invalidArgument, notFound } from "../errors.ts";
import { consumerNamed, placeNamed, streamAt } from "../lookup.ts";
import type { FoundConsumer } from "../lookup.ts";
import { readConsumerArn } from "../names.ts";
import type { Stream } from "../streams.ts";
import { updateConsumer } from "../store-consumers.ts";

export async function putResourcePolicy(
  kinesis: Kinesis,
  input: Input<Client, "PutResourcePolicy">,
  context: RequestContext,
): Promise<object> {
  const policy = input.Policy ?? "";
  try {
    kinesis.policies.parse(policy);
  } catch (error) {
    throw invalidArgument(`Invalid resource policy: ${(error as Error).message}`);
  }
  const fault = await kinesis.policies.principalFault(policy, context.account);
  if (fault !== undefined) throw invalidArgument(`Invalid resource policy: ${fault}`);
  await setPolicy(kinesis, await resourceNamed(kinesis, input, context), policy);
  return {};
}

export async function getResourcePolicy(
  kinesis: Kinesis,
  input: Input<Client, "GetResourcePolicy">,
  context: RequestContext,
): Promise<Output<Client, "GetResourcePolicy">> {
  const { stream, consumer } = await resourceNamed(kinesis, input, context);
  const { policy } = consumer ?? stream;
  if (policy === null) throw noPolicy(input.ResourceARN);
  return { Policy: policy };
}

export async function deleteResourcePolicy(
  kinesis: Kinesis,
  input: Input<Client, "DeleteResourcePolicy">,
  context: RequestContext,
): Promise<object> {
  const resource = await resourceNamed(kinesis, input, context);
  if ((resource.consumer ?? resource.stream).policy === null) throw noPolicy(input.ResourceARN);
  await setPolicy(kinesis, resource, null);
  return {};
}

type Resource = FoundConsumer | { readonly stream: Stream; readonly consumer?: undefined };

async function resourceNamed(
  kinesis: Kinesis,
  input: { readonly ResourceARN?: string | undefined; readonly StreamId?: string | undefined },
  context: RequestContext,
): Promise<Resource> {
  const { ResourceARN = "", StreamId } = input;
  if (ResourceARN.includes(":channel/")) throw notImplemented("channels of Kinesis");
  if (readConsumerArn(ResourceARN))
    return consumerNamed(kinesis, { ConsumerARN: ResourceARN, StreamId }, context);
  const place = placeNamed({ StreamARN: ResourceARN, StreamId }, context);
  return { stream: await streamAt(kinesis, place, context) };
}

async function setPolicy(
  kinesis: Kinesis,
  { stream, consumer }: Resource,
  policy: string | null,
): Promise<void> {
  if (consumer) await kinesis.database.tx((tx) => updateConsumer(tx, { ...consumer, policy }));
  else await changeStream(kinesis, stream, () => ({ policy }));
}

function noPolicy(arn = "") {
  return notFound(`No resource policy found for resource ARN ${arn}.`);
}
