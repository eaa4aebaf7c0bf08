/** `responseStream`: a writable stream whose bytes go to the caller while the handler works, no faster than the caller takes them. */
import { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { runtimeError } from "./errors.mjs";

/** What may be sent ahead of the caller, and what a chunk weighs beside its bytes: src/invoke/answer-stream.ts. */
const windowBytes = 524_288;
const chunkWeight = 128;
const chunkBytesMax = 65_536;

export class ResponseStream extends Writable {
  #connection;
  #requestId;
  #contentType = "application/octet-stream";
  #isWritten = false;
  #isStarted = false;
  #hasEnded = false;
  #failure;
  #credit = windowBytes;
  /** What `_write` was given and has not sent yet, and whom to tell when it has. */
  #rest;
  #sent = () => {};

  constructor(connection, requestId, highWaterMark) {
    super(highWaterMark === undefined ? {} : { highWaterMark });
    this.#connection = connection;
    this.#requestId = requestId;
    connection.onCredit = (weight) => {
      this.#credit += weight;
      this.#send();
    };
  }

  setContentType(contentType) {
    if (this.#isWritten)
      throw runtimeError("InvalidStreamingOperation", "Cannot set content-type, too late.");
    this.#contentType = contentType;
  }

  /** What is neither text nor bytes is sent as JSON. */
  write(chunk, encoding, callback) {
    const isBytes = typeof chunk === "string" || chunk instanceof Uint8Array;
    const bytes = isBytes ? chunk : JSON.stringify(chunk);
    // Only a write brings the metadata of an HTTP answer along, `end` does not: as on AWS.
    // oxlint-disable-next-line no-underscore-dangle -- AWS's name, which libraries set
    if (!this.#isWritten) this._onBeforeFirstWrite?.((first) => super.write(first));
    this.#isWritten = true;
    return super.write(bytes, encoding, callback);
  }

  /** Resolves when all of the answer has been sent; rejects when it never will be. */
  finished() {
    return finished(this);
  }

  /**
   * Ends the answer with an error, after what was written before. After `end` it is whole, whatever the handler does then: as on AWS,
   * whose runtime has sent its last bytes by that time.
   */
  async fail(document) {
    if (!this.writableEnded) this.#failure = document;
    if (!this.destroyed && !this.writableFinished)
      await new Promise((resolve) => {
        this.once("close", resolve);
        this.end();
      });
    this.#failure ??= document;
    this.#finish();
  }

  _write(chunk, _encoding, callback) {
    this.#take(chunk, callback);
  }

  _writev(chunks, callback) {
    this.#take(Buffer.concat(chunks.map(({ chunk }) => chunk)), callback);
  }

  _final(callback) {
    if (!this.#failure) this.#start();
    this.#finish();
    callback();
  }

  #take(bytes, callback) {
    this.#rest = bytes;
    this.#sent = callback;
    this.#send();
  }

  /** Sends as much as there is credit for; the rest waits for more of it. */
  #send() {
    if (this.#rest === undefined || this.destroyed) return;
    this.#start();
    while (this.#rest.length > 0) {
      const size = Math.min(this.#rest.length, chunkBytesMax, this.#credit - chunkWeight);
      if (size <= 0) return;
      this.#connection.streamChunk(this.#requestId, this.#rest.subarray(0, size));
      this.#credit -= size + chunkWeight;
      this.#rest = this.#rest.subarray(size);
    }
    this.#rest = undefined;
    this.#sent();
  }

  #start() {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#connection.streamStart(this.#requestId, this.#contentType);
  }

  #finish() {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    if (this.#failure) this.#connection.streamFail(this.#requestId, this.#failure);
    else this.#connection.streamEnd(this.#requestId);
  }
}
