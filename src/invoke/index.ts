/** The data path's public names. */
export { ThrottledError } from "./concurrency.ts";
export { InvokerStopped } from "./errors.ts";
export { SnapStartFailed, SnapStartTimedOut, SnapshotFailed } from "./snap-start-errors.ts";
export { createInvoker } from "./invoker.ts";
export { readMemory } from "./memory-pressure.ts";
export type { MemoryReading } from "./memory-pressure.ts";
export type { InvokerDeps } from "./invoker.ts";
export { INVOKE_LIMITS_DEFAULT } from "./limits.ts";
export type { InvokeLimits, StreamLimits } from "./limits.ts";
export { LambdaMetrics } from "./metrics.ts";
export type { MetricName, MetricSource } from "./metrics.ts";
export { runtimeVersionArn } from "./runtime-version.ts";
export { IMAGE_RUNTIME, RuntimeUnavailable, createRuntimes } from "./runtimes/index.ts";
export type { InstallProgress, RuntimeAnswer, RuntimeListing, Runtimes } from "./runtimes/index.ts";
export type {
  AnswerSink,
  Credentials,
  FunctionVersion,
  Invocation,
  InvokePorts,
  Invoker,
  LogLine,
  Outcome,
  ProvisionedStatus,
} from "./types.ts";
