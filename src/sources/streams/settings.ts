/** A stream mapping's settings, with AWS's defaults where the request left them out. */
import type { MappingSettings } from "../mapping.ts";

/** How a mapping reads its stream and what it does about failures. */
export interface StreamSettings {
  readonly batchSize: number;
  readonly batchingWindowMs: number;
  readonly parallelizationFactor: number;
  /** 0 for none. */
  readonly tumblingWindowMs: number;
  /** Retries after function errors; Infinity for no limit. */
  readonly retries: number;
  /** Older records are discarded; Infinity for no limit but the stream's own. */
  readonly recordAgeMs: number;
  readonly bisects: boolean;
  readonly reportsItemFailures: boolean;
}

export const BATCH_SIZE_DEFAULT = 100;

/** @see https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html */
export function streamSettings(settings: MappingSettings): StreamSettings {
  return {
    batchSize: settings.BatchSize ?? BATCH_SIZE_DEFAULT,
    batchingWindowMs: (settings.MaximumBatchingWindowInSeconds ?? 0) * 1_000,
    parallelizationFactor: settings.ParallelizationFactor ?? 1,
    tumblingWindowMs: (settings.TumblingWindowInSeconds ?? 0) * 1_000,
    retries: orInfinity(settings.MaximumRetryAttempts),
    recordAgeMs: orInfinity(settings.MaximumRecordAgeInSeconds) * 1_000,
    bisects: settings.BisectBatchOnFunctionError ?? false,
    reportsItemFailures: settings.FunctionResponseTypes?.includes("ReportBatchItemFailures") ?? false,
  };
}

/** -1 is AWS's word for no limit. */
function orInfinity(value: number | null | undefined): number {
  return value === undefined || value === null || value === -1 ? Infinity : value;
}
