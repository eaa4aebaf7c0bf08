/** PutEvents. */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, EventBridge } from "../deps.ts";
import { validation } from "../errors.ts";
import { checkEntry, entryBytes } from "../events/entry.ts";
import type { EntryFailure } from "../events/entry.ts";
import { envelope } from "../events/event.ts";
import type { BusEvent } from "../events/event.ts";
import { putEvent, whatItMeets } from "../events/put.ts";
import type { Met } from "../events/put.ts";
import { PUT_BYTES_MAX } from "../limits.ts";
import { busOf } from "../names.ts";
import type { LoadedBus } from "../rules/registry.ts";

type Entry = NonNullable<Input<Client, "PutEvents">["Entries"]>[number];

interface Accepted {
  readonly EventId: string;
  /** Undefined where nothing comes of it: nobody wants it, or there is no such bus. */
  readonly work?: { readonly bus: LoadedBus; readonly event: BusEvent; readonly met: Met };
}

/** What the rules hand over is written, durably and together, before this is answered. */
export async function putEvents(
  eventBridge: EventBridge,
  input: Input<Client, "PutEvents">,
  context: RequestContext,
): Promise<Output<Client, "PutEvents">> {
  const { clock, metrics } = eventBridge;
  const { Entries: entries = [] } = input;
  const bytes = entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
  const startedAt = clock.now();
  try {
    if (bytes > PUT_BYTES_MAX)
      throw validation("Total size of the entries in the request is over the limit.");
    const output = await putAll(eventBridge, input, context);
    const failed = output.FailedEntryCount ?? 0;
    metrics.put(context, { entries: entries.length, failed, bytes, ms: clock.now() - startedAt });
    return output;
  } catch (error) {
    metrics.put(context, undefined);
    throw error;
  }
}

async function putAll(
  eventBridge: EventBridge,
  { Entries: entries = [], EndpointId }: Input<Client, "PutEvents">,
  context: RequestContext,
): Promise<Output<Client, "PutEvents">> {
  if (EndpointId !== undefined) throw notImplemented(`global endpoints (EndpointId ${EndpointId})`);
  const results: (Accepted | EntryFailure)[] = [];
  for (const entry of entries) results.push(await accept(eventBridge, entry, context));
  const work = results.flatMap((one) => ("work" in one && one.work ? [one.work] : []));
  if (work.length > 0)
    await eventBridge.database.tx(async (tx) => {
      for (const { bus, event, met } of work) await putEvent(eventBridge, tx, bus, event, met);
    });
  return {
    FailedEntryCount: results.filter((one) => "ErrorCode" in one).length,
    Entries: results.map((one) => ("EventId" in one ? { EventId: one.EventId } : one)),
  };
}

async function accept(
  { clock, ids, buses }: EventBridge,
  entry: Entry,
  context: RequestContext,
): Promise<Accepted | EntryFailure> {
  const detail = checkEntry(entry);
  if ("ErrorCode" in detail) return detail;
  const EventId = ids.uuid();
  const id = busOf(entry.EventBusName, context);
  const bus = await buses.find(id);
  // As on AWS: who puts events learns nothing of buses.
  if (!bus) return { EventId };
  const receivedAt = clock.now();
  const event: BusEvent = {
    ...envelope({
      id: EventId,
      source: entry.Source ?? "",
      detailType: entry.DetailType ?? "",
      detail: detail.detail,
      resources: entry.Resources ?? [],
      time: entry.Time?.getTime() ?? receivedAt,
      account: context.account,
      region: context.region,
    }),
    receivedAt,
    traceHeader: entry.TraceHeader ?? traceOf(context),
  };
  const met = whatItMeets(bus, event);
  const isWanted = met.rules.length + met.archives.length > 0;
  return { EventId, ...(isWanted && { work: { bus, event, met } }) };
}

function traceOf({ headers }: RequestContext): string | undefined {
  const header = headers["x-amzn-trace-id"];
  return typeof header === "string" ? header : undefined;
}
