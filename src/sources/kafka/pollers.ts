/**
 * How many lanes read a mapping's partitions. AWS looks at the lag once a minute and adds or removes pollers, never more than there are
 * partitions; in provisioned mode within the limits that the mapping sets, each poller with up to five concurrent invocations.
 * https://docs.aws.amazon.com/lambda/latest/dg/kafka-scaling-modes.html
 */
import type { MappingSettings } from "../mapping.ts";

const invocationsPerPoller = 5;

export interface Load {
  readonly partitions: number;
  /** Records behind, of all partitions. */
  readonly lag: number;
  readonly batchSize: number;
  /** The function was throttled since the last look. */
  readonly wasThrottled: boolean;
}

/** At the start. */
export function firstLanes(settings: MappingSettings, partitions: number): number {
  const { MinimumPollers = 1 } = settings.ProvisionedPollerConfig ?? {};
  const wanted = settings.ProvisionedPollerConfig ? MinimumPollers * invocationsPerPoller : 1;
  return within(wanted, 1, partitions);
}

/** After a minute with this load. */
export function nextLanes(settings: MappingSettings, lanes: number, load: Load): number {
  const { MaximumPollers = 200 } = settings.ProvisionedPollerConfig ?? {};
  const least = firstLanes(settings, load.partitions);
  const most = settings.ProvisionedPollerConfig
    ? within(MaximumPollers * invocationsPerPoller, least, load.partitions)
    : load.partitions;
  if (load.wasThrottled || load.lag === 0) return within(Math.ceil(lanes / 2), least, most);
  const isBehind = load.lag > lanes * load.batchSize;
  return within(isBehind ? lanes * 2 : lanes, least, most);
}

/** Pollers that so many lanes are. */
export function pollersOf(lanes: number): number {
  return Math.ceil(lanes / invocationsPerPoller);
}

/** Shares partitions out so that each lane has as many as any other, but for one. */
export function share<T>(all: readonly T[], lanes: number): T[][] {
  const shares = Array.from({ length: Math.min(lanes, all.length) }, (): T[] => []);
  for (const [index, one] of all.entries()) shares[index % shares.length]?.push(one);
  return shares;
}

function within(value: number, least: number, most: number): number {
  return Math.max(Math.min(value, most), Math.min(least, most), 1);
}
