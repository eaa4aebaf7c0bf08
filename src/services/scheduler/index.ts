/** scheduler: the only file that others import. */
import { bindService } from "../../aws/service.ts";
import type { Service } from "../../aws/service.ts";
import { DueRunner } from "../../store/due-runner.ts";
import { authorization } from "./authorization.ts";
import type { SchedulerDeps } from "./deps.ts";
import { schedules } from "./migrations/001-schedules.ts";
import { operationTable } from "./operation-table.ts";
import { firing } from "./schedules/firing.ts";

export type { SchedulerDeps } from "./deps.ts";

export interface SchedulerService {
  readonly service: Service;
  /** Invokes what is due. */
  readonly runner: DueRunner;
  /** Invokes no more. */
  stop(): Promise<void>;
}

/** EventBridge Scheduler over a database. Nothing is invoked before its runner is started. */
export async function createScheduler(deps: SchedulerDeps): Promise<SchedulerService> {
  await deps.database.migrate("scheduler", [schedules]);
  const runner = new DueRunner(deps, firing(deps));
  return {
    service: bindService("scheduler", operationTable, deps, authorization),
    runner,
    stop: () => runner.stop(),
  };
}
