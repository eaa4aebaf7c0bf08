/** cloudwatch-logs: the only file that others import. */
import { bindService } from "../../aws/service.ts";
import type { Service } from "../../aws/service.ts";
import { authorization } from "./authorization.ts";
import type { CloudwatchLogsDeps } from "./deps.ts";
import { createIntake } from "./intake.ts";
import type { GroupIntake } from "./intake.ts";
import { LiveTails } from "./live-tails.ts";
import { logs } from "./migrations/001-logs.ts";
import { garbage } from "./migrations/002-garbage.ts";
import { operationTable } from "./operation-table.ts";
import type { LogsState } from "./state.ts";
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
  /** Removes what has expired and what deleted groups and streams left; done every minute in any case. */
  sweep(): Promise<void>;
  /** Ends live tails and waits for what is being written. */
  stop(): Promise<void>;
}

export async function createCloudwatchLogs(deps: CloudwatchLogsDeps): Promise<CloudwatchLogs> {
  await deps.database.migrate("cloudwatch-logs", [logs, garbage]);
  const { clock, ids, database, log } = deps;
  const sweeper = startSweeper(deps);
  const state: LogsState = {
    clock,
    ids,
    database,
    log,
    tails: new LiveTails(),
    sweepSoon: sweeper.sweepSoon,
  };
  const writer = createWriter(state);
  return {
    service: bindService("cloudwatch-logs", operationTable, state, authorization),
    intake: createIntake(state),
    writer,
    sweep: () => sweeper.sweep(),
    async stop() {
      state.tails.stop();
      await sweeper.stop();
      await writer.stop();
    },
  };
}
