/** A streamed answer between the data path, which puts it in as the function makes it, and the caller's connection, which takes it out. */
import type { AnswerSink } from "../../invoke/index.ts";

/** What may wait for the caller before the function is asked to wait. */
const WAITING_BYTES_MAX = 65_536;

export class StreamedAnswer implements AnswerSink {
  /** Resolves before the first byte; an answer that is not streamed never begins. */
  readonly begun: Promise<void>;
  /** As the function named it, once the answer has begun. */
  contentType: string | undefined;
  readonly #begin: () => void;
  #waiting: Buffer[] = [];
  #size = 0;
  /** The data path waits for room. */
  #room: PromiseWithResolvers<void> | undefined;
  /** The connection waits for bytes. */
  #wake: () => void = () => {};
  #hasEnded = false;
  #hasLeft = false;

  /** @param signal Aborts when the caller has gone: what comes then is dropped. */
  constructor(signal: AbortSignal) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.begun = promise;
    this.#begin = resolve;
    if (signal.aborted) this.#leave();
    else signal.addEventListener("abort", () => this.#leave(), { once: true });
  }

  start(contentType: string): void {
    this.contentType = contentType;
    this.#begin();
  }

  write(bytes: Buffer): Promise<void> | undefined {
    if (this.#hasLeft) return undefined;
    this.#waiting.push(bytes);
    this.#size += bytes.length;
    this.#wake();
    if (this.#size < WAITING_BYTES_MAX) return undefined;
    this.#room ??= Promise.withResolvers<void>();
    return this.#room.promise;
  }

  /** Nothing more will be written. */
  end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  /** What was written, as it comes. */
  async *pieces(): AsyncGenerator<Buffer> {
    try {
      while (!this.#hasLeft) {
        const bytes = this.#waiting.shift();
        if (bytes) {
          this.#size -= bytes.length;
          if (this.#size < WAITING_BYTES_MAX) this.#giveRoom();
          yield bytes;
        } else if (this.#hasEnded) return;
        else
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
      }
    } finally {
      this.#leave();
    }
  }

  #leave(): void {
    this.#hasLeft = true;
    this.#waiting = [];
    this.#giveRoom();
    this.#wake();
  }

  #giveRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }
}
