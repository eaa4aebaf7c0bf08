/** StartReplay, CancelReplay, DescribeReplay and ListReplays. */
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { REPLAY_TOPIC } from "../archives/replays.ts";
import type { Client, EventBridge } from "../deps.ts";
import { alreadyExists, invalidParameter, limitExceeded, notFound, validation } from "../errors.ts";
import { REPLAYS_ACTIVE_MAX } from "../limits.ts";
import { archiveArn, busArn, readArchiveArn, readBusArn, replayArn } from "../names.ts";
import { pageOf } from "../paging.ts";
import { getArchive } from "../store/archives.ts";
import { activeReplays, getReplay, insertReplay, listReplayRows, updateReplay } from "../store/replays.ts";
import type { ReplayRow } from "../store/replays.ts";

export async function startReplay(
  eventBridge: EventBridge,
  input: Input<Client, "StartReplay">,
  context: RequestContext,
): Promise<Output<Client, "StartReplay">> {
  const { database, signals } = eventBridge;
  const row = await readReplay(eventBridge, input, context);
  await database.tx(async (tx) => {
    const active = await activeReplays(tx, Number.MAX_SAFE_INTEGER);
    const own = active.filter((one) => one.account === row.account && one.region === row.region);
    if (own.length >= REPLAYS_ACTIVE_MAX) throw limitExceeded();
    if (!(await insertReplay(tx, row))) throw alreadyExists(`Replay ${row.name}`);
    await signals.send(tx, REPLAY_TOPIC);
  });
  return { ReplayArn: replayArn(row), State: row.state, ReplayStartTime: new Date(row.started_at) };
}

/** @throws AwsError ValidationException, ResourceNotFoundException */
async function readReplay(
  { database, buses, clock }: EventBridge,
  input: Input<Client, "StartReplay">,
  { account, region }: RequestContext,
): Promise<ReplayRow> {
  const { Destination, EventStartTime, EventEndTime, EventSourceArn = "" } = input;
  const source = readArchiveArn(EventSourceArn);
  if (!source) throw invalidParameter("EventSourceArn", "Must contain an archive ARN.");
  const bus = readBusArn(Destination?.Arn ?? "");
  if (!bus) throw invalidParameter("Destination.Arn", "Must contain an event bus ARN.");
  await buses.require(bus);
  const archive =
    source.account === account && source.region === region
      ? await getArchive(database, source, source.name)
      : undefined;
  if (!archive) throw invalidParameter("EventSourceArn", `Archive ${source.name} does not exist.`);
  if (bus.account !== account || bus.region !== region || bus.name !== archive.bus)
    throw invalidParameter("Destination.Arn", "Cross event bus replay is not permitted.");
  const [start, end] = [EventStartTime?.getTime() ?? 0, EventEndTime?.getTime() ?? 0];
  if (end <= start) throw invalidParameter("EventEndTime", "EventStartTime must be before EventEndTime.");
  return {
    account,
    region,
    name: input.ReplayName ?? "",
    archive_id: archive.archive_id,
    archive_name: archive.name,
    bus: bus.name,
    description: input.Description ?? "",
    rule_arns: JSON.stringify(Destination?.FilterArns ?? []),
    start_at: start,
    end_at: end,
    state: "STARTING",
    state_reason: "",
    started_at: clock.now(),
    ended_at: 0,
    position_at: 0,
    position_id: "",
  };
}

export async function cancelReplay(
  { database, signals }: EventBridge,
  { ReplayName: name = "" }: Input<Client, "CancelReplay">,
  context: RequestContext,
): Promise<Output<Client, "CancelReplay">> {
  return database.tx(async (tx) => {
    const replay = await getReplay(tx, context, name);
    if (!replay) throw notFound(`Replay ${name}`);
    if (replay.state !== "STARTING" && replay.state !== "RUNNING")
      throw new AwsError(
        "IllegalStatusException",
        `Replay ${name} is not in a valid state for this operation.`,
      );
    await updateReplay(tx, { ...replay, state: "CANCELLING" });
    await signals.send(tx, REPLAY_TOPIC);
    return { ReplayArn: replayArn(replay), State: "CANCELLING" };
  });
}

export async function describeReplay(
  { database }: EventBridge,
  { ReplayName: name = "" }: Input<Client, "DescribeReplay">,
  context: RequestContext,
): Promise<Output<Client, "DescribeReplay">> {
  const row = await getReplay(database, context, name);
  if (!row) throw notFound(`Replay ${name}`);
  const rules = JSON.parse(row.rule_arns) as string[];
  return {
    ...listed(row),
    ReplayArn: replayArn(row),
    ...(row.description !== "" && { Description: row.description }),
    Destination: {
      Arn: busArn({ ...row, name: row.bus }),
      ...(rules.length > 0 && { FilterArns: rules }),
    },
  };
}

export async function listReplays(
  { database }: EventBridge,
  input: Input<Client, "ListReplays">,
  context: RequestContext,
): Promise<Output<Client, "ListReplays">> {
  const { NamePrefix, EventSourceArn, State } = input;
  if ([NamePrefix, EventSourceArn, State].filter((one) => one !== undefined).length > 1)
    throw validation(
      "At most one filter is allowed for ListReplays. Use either : State, EventSourceArn, or NamePrefix.",
    );
  const prefix = NamePrefix ?? "";
  const { rows, next } = await pageOf(
    input,
    (after, count) => listReplayRows(database, context, prefix, after, count),
    ({ name }) => name,
    (row) =>
      row.name.startsWith(prefix) &&
      (EventSourceArn === undefined || sourceOf(row) === EventSourceArn) &&
      (State === undefined || row.state === State),
  );
  return { Replays: rows.map(listed), ...next };
}

function sourceOf(row: ReplayRow): string {
  return archiveArn({ ...row, name: row.archive_name });
}

function listed(row: ReplayRow) {
  return {
    ReplayName: row.name,
    EventSourceArn: sourceOf(row),
    State: row.state,
    ...(row.state_reason !== "" && { StateReason: row.state_reason }),
    EventStartTime: new Date(row.start_at),
    EventEndTime: new Date(row.end_at),
    ReplayStartTime: new Date(row.started_at),
    ...(row.position_at > 0 && { EventLastReplayedTime: new Date(row.position_at) }),
    ...(row.ended_at > 0 && { ReplayEndTime: new Date(row.ended_at) }),
  };
}
