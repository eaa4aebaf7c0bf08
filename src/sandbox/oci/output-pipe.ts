/** One output pipe of a sandbox, which outlives the programs that write to it: each program's part becomes a stream of its own. */
import type { Socket } from "node:net";
import { PassThrough } from "node:stream";
import type { Readable } from "node:stream";

export class OutputPipe {
  readonly #socket: Socket;
  #stream: PassThrough | undefined;
  #bytes = 0;
  #isPaused = false;
  #isClosed = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.once("close", () => {
      this.#isClosed = true;
      this.#stream?.end();
    });
    socket.on("error", () => socket.destroy());
  }

  /** The stream of what is written from now on; the stream before it ends. */
  attach(): Readable {
    this.#stream?.end();
    const stream = new PassThrough();
    this.#stream = stream;
    if (this.#isClosed) stream.end();
    this.#resume();
    return stream;
  }

  /**
   * Resolves when all that was written before this call is in the stream: a turn of the event loop reads all that a pipe holds.
   * @param stream Nothing is waited for once another one has taken its place.
   */
  async drained(stream: Readable): Promise<void> {
    while (this.#stream === stream && !this.#isClosed) {
      const before = this.#bytes;
      await turn();
      await turn();
      if (this.#isPaused)
        await new Promise<void>((resolve) => stream.once("drain", resolve).once("close", resolve));
      else if (this.#bytes === before) return;
    }
  }

  /** Ends a stream; what is written later and no stream takes is dropped. */
  detach(stream: Readable): void {
    if (this.#stream !== stream) return;
    this.#stream.end();
    this.#stream = undefined;
    this.#resume();
  }

  #take(chunk: Buffer): void {
    this.#bytes += chunk.length;
    const stream = this.#stream;
    if (stream === undefined || stream.destroyed || stream.write(chunk)) return;
    this.#isPaused = true;
    this.#socket.pause();
    stream.once("drain", () => this.#resume()).once("close", () => this.#resume());
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#socket.resume();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
