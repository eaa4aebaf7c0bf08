/** GetLogEvents: one stream's events in order, with tokens that lead both ways from where a page lies. */
import { setImmediate } from "node:timers/promises";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { EVENT_OVERHEAD_BYTES } from "../chunk.ts";
import { readEvents } from "../event-reader.ts";
import type { StoredEvent } from "../event-reader.ts";
import { requireStandard } from "../group-class.ts";
import { ANSWER_BYTES_MAX, ANSWER_EVENTS_MAX } from "../limits.ts";
import { expiryOf, invalidParameter, requireGroup, requireStream } from "../lookup.ts";
import { after, FIRST, fromDigits, toDigits } from "../position.ts";
import type { Position } from "../position.ts";
import type { LogsState } from "../state.ts";

type Client = typeof import("@aws-sdk/client-cloudwatch-logs");

/** `unmask` changes nothing: there is no data protection that masks. */
export async function getLogEvents(
  state: LogsState,
  input: Input<Client, "GetLogEvents">,
  context: RequestContext,
): Promise<Output<Client, "GetLogEvents">> {
  const group = await requireGroup(state.database, context, input);
  requireStandard(group, "GetLogEvents");
  const stream = await requireStream(state.database, group, input.logStreamName ?? "");
  const token = input.nextToken === undefined ? undefined : readToken(input.nextToken);
  const descending = token ? token.descending : input.startFromHead !== true;
  const fromAt = Math.max(input.startTime ?? 0, expiryOf(group, state.clock.now()));
  const batches = readEvents(state.database, {
    of: { streamId: stream.stream_id },
    fromAt,
    // The end time is exclusive here, unlike FilterLogEvents'.
    toAt: (input.endTime ?? Number.MAX_SAFE_INTEGER) - 1,
    boundary: token?.boundary,
    descending,
  });
  const events = await takePage(batches, input.limit ?? ANSWER_EVENTS_MAX);
  if (descending) events.reverse();
  const [first, last] = [events[0], events.at(-1)];
  const here = token?.boundary ?? { ...FIRST, at: fromAt, streamId: stream.stream_id };
  return {
    events: events.map((event) => ({
      timestamp: event.at,
      message: event.message,
      ingestionTime: event.ingestedAt,
    })),
    nextForwardToken: writeToken("f", last ? after(last) : here),
    nextBackwardToken: writeToken("b", first ?? here),
  };
}

async function takePage(
  batches: AsyncIterable<{ readonly events: readonly StoredEvent[] }>,
  limit: number,
): Promise<StoredEvent[]> {
  const taken: StoredEvent[] = [];
  let bytes = 0;
  for await (const batch of batches) {
    for (const event of batch.events) {
      bytes += Buffer.byteLength(event.message) + EVENT_OVERHEAD_BYTES;
      if (taken.length > 0 && bytes > ANSWER_BYTES_MAX) return taken;
      taken.push(event);
      if (taken.length >= limit) return taken;
    }
    await setImmediate();
  }
  return taken;
}

/** Events at or after the position are ahead of it, the others behind. */
function writeToken(direction: "f" | "b", position: Position): string {
  return `${direction}/${toDigits(position)}/s`;
}

function readToken(token: string): { descending: boolean; boundary: Position } {
  const match = /^([fb])\/(\d{56})\/s$/.exec(token);
  const boundary = match?.[2] === undefined ? undefined : fromDigits(match[2]);
  if (!match || !boundary) throw invalidParameter("The specified nextToken is invalid.");
  return { descending: match[1] === "b", boundary };
}
