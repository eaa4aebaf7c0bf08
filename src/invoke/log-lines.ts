/** The platform's own log lines: START, END, REPORT and their kin, as text or as JSON. */

/** What the platform tells about an environment, in the words of the Telemetry API. */
export type PlatformEvent =
  | { readonly type: "initStart"; readonly runtimeVersion: string; readonly runtimeVersionArn: string }
  | {
      readonly type: "initReport";
      readonly durationMs: number;
      readonly phase: "init" | "invoke";
      readonly status: Status;
      readonly errorType?: string;
    }
  | { readonly type: "start"; readonly requestId: string; readonly version: string }
  | {
      readonly type: "runtimeDone";
      readonly requestId: string;
      readonly status: Status;
      readonly errorType?: string;
      readonly durationMs: number;
      readonly producedBytes: number;
    }
  | ReportEvent
  | { readonly type: "logsDropped"; readonly droppedBytes: number; readonly droppedRecords: number };

export interface ReportEvent {
  readonly type: "report";
  readonly requestId: string;
  readonly durationMs: number;
  readonly initDurationMs?: number;
  readonly memorySizeMb: number;
  readonly maxMemoryUsedMb: number;
  readonly status: Status;
  readonly errorType?: string;
}

export type Status = "success" | "error" | "timeout";

const RANK = { DEBUG: 0, INFO: 1, WARN: 2 } as const;
const DROP_REASON = "The environment wrote more than the log rate allows";

/** Milliseconds that AWS would bill: the init phase counts since August 2025. */
export function billedMs(event: Pick<ReportEvent, "durationMs" | "initDurationMs">): number {
  return Math.ceil(Number(((event.initDurationMs ?? 0) + event.durationMs).toFixed(2)));
}

/** The line of an event in the Text format; undefined for what this format does not tell. */
export function textLine(event: PlatformEvent): string | undefined {
  switch (event.type) {
    case "initStart":
      return `INIT_START Runtime Version: ${event.runtimeVersion}\tRuntime Version ARN: ${event.runtimeVersionArn}\n`;
    case "initReport":
      if (event.status === "success") return undefined;
      return `INIT_REPORT Init Duration: ${event.durationMs.toFixed(2)} ms\tPhase: ${event.phase}\t${statusText(event)}\n`;
    case "start":
      return `START RequestId: ${event.requestId} Version: ${event.version}\n`;
    case "runtimeDone":
      return `END RequestId: ${event.requestId}\n`;
    case "report":
      return reportText(event);
    default:
      return `LOGS_DROPPED Dropped Bytes: ${event.droppedBytes}\tDropped Records: ${event.droppedRecords}\tReason: ${DROP_REASON}\n`;
  }
}

/** The line of an event in the JSON format; undefined when the system log level leaves it out. */
export function jsonLine(event: PlatformEvent, time: number, level: keyof typeof RANK): string | undefined {
  if (RANK[levelOf(event)] < RANK[level]) return undefined;
  return `${JSON.stringify({
    time: new Date(time).toISOString(),
    type: `platform.${event.type}`,
    record: recordOf(event),
  })}\n`;
}

function reportText(event: ReportEvent): string {
  const init =
    event.initDurationMs === undefined ? "" : `Init Duration: ${event.initDurationMs.toFixed(2)} ms\t`;
  return (
    `REPORT RequestId: ${event.requestId}\tDuration: ${event.durationMs.toFixed(2)} ms\t` +
    `Billed Duration: ${billedMs(event)} ms\tMemory Size: ${event.memorySizeMb} MB\t` +
    `Max Memory Used: ${event.maxMemoryUsedMb} MB\t${init}${statusText(event)}\n`
  );
}

function statusText(event: { readonly status: Status; readonly errorType?: string }): string {
  if (event.status === "success") return "";
  return event.errorType === undefined
    ? `Status: ${event.status}`
    : `Status: ${event.status}\tError Type: ${event.errorType}`;
}

function levelOf(event: PlatformEvent): keyof typeof RANK {
  switch (event.type) {
    case "initStart":
    case "start":
      return "INFO";
    case "initReport":
    case "runtimeDone":
      return event.status === "success" ? "DEBUG" : "WARN";
    case "report":
      return event.status === "success" ? "INFO" : "WARN";
    default:
      return "WARN";
  }
}

function recordOf(event: PlatformEvent): Record<string, unknown> {
  const failed = "errorType" in event && event.errorType !== undefined ? { errorType: event.errorType } : {};
  switch (event.type) {
    case "initStart":
      return {
        initializationType: "on-demand",
        phase: "init",
        runtimeVersion: event.runtimeVersion,
        runtimeVersionArn: event.runtimeVersionArn,
      };
    case "initReport":
      return {
        initializationType: "on-demand",
        phase: event.phase,
        status: event.status,
        ...failed,
        metrics: { durationMs: round(event.durationMs) },
      };
    case "start":
      return { requestId: event.requestId, version: event.version };
    case "runtimeDone":
      return {
        requestId: event.requestId,
        status: event.status,
        ...failed,
        metrics: { durationMs: round(event.durationMs), producedBytes: event.producedBytes },
      };
    case "report":
      return { requestId: event.requestId, status: event.status, ...failed, metrics: metricsOf(event) };
    default:
      return { droppedBytes: event.droppedBytes, droppedRecords: event.droppedRecords, reason: DROP_REASON };
  }
}

function metricsOf(event: ReportEvent): Record<string, number> {
  return {
    durationMs: round(event.durationMs),
    billedDurationMs: billedMs(event),
    memorySizeMB: event.memorySizeMb,
    maxMemoryUsedMB: event.maxMemoryUsedMb,
    ...(event.initDurationMs === undefined ? {} : { initDurationMs: round(event.initDurationMs) }),
  };
}

function round(milliseconds: number): number {
  return Number(milliseconds.toFixed(3));
}
