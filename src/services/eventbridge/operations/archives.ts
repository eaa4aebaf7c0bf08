/** CreateArchive, UpdateArchive, DeleteArchive, DescribeArchive and ListArchives. */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { RETENTION_TOPIC } from "../archives/retention.ts";
import type { Client, EventBridge } from "../deps.ts";
import { alreadyExists, invalidParameter, limitExceeded, notFound, validation } from "../errors.ts";
import { ARCHIVES_MAX } from "../limits.ts";
import { archiveArn, busArn, readBusArn } from "../names.ts";
import type { BusId } from "../names.ts";
import { pageOf } from "../paging.ts";
import {
  archivesOf,
  deleteArchiveRow,
  getArchive,
  insertArchive,
  listArchiveRows,
  updateArchiveRow,
} from "../store/archives.ts";
import type { ArchiveRow } from "../store/archives.ts";
import { requireBus } from "../rules/buses.ts";
import { checkPattern } from "./put-rule.ts";

/** It keeps what comes from then on, at once; AWS takes some minutes. */
export async function createArchive(
  { database, buses, clock, ids }: EventBridge,
  input: Input<Client, "CreateArchive">,
  { account, region }: RequestContext,
): Promise<Output<Client, "CreateArchive">> {
  const { ArchiveName: name = "", EventPattern: pattern = "" } = input;
  refuseKey(input.KmsKeyIdentifier);
  if (pattern !== "") checkPattern(pattern);
  const bus = sourceBus(input.EventSourceArn, { account, region });
  const row: ArchiveRow = {
    archive_id: ids.uuid(),
    account,
    region,
    name,
    bus: bus.name,
    description: input.Description ?? "",
    pattern,
    retention_days: input.RetentionDays ?? 0,
    created_at: clock.now(),
    events: 0,
    bytes: 0,
  };
  await database.tx(async (tx) => {
    await requireBus(tx, bus, clock.now());
    if ((await archivesOf(tx, bus)).length >= ARCHIVES_MAX) throw limitExceeded();
    if (!(await insertArchive(tx, row))) throw alreadyExists(`Archive ${name}`);
    await buses.changed(tx, bus);
  });
  return changed(row);
}

export async function updateArchive(
  { database, buses }: EventBridge,
  input: Input<Client, "UpdateArchive">,
  context: RequestContext,
): Promise<Output<Client, "UpdateArchive">> {
  refuseKey(input.KmsKeyIdentifier);
  const { EventPattern: pattern, Description: description, RetentionDays: retention_days } = input;
  if (pattern) checkPattern(pattern);
  return database.tx(async (tx) => {
    const archive = await getArchive(tx, context, input.ArchiveName ?? "");
    if (!archive) throw notFound(`Archive ${input.ArchiveName}`);
    const row: ArchiveRow = {
      ...archive,
      ...(pattern !== undefined && { pattern }),
      ...(description !== undefined && { description }),
      ...(retention_days !== undefined && { retention_days }),
    };
    await updateArchiveRow(tx, row);
    await buses.changed(tx, busOfArchive(archive));
    return changed(row);
  });
}

export async function deleteArchive(
  { database, buses, signals }: EventBridge,
  { ArchiveName: name = "" }: Input<Client, "DeleteArchive">,
  context: RequestContext,
): Promise<object> {
  await database.tx(async (tx) => {
    const archive = await getArchive(tx, context, name);
    if (!archive) throw notFound(`Archive ${name}`);
    await deleteArchiveRow(tx, archive.archive_id);
    await buses.changed(tx, busOfArchive(archive));
    await signals.send(tx, RETENTION_TOPIC);
  });
  return {};
}

export async function describeArchive(
  { database }: EventBridge,
  { ArchiveName: name = "" }: Input<Client, "DescribeArchive">,
  context: RequestContext,
): Promise<Output<Client, "DescribeArchive">> {
  const row = await getArchive(database, context, name);
  if (!row) throw notFound(`Archive ${name}`);
  return {
    ...listed(row),
    ArchiveArn: archiveArn(row),
    ...(row.description !== "" && { Description: row.description }),
    ...(row.pattern !== "" && { EventPattern: row.pattern }),
  };
}

export async function listArchives(
  { database, buses }: EventBridge,
  input: Input<Client, "ListArchives">,
  context: RequestContext,
): Promise<Output<Client, "ListArchives">> {
  const { NamePrefix, EventSourceArn, State } = input;
  if ([NamePrefix, EventSourceArn, State].filter((one) => one !== undefined).length > 1)
    throw validation(
      "At most one filter is allowed for ListArchives. Use either : State, EventSourceArn, or NamePrefix.",
    );
  const bus = EventSourceArn === undefined ? undefined : sourceBus(EventSourceArn, context);
  if (bus) await buses.require(bus);
  const prefix = NamePrefix ?? "";
  const { rows, next } = await pageOf(
    input,
    (after, count) => listArchiveRows(database, context, prefix, after, count),
    ({ name }) => name,
    (row) =>
      row.name.startsWith(prefix) &&
      (bus === undefined || row.bus === bus.name) &&
      (State === undefined || State === "ENABLED"),
  );
  return { Archives: rows.map(listed), ...next };
}

function refuseKey(key: string | undefined): void {
  if (key) throw notImplemented(`archives encrypted with keys of KMS (KmsKeyIdentifier ${key})`);
}

/** @throws AwsError ValidationException */
function sourceBus(arn = "", { account, region }: { account: string; region: string }): BusId {
  const bus = readBusArn(arn);
  if (!bus) throw invalidParameter("EventSourceArn", "Provided Arn is not in correct format.");
  if (bus.account !== account || bus.region !== region)
    throw invalidParameter("EventSourceArn", "It must be an event bus of this account and region.");
  return bus;
}

function busOfArchive({ account, region, bus }: ArchiveRow): BusId {
  return { account, region, name: bus };
}

function changed(row: ArchiveRow) {
  return { ArchiveArn: archiveArn(row), State: "ENABLED" as const, CreationTime: new Date(row.created_at) };
}

function listed(row: ArchiveRow) {
  return {
    ArchiveName: row.name,
    EventSourceArn: busArn(busOfArchive(row)),
    State: "ENABLED" as const,
    RetentionDays: row.retention_days,
    SizeBytes: row.bytes,
    EventCount: row.events,
    CreationTime: new Date(row.created_at),
  };
}
