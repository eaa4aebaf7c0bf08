/** The one dependencies object of dynamodb. */
import type { Clock } from "../../kit/clock.ts";
import type { Ids } from "../../kit/id.ts";
import type { Blobs } from "../../store/blobs.ts";
import type { Database } from "../../store/database.ts";

export interface DynamoDbDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly database: Database;
  readonly blobs: Blobs;
}
