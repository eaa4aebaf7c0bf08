/** CreateLogStream, DeleteLogStream and DescribeLogStreams. */
import type { LogStream } from "@aws-sdk/client-cloudwatch-logs";
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { createStream } from "../ingest.ts";
import { groupArn, invalidParameter, readToken, requireGroup, requireStream, writeToken } from "../lookup.ts";
import { FIRST, toDigits } from "../position.ts";
import type { LogsState } from "../state.ts";
import { deleteStream, getStream, streamsByLastEvent, streamsByName } from "../store.ts";
import type { GroupRow, StreamRow } from "../store.ts";

type Client = typeof import("@aws-sdk/client-cloudwatch-logs");

const STREAMS_PER_PAGE = 50;

export async function createLogStream(
  state: LogsState,
  input: Input<Client, "CreateLogStream">,
  context: RequestContext,
): Promise<object> {
  const name = input.logStreamName ?? "";
  await state.database.tx(async (tx) => {
    const group = await requireGroup(tx, context, { logGroupName: input.logGroupName });
    if (await getStream(tx, group.group_id, name))
      throw new AwsError("ResourceAlreadyExistsException", "The specified log stream already exists");
    await createStream(state, tx, group.group_id, name);
  });
  return {};
}

export async function deleteLogStream(
  state: LogsState,
  input: Input<Client, "DeleteLogStream">,
  context: RequestContext,
): Promise<object> {
  await state.database.tx(async (tx) => {
    const group = await requireGroup(tx, context, { logGroupName: input.logGroupName });
    const stream = await requireStream(tx, group, input.logStreamName ?? "");
    await deleteStream(tx, stream);
    tx.afterCommit(state.sweepSoon);
  });
  return {};
}

/** The last stream of the page before. */
interface PageToken {
  readonly name: string;
  readonly at: number;
}

export async function describeLogStreams(
  state: LogsState,
  input: Input<Client, "DescribeLogStreams">,
  context: RequestContext,
): Promise<Output<Client, "DescribeLogStreams">> {
  const byEvent = input.orderBy === "LastEventTime";
  if (byEvent && input.logStreamNamePrefix !== undefined)
    throw invalidParameter("Cannot order by LastEventTime with a logStreamNamePrefix.");
  const group = await requireGroup(state.database, context, input);
  const token = input.nextToken === undefined ? undefined : readToken(input.nextToken, isPageToken);
  const limit = input.limit ?? STREAMS_PER_PAGE;
  // One more than is answered tells whether there is another page.
  const order = { descending: input.descending === true, count: limit + 1 };
  const streams = byEvent
    ? await streamsByLastEvent(state.database, group.group_id, { ...order, from: token })
    : await streamsByName(state.database, group.group_id, {
        ...order,
        prefix: input.logStreamNamePrefix ?? "",
        from: token?.name,
      });
  const page = streams.slice(0, limit);
  const last = page.at(-1);
  return {
    logStreams: page.map((stream) => describeStream(group, stream)),
    ...(last &&
      streams.length > limit && {
        nextToken: writeToken({ name: last.name, at: last.last_event_at } satisfies PageToken),
      }),
  };
}

function isPageToken(value: unknown): value is PageToken {
  const token = value as Partial<PageToken> | null;
  return typeof token?.name === "string" && typeof token.at === "number";
}

function describeStream(group: GroupRow, stream: StreamRow): LogStream {
  return {
    logStreamName: stream.name,
    creationTime: stream.created_at,
    ...(stream.last_ingested_at > 0 && {
      firstEventTimestamp: stream.first_event_at,
      lastEventTimestamp: stream.last_event_at,
      lastIngestionTime: stream.last_ingested_at,
    }),
    uploadSequenceToken: toDigits({ ...FIRST, streamId: stream.stream_id, chunkNo: stream.next_chunk }),
    arn: `${groupArn(group.account, group.region, group.name)}:log-stream:${stream.name}`,
    // AWS answers 0 for streams since 2019; groups have the figure.
    storedBytes: 0,
  };
}
