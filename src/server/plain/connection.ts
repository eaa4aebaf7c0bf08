/**
 * One HTTP/1.1 connection that carries plain requests, one after the other. What AWS's tools send is nearly always plain, and
 * node:http costs several times as much for it as reading a head and writing an answer; the first request that is not plain takes
 * its connection to node:http, where it stays.
 */
import type { Socket } from "node:net";
import { CallerPresence } from "../../aws/index.ts";
import type { Answer, RequestHead } from "../../aws/index.ts";
import { afterTurn } from "../../kit/after-turn.ts";
import { readPlainHead } from "./request-head.ts";
import type { PlainHead } from "./request-head.ts";
import { writeAnswer } from "./write-answer.ts";

/** Answers plain requests; undefined for one that it leaves to node:http. */
export type PlainHandler = (
  head: RequestHead,
  body: Buffer,
  caller: CallerPresence,
  sourceIp: string | undefined,
) => Promise<Answer> | undefined;

interface Deps {
  readonly handler: PlainHandler;
  readonly keepAliveMs: number;
  /** Takes the connection over, with the bytes that were read and belong to the request that is not plain. */
  handOver(socket: Socket, bytes: Buffer): void;
}

/** Bytes of further requests that are read while one is being answered. */
const AHEAD_BYTES_MAX = 64 * 1024;
const NOTHING = Buffer.alloc(0);

export class PlainConnection {
  readonly #socket: Socket;
  readonly #deps: Deps;
  /** What came and is not yet part of a request. */
  #parts: Buffer[] = [];
  #size = 0;
  /** The head of the request whose body is still coming. */
  #head: PlainHead | undefined;
  /** Present while a request is being answered. */
  #caller: CallerPresence | undefined;
  #isClosing = false;

  constructor(socket: Socket, deps: Deps) {
    this.#socket = socket;
    this.#deps = deps;
    socket.on("data", this.#onData);
    socket.once("end", this.#onEnd);
    socket.once("close", this.#onClose);
    socket.setTimeout(deps.keepAliveMs, this.#onTimeout);
  }

  /** Begins with what was read already. */
  begin(bytes: Buffer): void {
    this.#onData(bytes);
  }

  /** Closes it now where nothing is being answered, else after the answer. */
  close(): void {
    this.#isClosing = true;
    if (!this.#caller) this.#socket.destroy();
  }

  readonly #onData = (bytes: Buffer): void => {
    this.#parts.push(bytes);
    this.#size += bytes.length;
    if (!this.#caller) this.#next();
    else if (this.#size > AHEAD_BYTES_MAX) this.#socket.pause();
  };

  /** A caller that says no more does not wait either, as node:http has it. */
  readonly #onEnd = (): void => {
    this.#socket.destroy();
  };

  readonly #onClose = (): void => {
    this.#caller?.leave();
  };

  /** Neither a caller that rests nor one that stops in the middle of a request holds a connection for ever. */
  readonly #onTimeout = (): void => {
    if (!this.#caller) this.#socket.destroy();
  };

  /** Takes the next request, when all of it is here. */
  #next(): void {
    if (this.#size < (this.#head ? this.#head.end + this.#head.bodyBytes : 1)) return;
    const bytes = this.#parts.length === 1 ? (this.#parts[0] ?? NOTHING) : Buffer.concat(this.#parts);
    const head = this.#head ?? readPlainHead(bytes);
    if (!head) return this.#leave(bytes);
    const end = head.end + head.bodyBytes;
    if (bytes.length < end) {
      this.#head = head;
      this.#keep(bytes);
      return;
    }
    this.#head = undefined;
    const caller = new CallerPresence();
    const body = head.bodyBytes === 0 ? NOTHING : bytes.subarray(head.end, end);
    const answer = this.#deps.handler(head, body, caller, this.#socket.remoteAddress);
    if (!answer) return this.#leave(bytes);
    this.#keep(bytes.subarray(end));
    this.#caller = caller;
    void this.#answer(answer, afterTurn());
  }

  /**
   * What is answered in the turn of the event loop that read it is written when that turn is over, with the others' answers: the first
   * write wakes the callers' CPU, and while they are still at work on one answer, the next costs a third.
   * @param readIn Resolves when that turn is over.
   */
  async #answer(answering: Promise<Answer>, readIn: Promise<void>): Promise<void> {
    const { response, onStreamError } = await answering;
    await readIn;
    const isWhole = await writeAnswer(this.#socket, response, this.#deps.keepAliveMs, onStreamError);
    // A connection that broke while it was written to is closed a little later than the answer ends here.
    if (this.#socket.destroyed) this.#onClose();
    this.#caller = undefined;
    if (!isWhole) this.#socket.destroy();
    else if (this.#isClosing) this.#socket.end();
    if (this.#socket.destroyed || this.#isClosing) return;
    if (this.#socket.isPaused()) this.#socket.resume();
    this.#next();
  }

  #keep(bytes: Buffer): void {
    this.#parts = bytes.length === 0 ? [] : [bytes];
    this.#size = bytes.length;
  }

  #leave(bytes: Buffer): void {
    this.#socket.off("data", this.#onData);
    this.#socket.off("end", this.#onEnd);
    this.#socket.off("close", this.#onClose);
    this.#socket.off("timeout", this.#onTimeout);
    this.#socket.setTimeout(0);
    this.#deps.handOver(this.#socket, bytes);
  }
}
