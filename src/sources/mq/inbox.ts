/** Messages that came and wait for their batch. A batch is cut when it is full, at the payload's size, or when its window is over. */
import { sleep } from "../../kit/clock.ts";
import type { Clock } from "../../kit/clock.ts";
import { BATCH_BYTES_MAX } from "../source.ts";
import type { MqMessage } from "./message.ts";

export interface Batching {
  /** Messages. */
  readonly size: number;
  /** From a batch's first message on. */
  readonly windowMs: number;
  readonly envelopeBytes: number;
}

export class Inbox {
  readonly #clock: Clock;
  readonly #batching: Batching;
  readonly #bytesMax: number;
  readonly #waiting: MqMessage[] = [];
  #bytes = 0;
  #wake = Promise.withResolvers<void>();

  constructor(clock: Clock, batching: Batching) {
    this.#clock = clock;
    this.#batching = batching;
    this.#bytesMax = BATCH_BYTES_MAX - batching.envelopeBytes;
  }

  /** Whether it could be invoked with at all. */
  fits(message: MqMessage): boolean {
    return message.bytes <= this.#bytesMax;
  }

  add(message: MqMessage): void {
    this.#waiting.push(message);
    this.#bytes += message.bytes + 1;
    this.#wake.resolve();
  }

  /** The next batch; none when the signal aborts. */
  async next(signal: AbortSignal): Promise<readonly MqMessage[]> {
    let closesAt: number | undefined;
    while (!signal.aborted && this.#waiting.length < this.#batching.size && this.#bytes < this.#bytesMax) {
      if (this.#waiting.length > 0) closesAt ??= this.#clock.now() + this.#batching.windowMs;
      const waitMs = closesAt === undefined ? undefined : closesAt - this.#clock.now();
      if (waitMs !== undefined && waitMs <= 0) break;
      await this.#change(waitMs, signal);
    }
    return signal.aborted ? [] : this.#cut();
  }

  /** Resolves when a message has come, the time is over, or the signal aborts. */
  async #change(waitMs: number | undefined, signal: AbortSignal): Promise<void> {
    const { promise: aborted, resolve: abort } = Promise.withResolvers<void>();
    const onAbort = () => abort();
    signal.addEventListener("abort", onAbort, { once: true });
    const waiting = new AbortController();
    const others = waitMs === undefined ? [] : [sleep(this.#clock, waitMs, waiting.signal)];
    await Promise.race([this.#wake.promise, aborted, ...others]);
    waiting.abort();
    signal.removeEventListener("abort", onAbort);
    this.#wake = Promise.withResolvers<void>();
  }

  #cut(): readonly MqMessage[] {
    let count = 0;
    let bytes = 0;
    for (const message of this.#waiting) {
      if (count === this.#batching.size || bytes + message.bytes + 1 > this.#bytesMax + 1) break;
      count += 1;
      bytes += message.bytes + 1;
    }
    this.#bytes -= bytes;
    return this.#waiting.splice(0, count);
  }
}
