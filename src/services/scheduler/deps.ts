/** The dependencies of scheduler. */
import type { Clock } from "../../kit/clock.ts";
import type { Ids } from "../../kit/id.ts";
import type { Database } from "../../store/database.ts";
import type { Signals } from "../../store/signals.ts";
import type { Log } from "../../telemetry/log.ts";
import type { Courier, Operations, Roles } from "./ports.ts";

export type Client = typeof import("@aws-sdk/client-scheduler");

export interface SchedulerDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly database: Database;
  readonly signals: Signals;
  readonly log: Log;
  readonly roles: Roles;
  readonly courier: Courier;
  readonly operations: Operations;
}
