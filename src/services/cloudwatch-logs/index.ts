/** cloudwatch-logs: the only file that others import. */
import { bindService } from "../../aws/service.ts";
import type { Service } from "../../aws/service.ts";
import { authorization } from "./authorization.ts";
import type { CloudwatchLogsDeps } from "./deps.ts";
import { GroupFilters } from "./group-filters.ts";
import { IngestCounts } from "./ingest-counts.ts";
import { QueryRunner } from "./insights/runner.ts";
import { createIntake } from "./intake.ts";
import type { GroupIntake } from "./intake.ts";
import { LiveTails } from "./live-tails.ts";
import { logs } from "./migrations/001-logs.ts";
import { garbage } from "./migrations/002-garbage.ts";
import { filters } from "./migrations/003-filters.ts";
import { queries } from "./migrations/004-queries.ts";
import { resourcePolicies } from "./migrations/005-resource-policies.ts";
import { operationTable } from "./operation-table.ts";
import type { LogsState } from "./state.ts";
import { startDeliverer } from "./subscriptions/deliverer.ts";
import { startSweeper } from "./sweeper.ts";
import { createWriter } from "./writer.ts";
import type { FunctionLogWriter } from "./writer.ts";

export type { CloudwatchLogsDeps } from "./deps.ts";

export interface CloudwatchLogs {
  readonly service: Service;
  /** For services that write to groups. */
  readonly intake: GroupIntake;
  /** Where functions' log lines go. */
  readonly writer: FunctionLogWriter;
  /** Begins to send on what subscription filters matched, once their destinations are there, and to run queries. */
  start(): void;
  /** Removes what has expired and what deleted groups and streams left; done every minute in any case. */
  sweep(): Promise<void>;
  /** Ends live tails and waits for what is being written. */
  stop(): Promise<void>;
}

export async function createCloudwatchLogs(deps: CloudwatchLogsDeps): Promise<CloudwatchLogs> {
  await deps.database.migrate("cloudwatch-logs", [logs, garbage, filters, queries, resourcePolicies]);
  const sweeper = startSweeper(deps);
  const shared = {
    ...deps,
    tails: new LiveTails(),
    filters: new GroupFilters(),
    counts: new IngestCounts(deps.metrics),
    sweepSoon: () => sweeper.soon(),
  };
  const queryRunner = new QueryRunner(shared);
  const state: LogsState = {
    ...shared,
    cancelQuery: (queryId) => queryRunner.cancelled(queryId),
    earlyRows: (queryId) => queryRunner.earlyRows(queryId),
  };
  const writer = createWriter(state);
  let deliverer: ReturnType<typeof startDeliverer> | undefined;
  return {
    service: bindService("cloudwatch-logs", operationTable, state, authorization),
    intake: createIntake(state),
    writer,
    start() {
      deliverer ??= startDeliverer(state);
      queryRunner.start();
    },
    sweep: () => sweeper.once(),
    async stop() {
      state.tails.stop();
      await sweeper.stop();
      await writer.stop();
      await deliverer?.stop();
      await queryRunner.stop();
    },
  };
}
