/** The log stream of one execution environment: lines in order, handed over in batches, off the path of the answer. */
import type { Clock } from "../kit/clock.ts";
import { FramedRecords } from "./framed-records.ts";
import { LineSplitter, characterStart } from "./line-splitter.ts";
import {
  logBatchLinesMax,
  logBurstBytes,
  logBurstLines,
  logBytesPerSecond,
  logBytesWaitingMax,
  logLinesPerSecond,
  logRefillMs,
  logFlushMs,
  logLineBytesMax,
  logTailBytes,
} from "./limits.ts";
import { jsonLine, textLine } from "./log-lines.ts";
import type { EventContext, InitializationType, PlatformEvent, ReportEvent } from "./platform-events.ts";
import { Telemetry } from "./telemetry/telemetry.ts";
import type { FunctionVersion, InvokePorts, LogLine } from "./types.ts";

/** A line whose memory figure is read when it is handed over: reading it costs more than all else of a warm invocation. */
interface LateReport {
  readonly timestamp: number;
  readonly report: Omit<ReportEvent, "maxMemoryUsedMb">;
}
type Entry = LogLine | LateReport;

const dropReason = "The environment wrote more than the log rate allows, or than could be stored meanwhile";

export interface LogStreamDeps {
  readonly version: FunctionVersion;
  readonly ports: InvokePorts;
  readonly clock: Clock;
  /** The name of the stream, as CloudWatch Logs shows it. */
  readonly name: string;
  readonly initializationType: InitializationType;
  /** Peak memory of the environment so far, in MB. */
  memoryMb(): Promise<number>;
}

export class LogStream {
  readonly name: string;
  /** Extensions that hear what is written here too. */
  readonly telemetry: Telemetry;
  readonly #deps: LogStreamDeps;
  readonly #context: EventContext;
  readonly #rate: RateLimit;
  readonly #splitters: LineSplitter[] = [];
  #entries: Entry[] = [];
  #tail: Tail | undefined;
  #timer: NodeJS.Timeout | undefined;
  #handover: Promise<void> = Promise.resolve();
  /** Of the invocation that began last. */
  #traceHeader: string | undefined;

  constructor(deps: LogStreamDeps) {
    this.name = deps.name;
    this.#deps = deps;
    this.#rate = new RateLimit(deps.clock);
    this.#context = {
      initializationType: deps.initializationType,
      functionName: deps.version.functionName,
      functionVersion: deps.version.version,
      instanceId: deps.name,
      memoryMb: deps.version.memoryMb,
    };
    const isJson = deps.version.logFormat === "JSON";
    this.telemetry = new Telemetry({ context: this.#context, isJson, now: () => deps.clock.now() });
  }

  /** The same for an output that has framed records too, each of which is one event. */
  framedOutput(): { write(chunk: Buffer): void; end(): void } {
    const lines = this.output();
    const records = new FramedRecords(logLineBytesMax, {
      plain: (chunk) => lines.write(chunk),
      record: (payload) => {
        lines.end();
        this.record(payload);
      },
    });
    return {
      write: (chunk) => records.push(chunk),
      end() {
        records.end();
        lines.end();
      },
    };
  }

  /** A sink for the bytes of an output stream of the function or of its extensions; every line becomes one event. */
  output(kind: "function" | "extension" = "function"): { write(chunk: Buffer): void; end(): void } {
    const splitter = new LineSplitter(logLineBytesMax, (line) => this.#written(kind, line));
    this.#splitters.push(splitter);
    return { write: (chunk) => splitter.push(chunk), end: () => splitter.end() };
  }

  /** What was written without a line feed becomes a line now: what follows belongs to another invocation. */
  breakLines(): void {
    for (const splitter of this.#splitters) splitter.end();
  }

  /** One record that the runtime framed; its line breaks stay. */
  record(payload: Buffer): void {
    let rest = payload;
    while (rest.length > logLineBytesMax) {
      const end = characterStart(rest, logLineBytesMax);
      this.#written("function", rest.subarray(0, end));
      rest = rest.subarray(end);
    }
    this.#written("function", rest);
  }

  /** Whether anybody is told what the Text format leaves out. */
  get tellsMore(): boolean {
    return this.telemetry.isHeard || this.#deps.version.logFormat === "JSON";
  }

  platform(event: PlatformEvent): void {
    // Told before the END of the invocation that wrote it.
    if (event.type !== "logsDropped") this.#noteDropped();
    if (event.type === "start") this.#traceHeader = event.traceHeader;
    const timestamp = this.#deps.clock.now();
    if (this.telemetry.isHeard) this.telemetry.platform(event, timestamp);
    const message = this.#render(event, timestamp);
    if (message !== undefined) this.#add({ timestamp, message });
  }

  report(report: Omit<ReportEvent, "maxMemoryUsedMb">): void {
    const timestamp = this.#deps.clock.now();
    this.#add({ timestamp, report });
    if (this.telemetry.hasSubscribers) void this.#tellReport(report, timestamp);
  }

  async #tellReport(report: Omit<ReportEvent, "maxMemoryUsedMb">, timestamp: number): Promise<void> {
    const maxMemoryUsedMb = await this.#deps.memoryMb();
    this.telemetry.platform({ ...report, maxMemoryUsedMb }, timestamp);
  }

  /** From now on what is written is kept for `takeTail` too. */
  beginTail(): void {
    this.#tail = new Tail();
  }

  /** The last 4 KB written since `beginTail`. */
  async takeTail(): Promise<Buffer> {
    const entries = this.#tail?.entries() ?? [];
    this.#tail = undefined;
    const memoryMb = await this.#deps.memoryMb();
    const text = entries.map((entry) => this.#line(entry, memoryMb)?.message ?? "").join("");
    const bytes = Buffer.from(text);
    return bytes.length > logTailBytes ? bytes.subarray(bytes.length - logTailBytes) : bytes;
  }

  /** Hands over everything written so far. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#noteDropped();
    if (this.#entries.length > 0) {
      const entries = this.#entries;
      this.#entries = [];
      this.#handover = this.#handover.then(() => this.#write(entries));
    }
    return this.#handover;
  }

  async #write(entries: readonly Entry[]): Promise<void> {
    const late = entries.some((entry) => "report" in entry);
    const memoryMb = late ? await this.#deps.memoryMb() : 0;
    const lines = entries.map((entry) => this.#line(entry, memoryMb)).filter((line) => line !== undefined);
    this.#deps.ports.writeLogs(this.#deps.version, this.name, lines, this.#traceHeader);
  }

  #written(kind: "function" | "extension", line: Buffer): void {
    const isRoom = this.#deps.ports.logBytesWaiting() < logBytesWaitingMax;
    if (!this.#rate.allows(line.length, isRoom)) return;
    this.#noteDropped();
    const message = line.toString("utf8");
    const timestamp = this.#deps.clock.now();
    if (this.telemetry.isHeard) this.telemetry.line(kind, message, timestamp);
    if (kind === "function" && this.#isFilteredOut(message)) return;
    this.#add({ timestamp, message });
  }

  /** With the JSON format, lines that are JSON objects themselves are filtered by their `level`. */
  #isFilteredOut(message: string): boolean {
    const { logFormat, applicationLogLevel } = this.#deps.version;
    if (logFormat !== "JSON" || !message.startsWith("{")) return false;
    return rankOfLine(message) < LEVEL_RANK[applicationLogLevel ?? "INFO"];
  }

  #add(entry: Entry): void {
    this.#entries.push(entry);
    this.#tail?.add(entry);
    if (this.#entries.length >= logBatchLinesMax) void this.flush();
    else this.#timer ??= setTimeout(() => void this.flush(), logFlushMs);
  }

  #noteDropped(): void {
    const dropped = this.#rate.takeDropped();
    if (dropped) this.platform({ type: "logsDropped", ...dropped, reason: dropReason });
  }

  #line(entry: Entry, memoryMb: number): LogLine | undefined {
    if ("message" in entry) return entry;
    const message = this.#render({ ...entry.report, maxMemoryUsedMb: memoryMb }, entry.timestamp);
    return message === undefined ? undefined : { timestamp: entry.timestamp, message };
  }

  #render(event: PlatformEvent, time: number): string | undefined {
    const { logFormat, systemLogLevel } = this.#deps.version;
    return logFormat === "JSON"
      ? jsonLine(event, time, systemLogLevel ?? "INFO", this.#context)
      : textLine(event, this.#context.initializationType);
  }
}

const LEVEL_RANK = {
  TRACE: 0,
  DEBUG: 1,
  INFO: 2,
  WARN: 3,
  WARNING: 3,
  ERROR: 4,
  FATAL: 5,
  CRITICAL: 5,
} as const;

/** AWS takes a line without a valid level for INFO. */
function rankOfLine(message: string): number {
  try {
    const level = String((JSON.parse(message) as { level?: unknown }).level).toUpperCase();
    return level in LEVEL_RANK ? LEVEL_RANK[level as keyof typeof LEVEL_RANK] : LEVEL_RANK.INFO;
  } catch {
    // Plain text that happens to begin with a brace is never filtered.
    return LEVEL_RANK.FATAL;
  }
}

/** Keeps only entries that may reach into the last 4 KB; a REPORT line counts as nothing, which keeps more, never less. */
class Tail {
  #older: Entry[] = [];
  #newer: Entry[] = [];
  #newerChars = 0;

  /** Lets go of what is too old in one go, once there is enough behind it: a flood of short lines must stay cheap. */
  add(entry: Entry): void {
    this.#newer.push(entry);
    this.#newerChars += "message" in entry ? entry.message.length : 0;
    if (this.#newerChars < logTailBytes) return;
    this.#older = this.#newer;
    this.#newer = [];
    this.#newerChars = 0;
  }

  entries(): readonly Entry[] {
    return [...this.#older, ...this.#newer];
  }
}

/** A bucket of bytes and of lines that refills with time; what does not fit is counted. */
class RateLimit {
  readonly #clock: Clock;
  #bytes = logBurstBytes;
  #lines = logBurstLines;
  #at: number;
  #droppedBytes = 0;
  #droppedRecords = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#at = clock.now();
  }

  /** Whether a line of this length may be kept; never, where there is no room for it. */
  allows(bytes: number, isRoom: boolean): boolean {
    if (this.#bytes < bytes || this.#lines < 1) this.#refill();
    if (isRoom && this.#bytes >= bytes && this.#lines >= 1) {
      this.#bytes -= bytes;
      this.#lines -= 1;
      return true;
    }
    this.#droppedBytes += bytes;
    this.#droppedRecords += 1;
    return false;
  }

  takeDropped(): { droppedBytes: number; droppedRecords: number } | undefined {
    if (this.#droppedRecords === 0) return undefined;
    const dropped = { droppedBytes: this.#droppedBytes, droppedRecords: this.#droppedRecords };
    this.#droppedBytes = 0;
    this.#droppedRecords = 0;
    return dropped;
  }

  #refill(): void {
    const now = this.#clock.now();
    const seconds = (now - this.#at) / 1000;
    if (seconds * 1000 < logRefillMs) return;
    this.#bytes = Math.min(logBurstBytes, this.#bytes + seconds * logBytesPerSecond);
    this.#lines = Math.min(logBurstLines, this.#lines + seconds * logLinesPerSecond);
    this.#at = now;
  }
}

/** The name of a new stream: `YYYY/MM/DD/[version]<32 hex>`, in UTC; with a log group of the function's own, its name comes first. */
export function streamName(version: FunctionVersion, now: number, hex: string): string {
  const day = new Date(now).toISOString().slice(0, 10).replaceAll("-", "/");
  const own = version.logGroup === `/aws/lambda/${version.functionName}` ? "" : version.functionName;
  return `${day}/${own}[${version.version}]${hex}`;
}
