/** EnableEnhancedMonitoring and DisableEnhancedMonitoring: which metrics are told of each shard of a stream. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { changeStream } from "../change.ts";
import type { Client, Kinesis } from "../deps.ts";
import { streamNamed } from "../lookup.ts";
import { ALL_SHARD_METRICS, readShardMetrics } from "../monitoring/metric-names.ts";
import type { ShardMetric } from "../monitoring/metric-names.ts";
import { streamArn } from "../names.ts";

type Change = Input<Client, "EnableEnhancedMonitoring">;
type Changed = Output<Client, "EnableEnhancedMonitoring">;

export function enableEnhancedMonitoring(
  kinesis: Kinesis,
  input: Change,
  context: RequestContext,
): Promise<Changed> {
  return change(kinesis, input, context, (before, named) => new Set([...before, ...named]));
}

export function disableEnhancedMonitoring(
  kinesis: Kinesis,
  input: Input<Client, "DisableEnhancedMonitoring">,
  context: RequestContext,
): Promise<Output<Client, "DisableEnhancedMonitoring">> {
  return change(kinesis, input, context, (before, named) => before.difference(named));
}

async function change(
  kinesis: Kinesis,
  input: Change,
  context: RequestContext,
  to: (before: Set<ShardMetric>, named: Set<ShardMetric>) => Set<ShardMetric>,
): Promise<Changed> {
  const found = await streamNamed(kinesis, input, context);
  const given = input.ShardLevelMetrics ?? [];
  const named = new Set(given.includes("ALL") ? ALL_SHARD_METRICS : (given as ShardMetric[]));
  let [before, after]: ShardMetric[][] = [[], []];
  await changeStream(kinesis, found, ({ shard_metrics }) => {
    before = readShardMetrics(shard_metrics);
    const wanted = to(new Set(before), named);
    after = ALL_SHARD_METRICS.filter((metric) => wanted.has(metric));
    return { shard_metrics: JSON.stringify(after) };
  });
  return {
    StreamName: found.name,
    StreamARN: streamArn(found),
    CurrentShardLevelMetrics: before,
    DesiredShardLevelMetrics: after,
  };
}
