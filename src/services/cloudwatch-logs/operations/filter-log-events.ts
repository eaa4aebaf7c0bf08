/** FilterLogEvents: a group's events that match a pattern, over all streams in order of time. */
import type { FilteredLogEvent } from "@aws-sdk/client-cloudwatch-logs";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { EVENT_OVERHEAD_BYTES } from "../chunk.ts";
import { readEvents } from "../event-reader.ts";
import type { StoredEvent } from "../event-reader.ts";
import { requireStandard } from "../group-class.ts";
import { ANSWER_BYTES_MAX, ANSWER_EVENTS_MAX } from "../limits.ts";
import {
  expiryOf,
  invalidParameter,
  readPattern,
  readToken,
  requireGroup,
  requireStream,
  writeToken,
} from "../lookup.ts";
import { after, fromDigits, toDigits } from "../position.ts";
import type { Position } from "../position.ts";
import type { LogsState } from "../state.ts";
import { getStreamById } from "../store.ts";
import type { GroupRow } from "../store.ts";

type Client = typeof import("@aws-sdk/client-cloudwatch-logs");

/** One request looks at so much; it then answers what it found, with a token to go on. */
const SCAN_BYTES_MAX = 16 * 1_048_576;
/** Jan 1, 2024: descending searches may not begin before. */
const DESCENDING_START_MIN = 1_704_067_200_000;

interface PageToken {
  readonly position: string;
  readonly descending: boolean;
}

/** `interleaved` is ignored as by AWS (always true); `unmask` changes nothing: there is no data protection that masks. */
export async function filterLogEvents(
  state: LogsState,
  input: Input<Client, "FilterLogEvents">,
  context: RequestContext,
): Promise<Output<Client, "FilterLogEvents">> {
  if (input.logStreamNames?.length && input.logStreamNamePrefix !== undefined)
    throw invalidParameter("LogStream names and LogStream name prefix are mutually exclusive parameters.");
  const matches = readPattern(input.filterPattern);
  const group = await requireGroup(state.database, context, input);
  requireStandard(group, "FilterLogEvents");
  const token = input.nextToken === undefined ? undefined : readToken(input.nextToken, isPageToken);
  const descending = token?.descending ?? input.startFromHead === false;
  if (descending && !token && (input.startTime ?? 0) < DESCENDING_START_MIN)
    throw invalidParameter(
      "startFromHead can be false only with a startTime on or after Jan 1, 2024 00:00:00 UTC.",
    );
  const streams = await chooseStreams(state, group, input);
  const page = new Page(input.limit ?? ANSWER_EVENTS_MAX, descending);
  for await (const batch of readEvents(state.database, {
    of: streams.only === undefined ? { groupId: group.group_id } : { streamId: streams.only },
    fromAt: Math.max(input.startTime ?? 0, expiryOf(group, state.clock.now())),
    toAt: input.endTime ?? Number.MAX_SAFE_INTEGER,
    boundary: token && fromDigits(token.position),
    descending,
    wantsStream: streams.wants,
  })) {
    for (const event of batch.events) {
      if (page.isFull) break;
      if (!matches(event.message)) page.pass(event);
      else page.add(event, (await streams.nameOf(event.streamId)) ?? "");
    }
    page.bytesRead += batch.bytesRead;
    if (page.isDone) break;
  }
  return page.answer();
}

/** What is found of one page, and where it ends. */
class Page {
  bytesRead = 0;
  isFull = false;
  readonly #events: FilteredLogEvent[] = [];
  readonly #limit: number;
  readonly #descending: boolean;
  #bytes = 0;
  #next: Position | undefined;

  constructor(limit: number, descending: boolean) {
    this.#limit = limit;
    this.#descending = descending;
  }

  /** A scan that has passed no event yet goes on, since it has no place to come back to. */
  get isDone(): boolean {
    return this.isFull || (this.#next !== undefined && this.bytesRead > SCAN_BYTES_MAX);
  }

  pass(event: Position): void {
    this.#next = this.#descending ? event : after(event);
  }

  add(event: StoredEvent, logStreamName: string): void {
    this.#bytes += Buffer.byteLength(event.message) + EVENT_OVERHEAD_BYTES;
    if (this.#events.length > 0 && this.#bytes > ANSWER_BYTES_MAX) {
      this.isFull = true;
      return;
    }
    this.#events.push({
      logStreamName,
      timestamp: event.at,
      message: event.message,
      ingestionTime: event.ingestedAt,
      eventId: toDigits(event),
    });
    this.pass(event);
    this.isFull = this.#events.length >= this.#limit;
  }

  answer() {
    return {
      events: this.#events,
      searchedLogStreams: [],
      ...(this.isDone &&
        this.#next && {
          nextToken: writeToken({
            position: toDigits(this.#next),
            descending: this.#descending,
          } satisfies PageToken),
        }),
    };
  }
}

function isPageToken(value: unknown): value is PageToken {
  const token = value as Partial<PageToken> | null;
  return (
    typeof token?.descending === "boolean" &&
    typeof token.position === "string" &&
    fromDigits(token.position) !== undefined
  );
}

/** Which streams are searched: one, the named ones, those with a prefix, or all. */
async function chooseStreams(state: LogsState, group: GroupRow, input: Input<Client, "FilterLogEvents">) {
  const names = new Map<number, string | undefined>();
  const nameOf = async (streamId: number) => {
    if (!names.has(streamId)) names.set(streamId, (await getStreamById(state.database, streamId))?.name);
    return names.get(streamId);
  };
  const wanted = new Set<number>();
  for (const name of input.logStreamNames ?? [])
    wanted.add((await requireStream(state.database, group, name)).stream_id);
  const prefix = input.logStreamNamePrefix;
  const [only] = wanted;
  return {
    only: wanted.size === 1 ? only : undefined,
    nameOf,
    // A stream that was deleted on the way has no name, and no events to show.
    wants: async (streamId: number) => {
      if (wanted.size > 0) return wanted.has(streamId);
      const name = await nameOf(streamId);
      return name !== undefined && (prefix === undefined || name.startsWith(prefix));
    },
  };
}
