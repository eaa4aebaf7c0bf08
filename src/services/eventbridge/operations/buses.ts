/** CreateEventBus, UpdateEventBus, DeleteEventBus, DescribeEventBus and ListEventBuses. */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, EventBridge } from "../deps.ts";
import { alreadyExists, limitExceeded, validation } from "../errors.ts";
import { BUSES_MAX } from "../limits.ts";
import { DEFAULT_BUS, busArn, busOf } from "../names.ts";
import { pageOf } from "../paging.ts";
import { findBus, newBus, requireBus } from "../rules/buses.ts";
import { checkDeadLetterArn } from "../rules/check-target.ts";
import { countBuses, deleteBusRow, getBus, insertBus, listBuses, updateBus } from "../store/buses.ts";
import type { BusRow } from "../store/buses.ts";
import { countRules } from "../store/rules.ts";
import { withTags } from "../tags.ts";

type LogConfig = NonNullable<Output<Client, "DescribeEventBus">["LogConfig"]>;

export async function createEventBus(
  eventBridge: EventBridge,
  input: Input<Client, "CreateEventBus">,
  { account, region }: RequestContext,
): Promise<Output<Client, "CreateEventBus">> {
  const { Name: name = "", EventSourceName } = input;
  if (EventSourceName !== undefined || name.startsWith("aws.partner/"))
    throw notImplemented(`event buses of partner event sources (EventSourceName ${EventSourceName ?? name})`);
  refuseUnsupported(input, { region });
  if (name.includes("/")) throw validation("Event bus name must not contain '/'.");
  const id = { account, region, name };
  if (name === DEFAULT_BUS) throw alreadyExists(`Event bus ${name}`);
  const row: BusRow = {
    ...newBus(id, eventBridge.clock.now()),
    description: input.Description ?? "",
    log_config: input.LogConfig ? JSON.stringify(input.LogConfig) : "",
    dead_letter: input.DeadLetterConfig?.Arn ?? "",
    tags: JSON.stringify(withTags({}, input.Tags)),
  };
  await eventBridge.database.tx(async (tx) => {
    if ((await countBuses(tx, id)) >= BUSES_MAX) throw limitExceeded();
    if (!(await insertBus(tx, row))) throw alreadyExists(`Event bus ${name}`);
    await eventBridge.buses.changed(tx, id);
  });
  return { EventBusArn: busArn(id), ...settingsOf(row) };
}

export async function updateEventBus(
  eventBridge: EventBridge,
  input: Input<Client, "UpdateEventBus">,
  context: RequestContext,
): Promise<Output<Client, "UpdateEventBus">> {
  refuseUnsupported(input, context);
  const id = busOf(input.Name, context);
  return eventBridge.database.tx(async (tx) => {
    const bus = await requireBus(tx, id, eventBridge.clock.now());
    const row: BusRow = {
      ...bus,
      ...(input.Description !== undefined && { description: input.Description }),
      ...(input.LogConfig !== undefined && { log_config: JSON.stringify(input.LogConfig) }),
      ...(input.DeadLetterConfig !== undefined && { dead_letter: input.DeadLetterConfig.Arn ?? "" }),
      modified_at: eventBridge.clock.now(),
    };
    await updateBus(tx, row);
    await eventBridge.buses.changed(tx, id);
    return { Arn: busArn(id), Name: id.name, ...settingsOf(row) };
  });
}

/** What needs other services than there are here. */
function refuseUnsupported(
  {
    KmsKeyIdentifier,
    DeadLetterConfig,
    LogConfig,
  }: Pick<Input<Client, "UpdateEventBus">, "KmsKeyIdentifier" | "DeadLetterConfig" | "LogConfig">,
  place: Pick<RequestContext, "region">,
): void {
  if (KmsKeyIdentifier)
    throw notImplemented(`encryption with keys of KMS (KmsKeyIdentifier ${KmsKeyIdentifier})`);
  // It gets what a key of KMS' customers cannot encrypt or decrypt; as long as a bus has no such key, nothing, as on AWS.
  if (DeadLetterConfig?.Arn) checkDeadLetterArn(DeadLetterConfig.Arn, "DeadLetterConfig.Arn", place);
  if (LogConfig?.Level !== undefined && LogConfig.Level !== "OFF")
    throw notImplemented(`logs of event buses (LogConfig.Level ${LogConfig.Level})`);
}

/** A bus that is not there is deleted already. */
export async function deleteEventBus(
  { database, buses }: EventBridge,
  { Name: name = "" }: Input<Client, "DeleteEventBus">,
  { account, region }: RequestContext,
): Promise<object> {
  if (name === DEFAULT_BUS) throw validation("Cannot delete event bus default.");
  const id = { account, region, name };
  await database.tx(async (tx) => {
    if (!(await getBus(tx, id))) return;
    if ((await countRules(tx, id)) > 0)
      throw validation(`Event bus ${name} can't be deleted since it has rules.`);
    await deleteBusRow(tx, id);
    await buses.changed(tx, id);
  });
  return {};
}

export async function describeEventBus(
  { database, clock }: EventBridge,
  { Name }: Input<Client, "DescribeEventBus">,
  context: RequestContext,
): Promise<Output<Client, "DescribeEventBus">> {
  const row = await findBus(database, busOf(Name, context), clock.now());
  return { ...described(row), ...settingsOf(row) };
}

export async function listEventBuses(
  { database, clock }: EventBridge,
  input: Input<Client, "ListEventBuses">,
  { account, region }: RequestContext,
): Promise<Output<Client, "ListEventBuses">> {
  const { NamePrefix: prefix = "" } = input;
  await findBus(database, { account, region, name: DEFAULT_BUS }, clock.now());
  const { rows, next } = await pageOf(
    input,
    (after, count) => listBuses(database, { account, region }, prefix, after, count),
    ({ name }) => name,
    ({ name }) => name.startsWith(prefix),
  );
  return { EventBuses: rows.map(described), ...next };
}

function described(row: BusRow) {
  return {
    Name: row.name,
    Arn: busArn(row),
    ...(row.description !== "" && { Description: row.description }),
    ...(row.policy !== "" && { Policy: row.policy }),
    CreationTime: new Date(row.created_at),
    LastModifiedTime: new Date(row.modified_at),
  };
}

function settingsOf(row: BusRow) {
  return {
    ...(row.description !== "" && { Description: row.description }),
    ...(row.log_config !== "" && { LogConfig: JSON.parse(row.log_config) as LogConfig }),
    ...(row.dead_letter !== "" && { DeadLetterConfig: { Arn: row.dead_letter } }),
  };
}
