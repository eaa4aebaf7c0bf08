/** What a subscription's destination gets: events of one log stream as JSON, packed by gzip. Pure. */
import { gzipSync } from "node:zlib";

export interface SentEvent {
  /** 56 digits, the event's id in FilterLogEvents too. */
  readonly id: string;
  readonly timestamp: number;
  readonly message: string;
  readonly extractedFields?: Readonly<Record<string, string>>;
}

export interface Envelope {
  /** The account. */
  readonly owner: string;
  readonly logGroup: string;
  readonly logStream: string;
  readonly filterName: string;
}

/** What one message's events count together at most, as CloudWatch Logs counts. */
const MESSAGE_BYTES_MAX = 1_048_576;
/** A function's asynchronous event, with what is around the data. */
const FUNCTION_EVENT_BYTES_MAX = 1_048_576;
/** A record of a stream. */
const RECORD_BYTES_MAX = 1_048_576;
/** Of an event beside its message, in JSON. */
const EVENT_OVERHEAD_BYTES = 120;
/** Lines of logs are alike: more effort makes them little smaller, and holds up the server. */
const GZIP_LEVEL = 3;

export type DestinationKind = "Lambda" | "Kinesis";

export interface Packed {
  readonly body: Buffer;
  /** Of the packed events, without what a function gets around them. */
  readonly compressedBytes: number;
  readonly events: readonly SentEvent[];
}

/**
 * Packs events into as few messages as the destination's limit allows. `tooLarge` are those that do not even fit alone.
 */
export function packEvents(
  kind: DestinationKind,
  envelope: Envelope,
  events: readonly SentEvent[],
): { readonly messages: Packed[]; readonly tooLarge: SentEvent[] } {
  const messages: Packed[] = [];
  const tooLarge: SentEvent[] = [];
  const pack = (some: readonly SentEvent[]): void => {
    const packed = compressed(dataMessage(envelope, some));
    const body = bodyOf(kind, packed);
    if (body.length <= (kind === "Lambda" ? FUNCTION_EVENT_BYTES_MAX : RECORD_BYTES_MAX))
      messages.push({ body, compressedBytes: packed.length, events: some });
    else if (some.length === 1) tooLarge.push(...some);
    else {
      const half = Math.ceil(some.length / 2);
      pack(some.slice(0, half));
      pack(some.slice(half));
    }
  };
  for (const some of bySize(events)) pack(some);
  return { messages, tooLarge };
}

/** What a stream gets once, when a filter is put, so that it shows at once whether it can be written to. */
export function controlMessage(now: number): Buffer {
  const text = "CWL CONTROL MESSAGE: Checking health of destination Kinesis stream.";
  return compressed({
    messageType: "CONTROL_MESSAGE",
    owner: "CloudwatchLogs",
    logGroup: "",
    logStream: "",
    subscriptionFilters: [],
    logEvents: [{ id: "", timestamp: now, message: text }],
  });
}

function dataMessage({ owner, logGroup, logStream, filterName }: Envelope, logEvents: readonly SentEvent[]) {
  return {
    messageType: "DATA_MESSAGE",
    owner,
    logGroup,
    logStream,
    subscriptionFilters: [filterName],
    logEvents,
  };
}

/** A stream gets the packed bytes, a function an event around them. */
function bodyOf(kind: DestinationKind, packed: Buffer): Buffer {
  if (kind === "Kinesis") return packed;
  return Buffer.from(JSON.stringify({ awslogs: { data: packed.toString("base64") } }));
}

function compressed(message: object): Buffer {
  return gzipSync(JSON.stringify(message), { level: GZIP_LEVEL });
}

function* bySize(events: readonly SentEvent[]): Generator<SentEvent[]> {
  let run: SentEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    const size = Buffer.byteLength(event.message) + EVENT_OVERHEAD_BYTES;
    if (run.length > 0 && bytes + size > MESSAGE_BYTES_MAX) {
      yield run;
      [run, bytes] = [[], 0];
    }
    run.push(event);
    bytes += size;
  }
  if (run.length > 0) yield run;
}
