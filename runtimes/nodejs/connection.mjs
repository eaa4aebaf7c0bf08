/**
 * The bootstrap's end of the frames that src/invoke/frames.ts describes. Writing is synchronous, so that what a function
 * logged is out before it can exit or be frozen.
 */
import { writeSync } from "node:fs";
import { createConnection } from "node:net";

/** May be handed invocations ahead. */
const VERSION = 2;
const FRAME = {
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
};
/** A response above this is not sent, only its size told; the server's own limit is lower. */
const responseBytesMax = 16_000_000;
/** How long a write waits before it tries a full socket again, in milliseconds; doubled up to the second. */
const retryMs = 0.05;
const retryMsMax = 5;

/** Bytes read at once. */
const readBytes = 65_536;

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Connects to the server and says hello. */
export async function connect(path) {
  let connection;
  // Read into one buffer, past the machinery of streams: a frame is nearly always whole in it, and understood at once.
  const onread = {
    buffer: Buffer.allocUnsafe(readBytes),
    callback(length, buffer) {
      connection.take(buffer.subarray(0, length), length === readBytes);
      return true;
    },
  };
  const socket = createConnection({ path, onread });
  await new Promise((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  // Without the server there is no work left.
  socket.on("error", () => process.exit(1));
  socket.on("close", () => process.exit(1));
  connection = new Connection(socket);
  process.on("exit", () => connection.leave());
  connection.hello();
  return connection;
}

export class Connection {
  /** Called with each invocation; set before the first one is asked for. */
  onInvocation = () => {};
  /** Called when a process that waits is assigned to a function. */
  onAssignment = () => {};
  /** Called when a streamed answer may send more, with the weight of it. */
  onCredit = () => {};
  #socket;
  #descriptor;
  /** Copies of what came of a frame that is not whole yet. */
  #chunks = [];
  #size = 0;
  #needed = 4;
  /** Whether an invocation is under way, or the next is about to begin. */
  #isBusy = false;
  /** Invocations that have not begun. */
  #ahead = [];

  constructor(socket) {
    this.#socket = socket;
    // oxlint-disable-next-line no-underscore-dangle -- Node shows a socket's descriptor nowhere else
    this.#descriptor = socket._handle.fd;
    // The function's own work, not this connection, decides whether the process has something to do.
    socket.unref();
  }

  hello() {
    const body = Buffer.alloc(5);
    body.writeUInt8(VERSION, 0);
    body.writeUInt32BE(process.pid, 1);
    this.#send(FRAME.hello, body);
  }

  /** Of a process that was booted before it is known what for: says that it waits, and answers what it is for. */
  async assignment() {
    const assigned = new Promise((resolve) => {
      this.onAssignment = resolve;
    });
    this.ref();
    this.#send(FRAME.ready);
    const assignment = await assigned;
    this.unref();
    return assignment;
  }

  initSucceeded() {
    this.#send(FRAME.initResult, Buffer.from([1]), text(""));
  }

  initFailed({ errorType, payload }) {
    this.#send(FRAME.initResult, Buffer.from([0]), text(errorType), payload);
  }

  respond(requestId, json) {
    const payloadBytes = Buffer.byteLength(json);
    if (payloadBytes <= responseBytesMax) {
      // In one piece: every function that succeeds comes this way.
      const end = 9 + requestId.length;
      const frame = Buffer.allocUnsafe(end + payloadBytes);
      frame.writeUInt32BE(end - 4 + payloadBytes, 0);
      frame[4] = FRAME.response;
      frame.writeUInt32BE(requestId.length, 5);
      frame.latin1Write(requestId, 9);
      frame.utf8Write(json, end);
      this.#write(frame);
      this.#over();
    } else {
      const errorType = "Function.ResponseSizeTooLarge";
      const errorMessage = `Response payload size (${payloadBytes} bytes) exceeded maximum allowed payload size (6291556 bytes).`;
      this.fail(requestId, { errorType, payload: Buffer.from(JSON.stringify({ errorType, errorMessage })) });
    }
  }

  fail(requestId, { errorType, payload }) {
    this.#send(FRAME.error, text(requestId), text(errorType), payload);
    this.#over();
  }

  /** The invocation's error, from a process that is about to exit. */
  failForGood(requestId, { errorType, payload }) {
    this.#send(FRAME.fatal, text(requestId), text(errorType), payload);
  }

  /** The answer comes in pieces. */
  streamStart(requestId, contentType) {
    this.#send(FRAME.streamStart, text(requestId), text(contentType));
  }

  streamChunk(requestId, bytes) {
    this.#send(FRAME.streamChunk, text(requestId), bytes);
  }

  streamEnd(requestId) {
    this.#send(FRAME.streamEnd, text(requestId));
  }

  streamFail(requestId, { errorType, payload }) {
    this.#send(FRAME.streamFail, text(requestId), text(errorType), payload);
  }

  /** After a streamed answer: asks for the next invocation. */
  next() {
    this.#send(FRAME.next);
    this.#over();
  }

  /** An invocation was answered. Before another begins the socket is looked at once more: it may have been recalled. */
  #over() {
    if (this.#ahead.length === 0) this.#isBusy = false;
    else this.#beginAfterLook();
  }

  #beginAfterLook() {
    this.#isBusy = true;
    // Whatever phase of the loop this is, the second immediate comes after a whole look.
    setImmediate(() => setImmediate(() => this.#beginNext()));
  }

  #beginNext() {
    const next = this.#ahead.shift();
    this.#isBusy = next !== undefined;
    if (next) this.onInvocation(next);
  }

  /** @param underWay What the server knows to be under way; it may not have begun here yet. */
  #recall(underWay) {
    this.#giveBack(this.#ahead.findIndex(({ requestId }) => requestId === underWay) + 1);
  }

  #giveBack(from) {
    this.#send(FRAME.recalled, ...this.#ahead.splice(from).map(({ requestId }) => text(requestId)));
  }

  /** The function ends the process: what has not begun may run elsewhere. */
  leave() {
    if (this.#ahead.length > 0) this.#giveBack(0);
  }

  /** @param isRecord A whole record, whose line breaks are part of it; else bytes as the function wrote them. */
  log(isRecord, level, bytes) {
    this.#send(FRAME.log, Buffer.from([isRecord ? 1 : 0, level]), bytes);
  }

  /** Keeps the process alive while it waits for work. */
  ref() {
    this.#socket.ref();
  }

  unref() {
    this.#socket.unref();
  }

  #send(type, ...parts) {
    let length = 1;
    for (const part of parts) length += part.length;
    const head = Buffer.allocUnsafe(5);
    head.writeUInt32BE(length, 0);
    head[4] = type;
    this.#write(Buffer.concat([head, ...parts], length + 4));
  }

  #write(bytes) {
    let wait = retryMs;
    for (let offset = 0; offset < bytes.length;) {
      try {
        offset += writeSync(this.#descriptor, bytes, offset);
        wait = retryMs;
      } catch (error) {
        if (error.code !== "EAGAIN") process.exit(1);
        Atomics.wait(sleeper, 0, 0, wait);
        wait = Math.min(wait * 2, retryMsMax);
      }
    }
  }

  /** Takes bytes that are the caller's again when this returns. @param isMore More may have come than these. */
  take(bytes, isMore) {
    let rest = bytes;
    if (this.#size > 0) {
      this.#keep(bytes);
      if (this.#size < this.#needed) return;
      rest = Buffer.concat(this.#chunks, this.#size);
      this.#chunks = [];
      this.#size = 0;
    }
    this.#needed = 4;
    while (rest.length >= 4) {
      const length = 4 + rest.readUInt32BE(0);
      if (rest.length < length) {
        this.#needed = length;
        break;
      }
      if (rest[4] === FRAME.invoke) this.#ahead.push(decodeInvocation(rest.subarray(5, length)));
      else if (rest[4] === FRAME.recall) this.#recall(rest.toString("utf8", 9, length));
      else if (rest[4] === FRAME.credit) this.onCredit(rest.readUInt32BE(5));
      else if (rest[4] === FRAME.assign) this.onAssignment(decodeAssignment(rest.subarray(5, length)));
      rest = rest.subarray(length);
    }
    if (rest.length > 0) this.#keep(rest);
    // Not before everything that has come is read: there may be a recall in it.
    if (this.#isBusy || this.#ahead.length === 0) return;
    if (isMore) this.#beginAfterLook();
    else this.#beginNext();
  }

  #keep(bytes) {
    this.#chunks.push(Buffer.from(bytes));
    this.#size += bytes.length;
  }
}

function decodeInvocation(bytes) {
  let offset = 8;
  const string = () => {
    const length = bytes.readUInt32BE(offset);
    const value = bytes.toString("utf8", offset + 4, offset + 4 + length);
    offset += 4 + length;
    return value;
  };
  return {
    deadline: bytes.readDoubleBE(0),
    requestId: string(),
    functionArn: string(),
    traceHeader: string(),
    clientContext: string(),
    cognitoIdentity: string(),
    payload: bytes.toString("utf8", offset),
  };
}

function decodeAssignment(bytes) {
  const strings = [];
  for (let offset = 0; offset < bytes.length;) {
    const end = offset + 4 + bytes.readUInt32BE(offset);
    strings.push(bytes.toString("utf8", offset + 4, end));
    offset = end;
  }
  const environment = {};
  for (let at = 1; at < strings.length; at += 2) environment[strings[at]] = strings[at + 1];
  return { workingDirectory: strings[0], environment };
}

function text(value) {
  const bytes = Buffer.from(value);
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32BE(bytes.length, 0);
  return Buffer.concat([length, bytes]);
}
