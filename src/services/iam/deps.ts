/** The one dependencies object of iam. */
import type { Clock } from "../../kit/clock.ts";
import type { Ids } from "../../kit/id.ts";
import type { Database } from "../../store/database.ts";
import type { Log } from "../../telemetry/log.ts";

export interface IamDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly database: Database;
  readonly log: Log;
}
