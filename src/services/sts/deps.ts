/** The one dependencies object of sts. */
import type { Clock } from "../../kit/clock.ts";
import type { Ids } from "../../kit/id.ts";
import type { Blobs } from "../../store/blobs.ts";
import type { Database } from "../../store/database.ts";

export interface StsDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly database: Database;
  readonly blobs: Blobs;
}
