/** UpdateTimeToLive and DescribeTimeToLive. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { OperationDeps } from "../deps.ts";
import { invalid, resourceNotFound } from "../errors.ts";
import { addExpiringTable, removeExpiringTable } from "../store-expiries.ts";
import { addTask } from "../store-tasks.ts";
import { changeTable } from "../store.ts";
import type { TableDefinition, TimeToLive } from "../tables/definition.ts";
import { newId } from "../tables/definition.ts";
import type { Client } from "./client.ts";
import { refuseUnfinished, tableToManage } from "./describe-table.ts";

/** How long after one change another is refused, in milliseconds. */
const CHANGE_MS_MIN = 60 * 60 * 1000;

export async function updateTimeToLive(
  deps: OperationDeps,
  input: Input<Client, "UpdateTimeToLive">,
  context: RequestContext,
): Promise<Output<Client, "UpdateTimeToLive">> {
  const { AttributeName: attribute = "", Enabled: isEnabled = false } = input.TimeToLiveSpecification ?? {};
  const found = await tableToManage(deps, input.TableName, context);
  if (found.isDeleting) throw resourceNotFound();
  refuseUnfinished(found);
  const now = deps.clock.now();
  const changed = await deps.tables.whileChanging(found, () =>
    deps.database.tx(async (transaction) => {
      const table = await deps.tables.current(transaction, found);
      refuse(table, { attribute, isEnabled }, now);
      const id = isEnabled ? newId(deps.ids) : (table.timeToLive as TimeToLive).id;
      if (isEnabled) await addExpiringTable(transaction, id, table);
      else await removeExpiringTable(transaction, id);
      await addTask(transaction, table, { id, kind: isEnabled ? "expiries" : "discard" });
      const timeToLive = { id, attribute, isEnabled, isReady: false, changedAt: now };
      return changeTable(transaction, { ...table, timeToLive });
    }),
  );
  if (isEnabled) deps.sweepExpired();
  deps.tasks.begin((changed.timeToLive as TimeToLive).id);
  return { TimeToLiveSpecification: { AttributeName: attribute, Enabled: isEnabled } };
}

function refuse(
  { timeToLive }: TableDefinition,
  wanted: Pick<TimeToLive, "attribute" | "isEnabled">,
  now: number,
): void {
  const isEnabled = timeToLive?.isEnabled ?? false;
  if (isEnabled && timeToLive?.attribute !== wanted.attribute)
    throw invalid(
      `TimeToLive is active on a different AttributeName: current AttributeName is ${timeToLive?.attribute}`,
    );
  if (isEnabled === wanted.isEnabled)
    throw invalid(`TimeToLive is already ${isEnabled ? "enabled" : "disabled"}`);
  if (timeToLive && now - timeToLive.changedAt < CHANGE_MS_MIN)
    throw invalid("Time to live has been modified multiple times within a fixed interval");
}

export async function describeTimeToLive(
  deps: OperationDeps,
  input: Input<Client, "DescribeTimeToLive">,
  context: RequestContext,
): Promise<Output<Client, "DescribeTimeToLive">> {
  const { timeToLive } = await tableToManage(deps, input.TableName, context);
  if (!timeToLive?.isEnabled) return { TimeToLiveDescription: { TimeToLiveStatus: "DISABLED" } };
  return {
    TimeToLiveDescription: {
      TimeToLiveStatus: timeToLive.isReady ? "ENABLED" : "ENABLING",
      AttributeName: timeToLive.attribute,
    },
  };
}
