/** The telemetry of one execution environment: who subscribed to it, and what each is told. */
import { recordOf } from "../platform-events.ts";
import type { EventContext, PlatformEvent } from "../platform-events.ts";
import { openDelivery } from "./delivery.ts";
import { backlogBytesMax, backlogItemsMax } from "./limits.ts";
import { Subscriber } from "./subscriber.ts";
import type { Schema, Subscription, TelemetryType } from "./subscription.ts";

/** What is told; a line of the function or of an extension, or an event of the platform's. */
type Told =
  | { readonly kind: "platform"; readonly time: number; readonly event: PlatformEvent }
  | { readonly kind: "function" | "extension"; readonly time: number; readonly line: string };

export interface TelemetryDeps {
  readonly context: EventContext;
  /** Lines of a function with the JSON log format are told as the objects that they are. */
  readonly isJson: boolean;
  now(): number;
}

const slowReason = "Consumer seems to have fallen behind as it has not acknowledged receipt of logs.";

export class Telemetry {
  readonly #deps: TelemetryDeps;
  /** By the extension's name: a subscription outlives a reset of the environment, as on AWS. */
  readonly #subscribers = new Map<string, Subscriber>();
  /** What was told in the init phase so far; undefined once nobody can subscribe any more. */
  #backlog: Told[] | undefined = [];
  #backlogBytes = 0;

  constructor(deps: TelemetryDeps) {
    this.#deps = deps;
  }

  /** Whether anybody hears what is told now, or may hear it later. */
  get isHeard(): boolean {
    return this.#subscribers.size > 0 || this.#backlog !== undefined;
  }

  get hasSubscribers(): boolean {
    return this.#subscribers.size > 0;
  }

  /** Whether an init phase is under way, the only time for a subscription. */
  get isOpen(): boolean {
    return this.#backlog !== undefined;
  }

  /** Another init phase begins. */
  open(): void {
    this.#backlog ??= [];
  }

  /** The init phase is over. */
  closeSubscriptions(): void {
    this.#backlog = undefined;
    this.#backlogBytes = 0;
  }

  platform(event: PlatformEvent, time: number): void {
    this.#tell({ kind: "platform", time, event }, 200);
  }

  line(kind: "function" | "extension", line: string, time: number): void {
    this.#tell({ kind, time, line }, line.length);
  }

  /** The schema by which an extension has subscribed; undefined when it has not. */
  schemaOf(extension: string): Schema | undefined {
    return this.#subscribers.get(extension)?.subscription.schema;
  }

  /** A second subscription of an extension takes the place of its first, with all that waits. @param address The sandbox's. */
  subscribe(extension: string, subscription: Subscription, address: string): void {
    const before = this.#subscribers.get(extension);
    const subscriber = new Subscriber({
      subscription,
      delivery: openDelivery(address, subscription.destination),
      dropReport: (dropped) =>
        this.#render(
          {
            kind: "platform",
            time: this.#deps.now(),
            event: { type: "logsDropped", ...dropped, reason: slowReason },
          },
          subscription.schema,
        ) ?? "",
    });
    this.#subscribers.set(extension, subscriber);
    if (before) for (const event of before.close()) subscriber.push(event);
    else for (const told of this.#backlog ?? []) this.#give(subscriber, told);
  }

  /** The sandbox is frozen, and takes nothing. */
  pause(): void {
    for (const subscriber of this.#subscribers.values()) subscriber.pause();
  }

  resume(): void {
    for (const subscriber of this.#subscribers.values()) subscriber.resume();
  }

  /** Resolves when everything told so far was handed over or given up. */
  async flush(): Promise<void> {
    await Promise.all([...this.#subscribers.values()].map((subscriber) => subscriber.flush()));
  }

  close(): void {
    for (const subscriber of this.#subscribers.values()) subscriber.close();
    this.#subscribers.clear();
    this.closeSubscriptions();
  }

  #tell(told: Told, bytes: number): void {
    if (
      this.#backlog &&
      this.#backlog.length < backlogItemsMax &&
      this.#backlogBytes + bytes <= backlogBytesMax
    ) {
      this.#backlog.push(told);
      this.#backlogBytes += bytes;
    }
    for (const subscriber of this.#subscribers.values()) this.#give(subscriber, told);
  }

  #give(subscriber: Subscriber, told: Told): void {
    const { types, schema } = subscriber.subscription;
    if (!types.includes(told.kind satisfies TelemetryType)) return;
    const text = this.#render(told, schema);
    if (text !== undefined) subscriber.push(text);
  }

  #render(told: Told, schema: Schema): string | undefined {
    const time = new Date(told.time).toISOString();
    if (told.kind !== "platform")
      return JSON.stringify({
        time,
        type: told.kind,
        record: this.#lineRecord(told.line, told.kind, schema),
      });
    const record = isOfLogsApi(schema)
      ? logsRecord(told.event, schema, this.#deps.context)
      : telemetryRecord(told.event, schema, this.#deps.context);
    return record === undefined
      ? undefined
      : JSON.stringify({ time, type: `platform.${told.event.type}`, record });
  }

  #lineRecord(line: string, kind: TelemetryType, schema: Schema): unknown {
    if (kind !== "function" || !this.#deps.isJson || isOfLogsApi(schema) || schema === "2022-07-01")
      return line;
    try {
      const value: unknown = JSON.parse(line);
      return typeof value === "object" && value !== null ? value : line;
    } catch {
      return line;
    }
  }
}

export function isOfLogsApi(schema: Schema): boolean {
  return schema === "2020-08-15" || schema === "2021-03-18";
}

/** Undefined for what the Telemetry API does not tell. */
function telemetryRecord(event: PlatformEvent, schema: Schema, context: EventContext): unknown {
  switch (event.type) {
    case "end":
    case "fault":
    case "logsSubscription":
      return undefined;
    case "initStart": {
      // The first schema did not know the function.
      const { initializationType } = context;
      const { type: _type, ...early } = event;
      return schema === "2022-07-01" ? { initializationType, ...early } : recordOf(event, context);
    }
    default:
      return recordOf(event, context);
  }
}

/** Undefined for what the Logs API does not tell. https://docs.aws.amazon.com/lambda/latest/dg/runtimes-logs-api.html */
function logsRecord(event: PlatformEvent, schema: Schema, context: EventContext): unknown {
  switch (event.type) {
    case "initStart":
    case "initRuntimeDone":
    case "initReport":
    case "telemetrySubscription":
      return undefined;
    case "start":
      return { requestId: event.requestId, version: event.version };
    case "runtimeDone":
      if (schema === "2020-08-15") return undefined;
      return { requestId: event.requestId, status: event.status === "error" ? "failure" : event.status };
    case "report": {
      const { metrics } = recordOf(event, context) as { metrics: unknown };
      return { requestId: event.requestId, metrics };
    }
    default:
      return recordOf(event, context);
  }
}
