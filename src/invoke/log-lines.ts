/** The platform's own log lines: START, END, REPORT and their kin, as text or as JSON. */
import { billedMs, recordOf } from "./platform-events.ts";
import type {
  EventContext,
  InitializationType,
  PlatformEvent,
  ReportEvent,
  Status,
} from "./platform-events.ts";

const RANK = { DEBUG: 0, INFO: 1, WARN: 2 } as const;

/** The line of an event in the Text format; undefined for what this format does not tell. */
export function textLine(event: PlatformEvent, initializationType: InitializationType): string | undefined {
  switch (event.type) {
    case "initStart":
      // That a failed init phase is run again inside an invocation shows in its duration alone.
      if (event.phase === "invoke" || event.runtimeVersion === undefined) return undefined;
      return `INIT_START Runtime Version: ${event.runtimeVersion}\tRuntime Version ARN: ${event.runtimeVersionArn}\n`;
    case "initReport":
      if (event.status === "success" && initializationType === "on-demand") return undefined;
      return `INIT_REPORT Init Duration: ${event.durationMs.toFixed(2)} ms\tPhase: ${event.phase}\t${statusText(event)}\n`;
    case "restoreStart":
      return `RESTORE_START Runtime Version: ${event.runtimeVersion}\tRuntime Version ARN: ${event.runtimeVersionArn}\n`;
    case "restoreReport":
      return `RESTORE_REPORT Restore Duration: ${event.durationMs.toFixed(2)} ms\t${statusText(event)}\n`;
    case "start":
      return `START RequestId: ${event.requestId} Version: ${event.version}\n`;
    case "end":
      return `END RequestId: ${event.requestId}\n`;
    case "report":
      return reportText(event);
    case "extension":
      return `EXTENSION\tName: ${event.name}\tState: ${event.state}\tEvents: [${event.events.join(", ")}]${event.errorType === undefined ? "" : `\tError Type: ${event.errorType}`}\n`;
    case "telemetrySubscription":
    case "logsSubscription":
      return `${event.type === "logsSubscription" ? "LOGS" : "TELEMETRY"}\tName: ${event.name}\tState: ${event.state}\tTypes: [${event.types.map(capitalized).join(", ")}]\n`;
    case "logsDropped":
      return `LOGS_DROPPED Dropped Bytes: ${event.droppedBytes}\tDropped Records: ${event.droppedRecords}\tReason: ${event.reason}\n`;
    default:
      return undefined;
  }
}

/** The line of an event in the JSON format; undefined when the system log level or the format leaves it out. */
export function jsonLine(
  event: PlatformEvent,
  time: number,
  level: keyof typeof RANK,
  context: EventContext,
): string | undefined {
  if (event.type === "end" || event.type === "fault") return undefined;
  if (RANK[levelOf(event, context.initializationType)] < RANK[level]) return undefined;
  return `${JSON.stringify({
    time: new Date(time).toISOString(),
    type: `platform.${event.type}`,
    record: recordOf(event, context),
  })}\n`;
}

function reportText(event: ReportEvent): string {
  const init =
    event.initDurationMs === undefined ? "" : `Init Duration: ${event.initDurationMs.toFixed(2)} ms\t`;
  const restored =
    event.restored === undefined
      ? ""
      : `Restore Duration: ${event.restored.durationMs.toFixed(2)} ms\tBilled Restore Duration: ${Math.ceil(event.restored.hooksMs)} ms\t`;
  return (
    `REPORT RequestId: ${event.requestId}\tDuration: ${event.durationMs.toFixed(2)} ms\t` +
    `Billed Duration: ${billedMs(event)} ms\tMemory Size: ${event.memorySizeMb} MB\t` +
    `Max Memory Used: ${event.maxMemoryUsedMb} MB\t${init}${restored}${statusText(event)}\n`
  );
}

function statusText(event: { readonly status: Status; readonly errorType?: string }): string {
  if (event.status === "success") return "";
  return event.errorType === undefined
    ? `Status: ${event.status}`
    : `Status: ${event.status}\tError Type: ${event.errorType}`;
}

/** https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html */
function levelOf(event: PlatformEvent, initializationType: InitializationType): keyof typeof RANK {
  switch (event.type) {
    case "initStart":
    case "restoreStart":
    case "start":
    case "telemetrySubscription":
    case "logsSubscription":
      return "INFO";
    case "initReport":
      if (event.status !== "success") return "WARN";
      return initializationType === "on-demand" ? "DEBUG" : "INFO";
    case "initRuntimeDone":
    case "restoreRuntimeDone":
    case "runtimeDone":
      return event.status === "success" ? "DEBUG" : "WARN";
    case "report":
    case "restoreReport":
      return event.status === "success" ? "INFO" : "WARN";
    case "extension":
      return event.errorType === undefined ? "INFO" : "WARN";
    default:
      return "WARN";
  }
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
