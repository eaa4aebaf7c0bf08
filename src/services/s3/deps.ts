/** The dependencies of s3: what createS3 is given, and what its operations work with. */
import type { Clock } from "../../kit/clock.ts";
import type { Ids } from "../../kit/id.ts";
import type { Blobs } from "../../store/blobs.ts";
import type { Database } from "../../store/database.ts";
import type { Leases } from "../../store/lease.ts";
import type { Log } from "../../telemetry/log.ts";
import type { Content } from "./content.ts";
import type { ObjectKeys } from "./encryption/keys.ts";
import type { LifecycleRunner } from "./lifecycle/runner.ts";
import type { S3Limits } from "./limits.ts";
import type {
  NotificationBuses,
  NotificationFunctions,
  NotificationQueues,
  NotificationTopics,
  ResourcePolicies,
} from "./ports.ts";
import type { Sequence } from "./sequence.ts";

export interface S3Deps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly database: Database;
  readonly blobs: Blobs;
  readonly leases: Leases;
  readonly functions: NotificationFunctions;
  readonly queues: NotificationQueues;
  readonly buses: NotificationBuses;
  readonly topics: NotificationTopics;
  readonly policies: ResourcePolicies;
  /** Without, who visits a website may do what the default account may. */
  readonly authentication: "off" | "on";
  readonly log: Log;
  readonly limits?: Partial<S3Limits>;
}

/** What every operation is called with. */
export interface S3 extends Omit<S3Deps, "limits"> {
  readonly limits: S3Limits;
  readonly content: Content;
  readonly sequence: Sequence;
  readonly keys: ObjectKeys;
  readonly lifecycles: Pick<LifecycleRunner, "soon">;
}
