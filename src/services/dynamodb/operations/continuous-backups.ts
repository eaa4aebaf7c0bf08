/** UpdateContinuousBackups and DescribeContinuousBackups: point-in-time recovery, off and on. */
import type { ContinuousBackupsDescription } from "@aws-sdk/client-dynamodb";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { earliestRestorable, RECOVERY_DAYS } from "../backups/recovery.ts";
import type { OperationDeps } from "../deps.ts";
import { invalidParameters } from "../errors.ts";
import { addTask } from "../store-tasks.ts";
import { changeTable } from "../store.ts";
import { newId } from "../tables/definition.ts";
import type { TableDefinition } from "../tables/definition.ts";
import { tableToBackUp } from "./backups.ts";
import type { Client } from "./client.ts";

export async function updateContinuousBackups(
  deps: OperationDeps,
  input: Input<Client, "UpdateContinuousBackups">,
  context: RequestContext,
): Promise<Output<Client, "UpdateContinuousBackups">> {
  const { PointInTimeRecoveryEnabled: isWanted = false, RecoveryPeriodInDays: days } =
    input.PointInTimeRecoverySpecification ?? {};
  if (!isWanted && days !== undefined)
    throw invalidParameters(
      "RecoveryPeriodInDays can only be specified when PointInTimeRecoveryEnabled is true",
    );
  const found = await tableToBackUp(deps, input.TableName ?? "", context);
  let discarded: number | undefined;
  const changed = await deps.tables.whileChanging(found, () =>
    deps.database.tx(async (transaction) => {
      const table = await deps.tables.current(transaction, found);
      const next = isWanted ? recovered(deps, table, days) : unrecovered(table);
      discarded = next.history ? undefined : table.history?.id;
      if (discarded !== undefined) await addTask(transaction, table, { id: discarded, kind: "discard" });
      return changeTable(transaction, next);
    }),
  );
  if (discarded !== undefined) deps.tasks.begin(discarded);
  return { ContinuousBackupsDescription: describe(changed, deps.clock.now()) };
}

/** The table with recovery from now on, or with what it had for another time. */
function recovered(deps: OperationDeps, table: TableDefinition, days?: number): TableDefinition {
  const { id, copies, recovery } = table.history ?? { id: newId(deps.ids), copies: [] };
  const enabledAt = recovery?.enabledAt ?? deps.clock.now();
  const next = { enabledAt, days: days ?? recovery?.days ?? RECOVERY_DAYS };
  return { ...table, history: { id, copies, recovery: next } };
}

function unrecovered({ history, ...table }: TableDefinition): TableDefinition {
  if (!history || history.copies.length === 0) return table;
  return { ...table, history: { id: history.id, copies: history.copies } };
}

export async function describeContinuousBackups(
  deps: OperationDeps,
  input: Input<Client, "DescribeContinuousBackups">,
  context: RequestContext,
): Promise<Output<Client, "DescribeContinuousBackups">> {
  const table = await tableToBackUp(deps, input.TableName ?? "", context);
  return { ContinuousBackupsDescription: describe(table, deps.clock.now()) };
}

/** What is written is kept at once: a table can be restored to this very moment, where AWS is some minutes behind. */
function describe({ history }: TableDefinition, now: number): ContinuousBackupsDescription {
  const recovery = history?.recovery;
  return {
    ContinuousBackupsStatus: "ENABLED",
    PointInTimeRecoveryDescription: recovery
      ? {
          PointInTimeRecoveryStatus: "ENABLED",
          RecoveryPeriodInDays: recovery.days,
          EarliestRestorableDateTime: new Date(earliestRestorable(recovery, now)),
          LatestRestorableDateTime: new Date(now),
        }
      : { PointInTimeRecoveryStatus: "DISABLED" },
  };
}
