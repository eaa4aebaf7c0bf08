/** What the platform tells about an environment, and the records in which it tells it: the Telemetry API's and the JSON log's. */

export type Status = "success" | "failure" | "error" | "timeout";
export type InitializationType = "on-demand" | "provisioned-concurrency" | "snap-start";
type InitPhase = "init" | "invoke";

interface Ending {
  readonly status: Status;
  readonly errorType?: string;
}

export type PlatformEvent =
  | {
      readonly type: "initStart";
      readonly phase: InitPhase;
      /** Absent for images. */
      readonly runtimeVersion?: string;
      readonly runtimeVersionArn?: string;
    }
  | ({ readonly type: "initRuntimeDone"; readonly phase: InitPhase } & Ending)
  | ({ readonly type: "initReport"; readonly phase: InitPhase; readonly durationMs: number } & Ending)
  | { readonly type: "restoreStart"; readonly runtimeVersion: string; readonly runtimeVersionArn: string }
  | ({ readonly type: "restoreRuntimeDone" } & Ending)
  | ({ readonly type: "restoreReport"; readonly durationMs: number } & Ending)
  | {
      readonly type: "start";
      readonly requestId: string;
      readonly version: string;
      readonly traceHeader?: string;
    }
  | RuntimeDoneEvent
  /** Told by the Text format and the Logs API alone. */
  | { readonly type: "end"; readonly requestId: string }
  | ReportEvent
  | {
      readonly type: "extension";
      readonly name: string;
      readonly state: string;
      readonly events: readonly string[];
      readonly errorType?: string;
    }
  | {
      /** The second is the Logs API's. */
      readonly type: "telemetrySubscription" | "logsSubscription";
      readonly name: string;
      readonly state: "Subscribed" | "Already subscribed";
      readonly types: readonly string[];
    }
  | {
      readonly type: "logsDropped";
      readonly droppedBytes: number;
      readonly droppedRecords: number;
      readonly reason: string;
    }
  /** Told by the Logs API alone. */
  | { readonly type: "fault"; readonly message: string };

export interface RuntimeDoneEvent extends Ending {
  readonly type: "runtimeDone";
  readonly requestId: string;
  readonly durationMs: number;
  readonly producedBytes: number;
  readonly traceHeader?: string;
  /** Epoch milliseconds at which the runtime was given the invocation. */
  readonly startedAt: number;
  /** Until the answer began, and until it was all there; absent when none came. */
  readonly responseLatencyMs?: number;
  readonly responseDurationMs?: number;
  /** From the answer until the runtime asked for more. */
  readonly runtimeOverheadMs?: number;
}

export interface ReportEvent extends Ending {
  readonly type: "report";
  readonly requestId: string;
  readonly durationMs: number;
  readonly initDurationMs?: number;
  /** Of the first invocation after a restore: all of it, and what the function's own hooks took of it. */
  readonly restored?: { readonly durationMs: number; readonly hooksMs: number };
  readonly memorySizeMb: number;
  readonly maxMemoryUsedMb: number;
  readonly traceHeader?: string;
  /** From the runtime's return to the last extension's, and the epoch milliseconds at which that began. */
  readonly extensionOverhead?: { readonly startedAt: number; readonly durationMs: number };
}

/** What holds for all events of one environment. */
export interface EventContext {
  readonly initializationType: InitializationType;
  readonly functionName: string;
  readonly functionVersion: string;
  /** The log stream's name. */
  readonly instanceId: string;
  readonly memoryMb: number;
}

const mebibyte = 1_048_576;

/** Milliseconds that AWS would bill: the init phase counts since August 2025. */
export function billedMs(event: Pick<ReportEvent, "durationMs" | "initDurationMs">): number {
  return Math.ceil(Number(((event.initDurationMs ?? 0) + event.durationMs).toFixed(2)));
}

/** What the start of an init phase and that of a restore tell alike. */
function startRecord(
  event: { readonly runtimeVersion?: string; readonly runtimeVersionArn?: string },
  context: EventContext,
) {
  return {
    runtimeVersion: event.runtimeVersion,
    runtimeVersionArn: event.runtimeVersionArn,
    functionName: context.functionName,
    functionVersion: context.functionVersion,
    instanceId: context.instanceId,
    instanceMaxMemory: context.memoryMb * mebibyte,
  };
}

/** The event as a record. https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html */
export function recordOf(event: PlatformEvent, context: EventContext): unknown {
  const failed = "errorType" in event && event.errorType !== undefined ? { errorType: event.errorType } : {};
  const { initializationType } = context;
  switch (event.type) {
    case "initStart":
      return { initializationType, phase: event.phase, ...startRecord(event, context) };
    case "initRuntimeDone":
      return { initializationType, phase: event.phase, status: event.status, ...failed };
    case "initReport": {
      const metrics = { durationMs: round(event.durationMs) };
      return { initializationType, phase: event.phase, status: event.status, ...failed, metrics };
    }
    case "restoreStart":
      return startRecord(event, context);
    case "restoreRuntimeDone":
      return { status: event.status, ...failed };
    case "restoreReport":
      return { status: event.status, ...failed, metrics: { durationMs: round(event.durationMs) } };
    case "start":
      return { requestId: event.requestId, version: event.version, ...tracing(event.traceHeader) };
    case "runtimeDone":
      return {
        requestId: event.requestId,
        status: event.status,
        ...failed,
        ...tracing(event.traceHeader),
        ...runtimeSpans(event),
        metrics: { durationMs: round(event.durationMs), producedBytes: event.producedBytes },
      };
    case "report":
      return {
        requestId: event.requestId,
        status: event.status,
        ...failed,
        ...tracing(event.traceHeader),
        ...extensionSpan(event),
        metrics: metricsOf(event),
      };
    case "fault":
      return event.message;
    default: {
      const { type: _type, ...record } = event;
      return record;
    }
  }
}

function tracing(traceHeader: string | undefined) {
  return traceHeader === undefined || traceHeader === ""
    ? {}
    : { tracing: { type: "X-Amzn-Trace-Id", value: traceHeader } };
}

function runtimeSpans(event: RuntimeDoneEvent) {
  const { startedAt, responseLatencyMs, responseDurationMs = 0, runtimeOverheadMs } = event;
  if (responseLatencyMs === undefined) return {};
  const answeredAt = startedAt + responseLatencyMs;
  const spans = [
    span("responseLatency", startedAt, responseLatencyMs),
    span("responseDuration", answeredAt, responseDurationMs),
  ];
  if (runtimeOverheadMs !== undefined)
    spans.push(span("runtimeOverhead", answeredAt + responseDurationMs, runtimeOverheadMs));
  return { spans };
}

function extensionSpan({ extensionOverhead: overhead }: ReportEvent) {
  return overhead ? { spans: [span("extensionOverhead", overhead.startedAt, overhead.durationMs)] } : {};
}

function span(name: string, startedAt: number, durationMs: number) {
  return { name, start: new Date(startedAt).toISOString(), durationMs: round(durationMs) };
}

function metricsOf(event: ReportEvent): Record<string, number> {
  return {
    durationMs: round(event.durationMs),
    billedDurationMs: billedMs(event),
    memorySizeMB: event.memorySizeMb,
    maxMemoryUsedMB: event.maxMemoryUsedMb,
    ...(event.initDurationMs === undefined ? {} : { initDurationMs: round(event.initDurationMs) }),
    ...(event.restored === undefined
      ? {}
      : {
          restoreDurationMs: round(event.restored.durationMs),
          billedRestoreDurationMs: Math.ceil(event.restored.hooksMs),
        }),
  };
}

function round(milliseconds: number): number {
  return Number(milliseconds.toFixed(3));
}
