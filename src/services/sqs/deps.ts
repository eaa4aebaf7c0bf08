/** The dependencies of sqs: what createSqs is given, and what its operations work with. */
import type { Clock } from "../../kit/clock.ts";
import type { Ids } from "../../kit/id.ts";
import type { Database } from "../../store/database.ts";
import type { Leases } from "../../store/lease.ts";
import type { Signals } from "../../store/signals.ts";
import type { Log } from "../../telemetry/log.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import type { Fairness } from "./fairness/fairness.ts";
import type { Deletions } from "./messages/deletions.ts";
import type { BodySealer } from "./messages/sealing.ts";
import type { Sends } from "./messages/sends.ts";
import type { Sequence } from "./messages/sequence.ts";
import type { Receivers } from "./messages/receivers.ts";
import type { MoveTasks } from "./move/move-tasks.ts";
import type { MessageCounts } from "./queues/counts.ts";
import type { QueueMetrics } from "./queues/metrics.ts";
import type { QueueRegistry } from "./queues/registry.ts";
import type { Housekeeping } from "./housekeeping.ts";
import type { ResourcePolicies, Roles } from "./ports.ts";

export type Client = typeof import("@aws-sdk/client-sqs");

export interface SqsDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly database: Database;
  readonly signals: Signals;
  readonly leases: Leases;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly policies: ResourcePolicies;
  readonly roles: Roles;
}

/** What every operation is called with. */
export interface Sqs extends SqsDeps {
  readonly queues: QueueRegistry;
  readonly sequence: Sequence;
  readonly sealer: BodySealer;
  readonly fairness: Fairness;
  readonly sends: Sends;
  readonly receivers: Receivers;
  readonly deletions: Deletions;
  readonly counts: MessageCounts;
  readonly queueMetrics: QueueMetrics;
  readonly moveTasks: MoveTasks;
  readonly housekeeping: Housekeeping;
}
