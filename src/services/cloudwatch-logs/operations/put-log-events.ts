/** PutLogEvents: takes a batch of events into a stream, without those that are too old, too new or expired. */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { eventBytes } from "../chunk.ts";
import type { LogEvent } from "../chunk.ts";
import { appendEvents } from "../ingest.ts";
import {
  BATCH_BYTES_MAX,
  BATCH_SPAN_MS_MAX,
  EVENT_AGE_MS_MAX,
  EVENT_AHEAD_MS_MAX,
  EVENT_BYTES_MAX,
} from "../limits.ts";
import { expiryOf, invalidParameter, requireGroup, requireStream } from "../lookup.ts";
import { FIRST, toDigits } from "../position.ts";
import type { LogsState } from "../state.ts";

type Client = typeof import("@aws-sdk/client-cloudwatch-logs");

export async function putLogEvents(
  state: LogsState,
  input: Input<Client, "PutLogEvents">,
  context: RequestContext,
): Promise<Output<Client, "PutLogEvents">> {
  if (input.entity !== undefined) throw notImplemented("entity of PutLogEvents");
  const events = (input.logEvents ?? []).map(({ timestamp = 0, message = "" }) => ({ timestamp, message }));
  checkBatch(events);
  return state.database.tx(async (tx) => {
    const group = await requireGroup(tx, context, { logGroupName: input.logGroupName });
    const stream = await requireStream(tx, group, input.logStreamName ?? "");
    const now = state.clock.now();
    const { accepted, rejected } = sieve(events, now, expiryOf(group, now));
    if ((accepted.at(-1)?.timestamp ?? 0) - (accepted[0]?.timestamp ?? 0) > BATCH_SPAN_MS_MAX)
      throw invalidParameter(
        "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
      );
    const place = { account: group.account, region: group.region, group: group.name };
    const to = { streamId: stream.stream_id, name: stream.name, place };
    await appendEvents(state, tx, to, accepted, traceOf(context));
    return {
      nextSequenceToken: toDigits({ ...FIRST, streamId: stream.stream_id, chunkNo: stream.next_chunk + 1 }),
      ...(rejected && { rejectedLogEventsInfo: rejected }),
    };
  });
}

/** The SDK in a function sends the trace that the function runs with. */
function traceOf({ headers }: RequestContext): string | undefined {
  const trace = headers["x-amzn-trace-id"];
  return Array.isArray(trace) ? trace[0] : trace;
}

function checkBatch(events: readonly LogEvent[]): void {
  let bytes = 0;
  for (const [index, event] of events.entries()) {
    const size = eventBytes(event);
    if (size > EVENT_BYTES_MAX)
      throw invalidParameter(`Log event too large: ${size} bytes exceeds limit of ${EVENT_BYTES_MAX}`);
    bytes += size;
    if (index > 0 && event.timestamp < (events[index - 1]?.timestamp ?? 0))
      throw invalidParameter("Log events in a single PutLogEvents request must be in chronological order.");
  }
  if (bytes > BATCH_BYTES_MAX)
    throw invalidParameter(`Upload too large: ${bytes} bytes exceeds limit of ${BATCH_BYTES_MAX}`);
}

interface Rejected {
  tooOldLogEventEndIndex?: number;
  expiredLogEventEndIndex?: number;
  tooNewLogEventStartIndex?: number;
}

/** Parts a batch, which is in order of time. The indexes are AWS's: ends are exclusive, the start is inclusive. */
function sieve(
  events: readonly LogEvent[],
  now: number,
  expiredBefore: number,
): { accepted: readonly LogEvent[]; rejected: Rejected | undefined } {
  const countBefore = (at: number) => {
    const index = events.findIndex((event) => event.timestamp >= at);
    return index < 0 ? events.length : index;
  };
  const tooOld = countBefore(now - EVENT_AGE_MS_MAX);
  const expired = countBefore(expiredBefore);
  const tooNew = countBefore(now + EVENT_AHEAD_MS_MAX + 1);
  const rejected: Rejected = {
    ...(tooOld > 0 && { tooOldLogEventEndIndex: tooOld }),
    ...(expired > 0 && { expiredLogEventEndIndex: expired }),
    ...(tooNew < events.length && { tooNewLogEventStartIndex: tooNew }),
  };
  return {
    accepted: events.slice(Math.max(tooOld, expired), tooNew),
    rejected: Object.keys(rejected).length > 0 ? rejected : undefined,
  };
}
