/** InvokeAsync, the deprecated way to make an asynchronous invocation. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { ByteCollector } from "../../../kit/byte-collector.ts";
import type { Client, Lambda } from "../deps.ts";
import { INVOKE_ARGS_BYTES_MAX } from "../limits.ts";
import { check, checkSize, enqueue } from "./invoke.ts";

/** Answers once the event is durable, as Invoke with InvocationType Event does, but takes less. */
export async function invokeAsync(
  lambda: Lambda,
  { FunctionName, InvokeArgs }: Input<Client, "InvokeAsync">,
  context: RequestContext,
): Promise<Output<Client, "InvokeAsync">> {
  const collected = new ByteCollector();
  let bytes = 0;
  for await (const piece of InvokeArgs ?? []) {
    bytes += (piece as Buffer).length;
    checkSize(bytes, INVOKE_ARGS_BYTES_MAX);
    collected.push(piece as Buffer);
  }
  const input = { FunctionName, Payload: collected.bytes() };
  const { reference, payload } = await check(lambda, input, context, INVOKE_ARGS_BYTES_MAX);
  await enqueue(lambda, reference, payload, context);
  return { Status: 202 };
}
