/** Buffers one extension's telemetry and hands it over batch by batch, in bounded memory; what does not fit is counted. */
import type { Delivery } from "./delivery.ts";
import { deliveryAttemptsMax, deliveryBackoffMs, deliveryTimeoutMs } from "./limits.ts";
import type { Subscription } from "./subscription.ts";

export interface Dropped {
  readonly droppedBytes: number;
  readonly droppedRecords: number;
}

export interface SubscriberDeps {
  readonly subscription: Subscription;
  readonly delivery: Delivery;
  /** The event that tells of what was lost. */
  dropReport(dropped: Dropped): string;
}

export class Subscriber {
  readonly subscription: Subscription;
  readonly #deps: SubscriberDeps;
  /** What waits to be sent: at most `maxItems` events and `maxBytes` bytes, beside one batch under way of the same size. */
  #events: string[] = [];
  #bytes = 0;
  #dropped = { droppedBytes: 0, droppedRecords: 0 };
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #attempt: AbortController | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #isPaused = false;
  #isClosed = false;

  constructor(deps: SubscriberDeps) {
    this.subscription = deps.subscription;
    this.#deps = deps;
  }

  push(event: string): void {
    if (this.#isClosed) return;
    const { maxItems, maxBytes, timeoutMs } = this.subscription;
    const bytes = Buffer.byteLength(event);
    const isFull = this.#events.length >= maxItems || this.#bytes + bytes > maxBytes;
    if (isFull && this.#events.length > 0) this.#send();
    if (this.#events.length > 0 && isFull) {
      this.#drop(1, bytes);
      return;
    }
    this.#events.push(event);
    this.#bytes += bytes;
    this.#timer ??= setTimeout(() => this.#send(), timeoutMs).unref();
  }

  /** The sandbox is frozen: nothing is sent, and nobody is hurried. */
  pause(): void {
    this.#isPaused = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#deadline);
    this.#timer = undefined;
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#attempt) this.#startDeadline(this.#attempt);
    if (this.#events.length > 0) this.#send();
  }

  /** Sends what waits; resolves when nothing is left or it was given up. */
  async flush(): Promise<void> {
    this.#send();
    while (this.#sending) await this.#sending;
  }

  /** Lets go of everything that was not handed over. @returns It, so that a successor may have it. */
  close(): readonly string[] {
    this.#isClosed = true;
    this.pause();
    this.#attempt?.abort();
    this.#deps.delivery.close();
    return this.#events.splice(0);
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#sending || this.#isPaused || this.#isClosed) return;
    const batch = this.#takeBatch();
    if (batch.length === 0) return;
    this.#sending = this.#deliver(batch).finally(() => {
      this.#sending = undefined;
      if (this.#events.length > 0) this.#send();
    });
  }

  #takeBatch(): readonly string[] {
    const batch = this.#events;
    this.#events = [];
    this.#bytes = 0;
    const dropped = this.#dropped;
    if (dropped.droppedRecords === 0) return batch;
    this.#dropped = { droppedBytes: 0, droppedRecords: 0 };
    return [this.#deps.dropReport(dropped), ...batch];
  }

  async #deliver(batch: readonly string[]): Promise<void> {
    for (let attempt = 1; !this.#isClosed; attempt++) {
      const controller = new AbortController();
      this.#attempt = controller;
      this.#startDeadline(controller);
      const isTaken = await this.#deps.delivery.send(batch, controller.signal).then(
        () => true,
        () => false,
      );
      clearTimeout(this.#deadline);
      this.#attempt = undefined;
      if (isTaken) return;
      if (attempt === deliveryAttemptsMax) {
        this.#drop(
          batch.length,
          batch.reduce((sum, event) => sum + Buffer.byteLength(event), 0),
        );
        return;
      }
      await new Promise<void>((resolve) => setTimeout(resolve, deliveryBackoffMs * 2 ** attempt).unref());
    }
  }

  #startDeadline(controller: AbortController): void {
    clearTimeout(this.#deadline);
    if (!this.#isPaused) this.#deadline = setTimeout(() => controller.abort(), deliveryTimeoutMs).unref();
  }

  #drop(records: number, bytes: number): void {
    this.#dropped.droppedRecords += records;
    this.#dropped.droppedBytes += bytes;
  }
}
