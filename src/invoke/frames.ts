/**
 * The frames that a bootstrap and the server exchange over a Unix socket in /run/lambent.
 *
 * A frame is `u32 length | u8 type | body`, `length` counting type and body; numbers are big endian; a string is
 * `u32 length | UTF-8`; the payload is what is left, untouched bytes.
 *
 *   runtime → server   hello        u8 version, u32 process id       once, first
 *                      ready        of a process booted before it is known what for: it waits to be assigned
 *                      initResult   u8 ok, string errorType, payload  once: ready for work, or the init error
 *                      response     string requestId, payload        the answer; the runtime takes the next invocation
 *                      error        string requestId, string errorType, payload; the runtime takes the next invocation
 *                      fatal        as error; the process is about to exit and takes nothing more
 *                      log          u8 kind (0 bytes as written, 1 a whole record), u8 level, payload
 *                      streamStart  string requestId, string contentType; the answer comes in pieces
 *                      streamChunk  string requestId, payload
 *                      streamEnd    string requestId; the answer is whole
 *                      streamFail   string requestId, string errorType, payload; it is not, whatever came of it before
 *                      snapshot     instead of initResult, of a function with SnapStart: its before-checkpoint hooks have run. The runtime
 *                                   closes this connection and connects anew once it is restored; initResult is about its
 *                                   after-restore hooks then
 *                      next         after streamEnd or streamFail: the runtime takes the next invocation
 *                      recalled     strings requestId; the answer to recall: these will not begin
 *   server → runtime   assign       string working directory, then strings name and value of each environment variable; once, after
 *                                   ready: the process takes this environment for its own and runs the function's init phase
 *                      invoke       f64 deadline (epoch ms), strings requestId, functionArn, traceHeader,
 *                                   clientContext, cognitoIdentity, payload
 *                      credit       u32 weight; more of the streamed answer may be sent
 *                      recall       string requestId; what was handed over behind this one and has not begun is taken back
 *
 * One invocation is under way at a time. A runtime that speaks version 2 may be handed others ahead: it begins them in their order, each
 * when it has written the answer before it and has then looked at its socket once more, so that a recall which was there is not missed. Log frames keep their place among the others, so that what a function wrote
 * before it answered stands before the answer.
 *
 * A streamed answer may be ahead of its caller by the window of answer-stream.ts; each invocation begins with all of it. A chunk weighs
 * its bytes and 128 more, and credit gives weight back. So a caller that reads slowly holds back the answer and not the log, and what
 * waits for it here is bounded.
 */

/** A runtime of version 1 is handed one invocation at a time. */
export const frameVersion = 2;
/** Longest frame that a runtime may send: the largest response and its envelope. A longer response is refused by the bootstrap. */
export const frameBytesMax = 16_777_216;

export const FRAME = {
  hello: 1,
  initResult: 2,
  invoke: 3,
  response: 4,
  error: 5,
  log: 6,
  fatal: 7,
  ready: 8,
  assign: 9,
  streamStart: 16,
  streamChunk: 17,
  streamEnd: 18,
  streamFail: 19,
  next: 20,
  credit: 21,
  recall: 22,
  recalled: 23,
  snapshot: 24,
} as const;

export type RuntimeFrame =
  | { readonly type: "hello"; readonly version: number; readonly pid: number }
  | {
      readonly type: "initResult";
      readonly ok: boolean;
      readonly errorType: string;
      readonly payload: Buffer;
    }
  | { readonly type: "response" | "streamChunk"; readonly requestId: string; readonly payload: Buffer }
  | { readonly type: "streamStart"; readonly requestId: string; readonly contentType: string }
  | { readonly type: "streamEnd"; readonly requestId: string }
  | { readonly type: "next" | "ready" | "snapshot" }
  | { readonly type: "recalled"; readonly requestIds: readonly string[] }
  | {
      readonly type: "error" | "fatal" | "streamFail";
      readonly requestId: string;
      readonly errorType: string;
      readonly payload: Buffer;
    }
  | { readonly type: "log"; readonly record: boolean; readonly level: number; readonly payload: Buffer };

export interface InvokeFrame {
  /** Epoch milliseconds. */
  readonly deadline: number;
  readonly requestId: string;
  readonly functionArn: string;
  readonly traceHeader: string;
  readonly clientContext: string;
  readonly cognitoIdentity: string;
  readonly payload: Buffer;
}

/** Payloads up to this size are copied into the frame, which is cheaper than a second write. */
const copyBytesMax = 65_536;
const headBytes = 5;

export class FrameError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "FrameError";
  }
}

/** The bytes of an invoke frame, to be written one after the other. */
export function encodeInvoke(frame: InvokeFrame): Buffer[] {
  const strings = [
    frame.requestId,
    frame.functionArn,
    frame.traceHeader,
    frame.clientContext,
    frame.cognitoIdentity,
  ];
  let size = headBytes + 8;
  for (const text of strings) size += 4 + Buffer.byteLength(text);
  const copied = frame.payload.length <= copyBytesMax;
  const head = Buffer.allocUnsafe(copied ? size + frame.payload.length : size);
  head.writeUInt32BE(size + frame.payload.length - 4, 0);
  head[4] = FRAME.invoke;
  head.writeDoubleBE(frame.deadline, headBytes);
  let offset = headBytes + 8;
  for (const text of strings) {
    const written = head.write(text, offset + 4);
    head.writeUInt32BE(written, offset);
    offset += 4 + written;
  }
  if (!copied) return [head, frame.payload];
  frame.payload.copy(head, offset);
  return [head];
}

/** The bytes of a frame that makes a process which waits one of a function's. */
export function encodeAssign(
  workingDirectory: string,
  environment: Readonly<Record<string, string>>,
): Buffer {
  const strings = [workingDirectory, ...Object.entries(environment).flat()].map((text) => Buffer.from(text));
  const parts = strings.flatMap((bytes) => {
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32BE(bytes.length, 0);
    return [length, bytes];
  });
  const body = Buffer.concat(parts);
  const head = Buffer.allocUnsafe(headBytes);
  head.writeUInt32BE(body.length + 1, 0);
  head[4] = FRAME.assign;
  return Buffer.concat([head, body]);
}

/** The bytes of a frame that gives a streamed answer more room. */
export function encodeCredit(weight: number): Buffer {
  const frame = Buffer.allocUnsafe(headBytes + 4);
  frame.writeUInt32BE(headBytes, 0);
  frame[4] = FRAME.credit;
  frame.writeUInt32BE(weight, headBytes);
  return frame;
}

/** The bytes of a frame that takes back what was handed over ahead. */
export function encodeRecall(requestId: string): Buffer {
  const id = Buffer.from(requestId);
  const head = Buffer.allocUnsafe(headBytes + 4);
  head.writeUInt32BE(5 + id.length, 0);
  head[4] = FRAME.recall;
  head.writeUInt32BE(id.length, headBytes);
  return Buffer.concat([head, id]);
}

/** Cuts a byte stream into frames. Bytes of a small frame are a view of the chunk that they came in. */
export class FrameReader {
  readonly #emit: (frame: RuntimeFrame) => void;
  #chunks: Buffer[] = [];
  #size = 0;
  /** Bytes that the frame under way needs, its length field included; 0 when not known yet. */
  #needed = 0;
  #isHeld = false;

  constructor(emit: (frame: RuntimeFrame) => void) {
    this.#emit = emit;
  }

  /** @throws FrameError when the peer does not keep to the format. */
  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size >= this.#needed) this.#read();
  }

  /** From the next frame on nothing is emitted, but what was recalled, until `resume`. */
  hold(): void {
    this.#isHeld = true;
  }

  /** What is there is emitted when more comes, or when it is being emitted now. */
  release(): void {
    this.#isHeld = false;
  }

  /** @throws FrameError */
  resume(): void {
    this.#isHeld = false;
    this.#read();
  }

  #read(): void {
    const [first] = this.#chunks;
    if (!first) return;
    let bytes = this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks, this.#size);
    this.#needed = 0;
    while (bytes.length >= 4 && (!this.#isHeld || bytes[4] === FRAME.recalled)) {
      const length = bytes.readUInt32BE(0);
      if (length === 0 || length > frameBytesMax)
        throw new FrameError(`a frame of ${length} bytes; at most ${frameBytesMax} are allowed`);
      if (bytes.length < 4 + length) {
        this.#needed = 4 + length;
        break;
      }
      this.#emit(decode(bytes.subarray(4, 4 + length)));
      bytes = bytes.subarray(4 + length);
    }
    this.#chunks = bytes.length === 0 ? [] : [bytes];
    this.#size = bytes.length;
  }
}

function decode(bytes: Buffer): RuntimeFrame {
  const reader = new Fields(bytes);
  const type = reader.byte();
  switch (type) {
    case FRAME.hello:
      return { type: "hello", version: reader.byte(), pid: reader.integer() };
    case FRAME.initResult:
      return {
        type: "initResult",
        ok: reader.byte() === 1,
        errorType: reader.string(),
        payload: reader.rest(),
      };
    case FRAME.response:
      return { type: "response", requestId: reader.string(), payload: reader.rest() };
    case FRAME.streamChunk:
      return { type: "streamChunk", requestId: reader.string(), payload: reader.rest() };
    case FRAME.streamStart:
      return { type: "streamStart", requestId: reader.string(), contentType: reader.string() };
    case FRAME.streamEnd:
      return { type: "streamEnd", requestId: reader.string() };
    case FRAME.next:
      return { type: "next" };
    case FRAME.recalled:
      return { type: "recalled", requestIds: reader.strings() };
    case FRAME.ready:
      return { type: "ready" };
    case FRAME.snapshot:
      return { type: "snapshot" };
    case FRAME.error:
    case FRAME.fatal:
    case FRAME.streamFail:
      return {
        type: type === FRAME.error ? "error" : type === FRAME.fatal ? "fatal" : "streamFail",
        requestId: reader.string(),
        errorType: reader.string(),
        payload: reader.rest(),
      };
    case FRAME.log:
      return { type: "log", record: reader.byte() === 1, level: reader.byte(), payload: reader.rest() };
    default:
      throw new FrameError(`a frame of unknown type ${type}`);
  }
}

class Fields {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  byte(): number {
    const at = this.#take(1);
    return this.#bytes.readUInt8(at);
  }

  integer(): number {
    const at = this.#take(4);
    return this.#bytes.readUInt32BE(at);
  }

  string(): string {
    const length = this.integer();
    const at = this.#take(length);
    return this.#bytes.toString("utf8", at, at + length);
  }

  strings(): string[] {
    const strings: string[] = [];
    while (this.#offset < this.#bytes.length) strings.push(this.string());
    return strings;
  }

  rest(): Buffer {
    return this.#bytes.subarray(this.#offset);
  }

  #take(length: number): number {
    const at = this.#offset;
    this.#offset += length;
    if (this.#offset > this.#bytes.length) throw new FrameError("a frame that ends inside a field");
    return at;
  }
}
