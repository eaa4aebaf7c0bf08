/** The one dependencies object of cloudwatch-logs. */
import type { Clock } from "../../kit/clock.ts";
import type { Ids } from "../../kit/id.ts";
import type { Database } from "../../store/database.ts";
import type { Queue } from "../../store/queue.ts";
import type { Log } from "../../telemetry/log.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import type { Courier, ResourcePolicies, Roles } from "./ports.ts";

export interface CloudwatchLogsDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly database: Database;
  readonly queue: Queue;
  readonly log: Log;
  /** Where metric filters count. */
  readonly metrics: Metrics;
  readonly courier: Courier;
  readonly roles: Roles;
  readonly policies: ResourcePolicies;
}
