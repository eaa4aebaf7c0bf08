/** The dependencies of kinesis: what createKinesis is given, and what its operations work with. */
import type { Clock } from "../../kit/clock.ts";
import type { Ids } from "../../kit/id.ts";
import type { Database } from "../../store/database.ts";
import type { Signals } from "../../store/signals.ts";
import type { Log } from "../../telemetry/log.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import type { StreamMetrics } from "./monitoring/stream-metrics.ts";
import type { Appends } from "./records/appends.ts";
import type { ResourcePolicies, Roles } from "./ports.ts";
import type { ShardLimits } from "./shards/shard-limits.ts";
import type { Housekeeping } from "./housekeeping.ts";
import type { Scaling } from "./scaling.ts";
import type { Streams } from "./streams.ts";
import type { Subscriptions } from "./subscriptions.ts";

export type Client = typeof import("@aws-sdk/client-kinesis");

export interface KinesisDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly database: Database;
  readonly signals: Signals;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly policies: ResourcePolicies;
  readonly roles: Roles;
  /** What a shard takes and gives, as a multiple of AWS's limits; 0 for as much as it can. */
  readonly shardThroughput: number;
}

/** What every operation is called with. */
export interface Kinesis extends KinesisDeps {
  readonly streams: Streams;
  readonly appends: Appends;
  readonly shardLimits: ShardLimits;
  readonly subscriptions: Subscriptions;
  readonly housekeeping: Housekeeping;
  readonly scaling: Scaling;
  readonly streamMetrics: StreamMetrics;
}
