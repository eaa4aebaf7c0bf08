/** GetLogRecord and GetLogGroupFields: the fields that Insights finds, in one event and in a group. */
import type { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { decodeEvents } from "../chunk.ts";
import { readEvents } from "../event-reader.ts";
import { discoverFields } from "../insights/discover.ts";
import { readPointer } from "../insights/job.ts";
import { expiryOf, invalidParameter, requireGroup } from "../lookup.ts";
import { fromDigits } from "../position.ts";
import type { LogsState } from "../state.ts";
import { getGroupById, getStreamById } from "../store.ts";
import { chunksByNumber } from "../store-chunks.ts";

type Client = typeof import("@aws-sdk/client-cloudwatch-logs");

const MINUTE_MS = 60_000;
/** As by AWS: around a time that is given, or before now. */
const AROUND_MS = 8 * MINUTE_MS;
const RECENT_MS = 15 * MINUTE_MS;
/** Events that are looked at; their fields stand for those of all. */
const EVENTS_MAX = 5_000;
const FIELDS_MAX = 1_000;

/** `unmask` changes nothing: there is no data protection that masks. */
export async function getLogRecord(
  state: LogsState,
  input: Input<Client, "GetLogRecord">,
  { account, region }: RequestContext,
): Promise<Output<Client, "GetLogRecord">> {
  const position = fromDigits(readPointer(input.logRecordPointer ?? ""));
  if (!position) throw wrongPointer();
  const { streamId, chunkNo, index } = position;
  const stream = await getStreamById(state.database, streamId);
  const group = stream && (await getGroupById(state.database, stream.group_id));
  if (group?.account !== account || group.region !== region) throw wrongPointer();
  const [chunk] = await chunksByNumber(state.database, streamId, chunkNo, chunkNo);
  const event = chunk && decodeEvents(chunk.events)[index];
  if (!event || event.timestamp < expiryOf(group, state.clock.now())) throw wrongPointer();
  const fields = discoverFields({
    at: event.timestamp,
    ingestedAt: chunk.ingested_at,
    message: event.message,
    logStream: stream?.name ?? "",
    log: `${group.account}:${group.name}`,
    pointer: input.logRecordPointer ?? "",
  });
  return { logRecord: { ...Object.fromEntries(fields), "@ptr": input.logRecordPointer ?? "" } };
}

function wrongPointer(): AwsError {
  return invalidParameter("The specified logRecordPointer is invalid.");
}

export async function getLogGroupFields(
  state: LogsState,
  input: Input<Client, "GetLogGroupFields">,
  context: RequestContext,
): Promise<Output<Client, "GetLogGroupFields">> {
  const group = await requireGroup(state.database, context, input);
  const now = state.clock.now();
  const middle = input.time === undefined ? undefined : input.time * 1_000;
  const [fromAt, toAt] =
    middle === undefined ? [now - RECENT_MS, now] : [middle - AROUND_MS, middle + AROUND_MS];
  const counts = new Map<string, number>();
  let seen = 0;
  const selection = {
    of: { groupId: group.group_id },
    fromAt: Math.max(fromAt, expiryOf(group, now)),
    toAt,
    boundary: undefined,
    descending: true,
  };
  const log = `${group.account}:${group.name}`;
  for await (const { events } of readEvents(state.database, selection)) {
    for (const { at, ingestedAt, message } of events) {
      if (seen++ >= EVENTS_MAX) break;
      // Every event has a stream: its name changes no count.
      for (const name of discoverFields({ at, ingestedAt, message, log, logStream: "-", pointer: "" }).keys())
        if (counts.has(name) || counts.size < FIELDS_MAX) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    if (seen >= EVENTS_MAX) break;
  }
  const total = Math.min(seen, EVENTS_MAX);
  const found = [...counts].sort(([a, most], [b, least]) => least - most || (a < b ? -1 : 1));
  return {
    logGroupFields: found.map(([name, count]) => ({ name, percent: Math.round((count / total) * 100) })),
  };
}
