/** InvokeWithResponseStream: synchronous, with the answer as a stream of events while the function makes it. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Outcome } from "../../../invoke/index.ts";
import type { Client, Lambda } from "../deps.ts";
import { SYNC_PAYLOAD_BYTES_MAX } from "../limits.ts";
import { StreamedAnswer } from "../streamed-answer.ts";
import { check, invocationError, invocationOf } from "./invoke.ts";

type StreamOutput = Output<Client, "InvokeWithResponseStream">;
type Events = NonNullable<StreamOutput["EventStream"]>;
type Event = Events extends AsyncIterable<infer Each> ? Each : never;

/** An answer that the function gave whole is sent in chunks of this size. */
const CHUNK_BYTES = 131_072;

/**
 * What is wrong before the function's first byte with the request, or with us, is an ordinary error; what the function does wrong stands in
 * the last event, whenever it happens. A caller that goes away does not stop the function.
 */
export async function invokeWithResponseStream(
  lambda: Lambda,
  input: Input<Client, "InvokeWithResponseStream">,
  context: RequestContext,
): Promise<StreamOutput> {
  const checked = await check(lambda, input, context, SYNC_PAYLOAD_BYTES_MAX);
  const { version, executedVersion: ExecutedVersion } = checked.target;
  if (input.InvocationType === "DryRun") return { StatusCode: 204, ExecutedVersion };
  const answer = new StreamedAnswer(context.signal);
  const outcome = lambda.invoker
    .invoke(version, { ...invocationOf(lambda, input, checked, context), sink: answer })
    .catch((error: unknown) => {
      throw invocationError(error);
    })
    .finally(() => answer.end());
  // Where the caller has gone nobody listens for it any more.
  outcome.catch(() => {});
  await Promise.race([answer.begun, outcome]);
  return { StatusCode: 200, ExecutedVersion, EventStream: events(answer, outcome) };
}

async function* events(answer: StreamedAnswer, running: Promise<Outcome>): AsyncGenerator<Event> {
  for await (const Payload of answer.pieces()) yield { PayloadChunk: { Payload } };
  const { payload, functionError, errorType, logTail } = await running;
  if (!functionError)
    for (let at = 0; at < payload.length; at += CHUNK_BYTES)
      yield { PayloadChunk: { Payload: payload.subarray(at, at + CHUNK_BYTES) } };
  yield {
    InvokeComplete: {
      ...(functionError && { ErrorCode: errorType || functionError, ErrorDetails: payload.toString() }),
      ...(logTail && { LogResult: logTail.toString("base64") }),
    },
  };
}
