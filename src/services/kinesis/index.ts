/** kinesis: the only file that others import. */
import { bindService } from "../../aws/service.ts";
import type { Service } from "../../aws/service.ts";
import { authorization } from "./authorization.ts";
import type { Kinesis, KinesisDeps } from "./deps.ts";
import { Housekeeping } from "./housekeeping.ts";
import { createIntake } from "./intake.ts";
import type { StreamIntake } from "./intake.ts";
import { streams as streamTables } from "./migrations/001-streams.ts";
import { shardMetrics } from "./migrations/002-shard-metrics.ts";
import { StreamMetrics } from "./monitoring/stream-metrics.ts";
import { operationTable } from "./operation-table.ts";
import { createDirectPuts } from "./operations/put-direct.ts";
import { Appends } from "./records/appends.ts";
import { Scaling } from "./scaling.ts";
import { shardReader } from "./shard-reader.ts";
import type { KinesisRecord, ShardReader } from "./shard-reader.ts";
import { ShardLimits } from "./shards/shard-limits.ts";
import { Streams } from "./streams.ts";
import { Subscriptions } from "./subscriptions.ts";

export type { KinesisDeps } from "./deps.ts";
export type { StreamIntake } from "./intake.ts";
export type { KinesisRecord, ShardPosition, ShardReader } from "./shard-reader.ts";

export interface KinesisService {
  readonly service: Service;
  /** For services that put records. */
  readonly intake: StreamIntake;
  /** For those who read streams in this process. */
  readonly streams: ShardReader<KinesisRecord>;
  /** Removes what has expired and what deleted streams left; done every minute in any case. */
  sweep(): Promise<void>;
  /** Ends subscriptions and what runs in the background. */
  stop(): Promise<void>;
}

export async function createKinesis(deps: KinesisDeps): Promise<KinesisService> {
  await deps.database.migrate("kinesis", [streamTables, shardMetrics]);
  const streams = new Streams(deps.database, deps.clock);
  const scaling = new Scaling({ ...deps, streams });
  const housekeeping = new Housekeeping({ ...deps, streams });
  const kinesis: Kinesis = {
    ...deps,
    streams,
    scaling,
    housekeeping,
    appends: new Appends(deps),
    shardLimits: new ShardLimits(deps.shardThroughput),
    subscriptions: new Subscriptions(),
    streamMetrics: new StreamMetrics(deps.metrics),
  };
  housekeeping.start();
  return {
    service: {
      ...bindService("kinesis", operationTable, kinesis, authorization(kinesis)),
      direct: createDirectPuts(kinesis),
    },
    intake: createIntake(kinesis),
    streams: shardReader(kinesis),
    sweep: () => housekeeping.sweep(),
    async stop() {
      kinesis.subscriptions.stop();
      await scaling.stop();
      await housekeeping.stop();
    },
  };
}
