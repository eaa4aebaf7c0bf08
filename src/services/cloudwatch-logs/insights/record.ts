/** One row on its way through a query: an event of a log, or what `stats` made. */
import { lambdaField } from "./lambda-fields.ts";
import { Json, Stamp, fromJson, partOf } from "./values.ts";
import type { Value } from "./values.ts";

/** An event as a query sees it. */
export interface QueriedEvent {
  readonly at: number;
  readonly ingestedAt: number;
  readonly message: string;
  readonly logStream: string;
  /** `account:group` */
  readonly log: string;
  /** What GetLogRecord takes. */
  readonly pointer: string;
}

/** What a record takes beside its texts, in bytes. */
const OVERHEAD_BYTES = 300;

export class Record {
  readonly event: QueriedEvent | undefined;
  readonly #computed = new Map<string, Value>();
  #json: object | undefined | null;

  constructor(event?: QueriedEvent) {
    this.event = event;
  }

  set(name: string, value: Value): void {
    this.#computed.set(name, value);
  }

  get(name: string): Value {
    if (this.#computed.has(name)) return this.#computed.get(name);
    if (name.startsWith("@")) {
      const own = this.#automatic(name);
      if (own !== undefined) return own;
    }
    return this.#partOfComputed(name) ?? fromJson(partOf(this.#parsed(), name));
  }

  /** Another with the same fields. */
  copy(): Record {
    const copy = new Record(this.event);
    for (const [name, value] of this.#computed) copy.#computed.set(name, value);
    return copy;
  }

  /** Forgets what can be found again, before the record is kept. */
  release(): void {
    this.#json = undefined;
  }

  /** About what it takes in memory. */
  get bytes(): number {
    let bytes = OVERHEAD_BYTES + (this.event?.message.length ?? 0);
    for (const [name, value] of this.#computed)
      bytes += name.length + (typeof value === "string" ? value.length : 8);
    return bytes;
  }

  #automatic(name: string): Value {
    const { event } = this;
    if (!event) return undefined;
    switch (name) {
      case "@timestamp":
        return new Stamp(event.at);
      case "@ingestionTime":
        return new Stamp(event.ingestedAt);
      case "@message":
        return event.message;
      case "@logStream":
        return event.logStream;
      case "@log":
        return event.log;
      case "@ptr":
        return event.pointer;
      default:
        return lambdaField(name, event.message);
    }
  }

  /** `parsed.user` where `parsed` was computed by jsonParse. */
  #partOfComputed(name: string): Value {
    for (let dot = name.lastIndexOf("."); dot > 0; dot = name.lastIndexOf(".", dot - 1)) {
      const value = this.#computed.get(name.slice(0, dot));
      if (value instanceof Json) return fromJson(partOf(value.value, name.slice(dot + 1)));
    }
    return undefined;
  }

  #parsed(): object | null {
    this.#json ??= this.event ? findJson(this.event) : null;
    return this.#json;
  }
}

/** The object that a message is; in functions' logs also the first that stands in it. */
export function findJson({ message, log }: Pick<QueriedEvent, "message" | "log">): object | null {
  const start = message.search(/\S/);
  const isWhole = message[start] === "{";
  if (!isWhole && !isFunctionLine(message, log)) return null;
  const from = isWhole ? start : message.indexOf("{");
  if (from < 0) return null;
  const end = isWhole ? message.length : endOfObject(message, from);
  try {
    const found: unknown = JSON.parse(message.slice(from, end));
    return typeof found === "object" ? found : null;
  } catch {
    return null;
  }
}

function isFunctionLine(message: string, log: string): boolean {
  return (
    log.includes(":/aws/lambda/") || /^(\[\w+\]\t)?\d{4}-\d\d-\d\dT[\d:.]+Z\t[0-9a-f-]{36}\t/.test(message)
  );
}

function endOfObject(text: string, from: number): number {
  let depth = 0;
  let inText = false;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (inText) {
      if (character === "\\") at++;
      else if (character === '"') inText = false;
    } else if (character === '"') inText = true;
    else if (character === "{") depth++;
    else if (character === "}" && --depth === 0) return at + 1;
  }
  return text.length;
}
