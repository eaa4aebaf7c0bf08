/** Metrics of single shards, for streams that ask for them. */
import type { Migration } from "../../../store/database.ts";

/** JSON: the names of the metrics that are told of each shard. */
export const shardMetrics: Migration = {
  name: "002-shard-metrics",
  sql: `ALTER TABLE kinesis_stream ADD COLUMN shard_metrics text NOT NULL DEFAULT '[]';`,
};
