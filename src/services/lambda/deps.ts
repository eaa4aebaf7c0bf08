/** What Lambda is made of: the dependencies it is given, and the parts that its operations share. */
import type { Invoker, LambdaMetrics, Runtimes } from "../../invoke/index.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Ids } from "../../kit/id.ts";
import type { Blobs } from "../../store/blobs.ts";
import type { Database } from "../../store/database.ts";
import type { Queue } from "../../store/queue.ts";
import type { Log } from "../../telemetry/log.ts";
import type { EventMetrics } from "./events/event-metrics.ts";
import type { EventQueue } from "./events/event-queue.ts";
import type { Catalogue } from "./catalogue.ts";
import type { CodeStore } from "./code/code-store.ts";
import type { Deployments } from "./deployments.ts";
import type { LambdaLimits } from "./limits.ts";
import type { Provisioning } from "./provisioning.ts";
import type { SigningProfiles } from "./signing/profiles.ts";
import type { Reservations } from "./reservations.ts";
import type {
  CodeObjects,
  EventSourceMappings,
  FunctionImages,
  OwnRegistry,
  RecordBuckets,
  RecordBuses,
  RecordQueues,
  RecordTopics,
  ResourcePolicies,
  Roles,
} from "./ports.ts";

export type Client = typeof import("@aws-sdk/client-lambda");

export interface LambdaDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly database: Database;
  readonly blobs: Blobs;
  readonly queue: Queue;
  readonly invoker: Invoker;
  readonly metrics: LambdaMetrics;
  readonly runtimes: Pick<Runtimes, "find" | "install">;
  /** Undefined where functions are not isolated: images are root file systems, which plain processes have none of. */
  readonly images: FunctionImages | undefined;
  readonly ownRegistry: OwnRegistry;
  /** Folder for unpacked code; a cache of what the blobs hold. */
  readonly codeDir: string;
  /** Who may sign code. */
  readonly profiles: SigningProfiles;
  /** Folders of this machine that functions may run from, as those below them. */
  readonly localFolders: readonly string[];
  readonly roles: Roles;
  readonly policies: ResourcePolicies;
  readonly objects: CodeObjects;
  readonly recordBuckets: RecordBuckets;
  readonly recordQueues: RecordQueues;
  readonly recordBuses: RecordBuses;
  readonly recordTopics: RecordTopics;
  readonly eventSourceMappings: EventSourceMappings;
  readonly limits?: Partial<LambdaLimits>;
  /** Why functions can have no SnapStart on this machine; undefined where they can. */
  readonly snapStartObstacle: string | undefined;
  /** One sentence, where functions are not isolated on this machine. */
  readonly isolationWarning: string | undefined;
}

/** What every operation gets. */
export interface Lambda extends Omit<LambdaDeps, "limits"> {
  readonly limits: LambdaLimits;
  readonly code: CodeStore;
  readonly catalogue: Catalogue;
  readonly deployments: Deployments;
  readonly reservations: Reservations;
  readonly provisioning: Provisioning;
  readonly events: EventQueue;
  readonly eventMetrics: EventMetrics;
  /** Signs code locations. */
  readonly locationSecret: string;
}
