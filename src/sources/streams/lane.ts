/**
 * One lane of a shard: gathers batches of the records of its keys and invokes the function with one after the other. What fails is tried
 * again before anything behind it, until the mapping's settings give it up.
 */
import type { Clock } from "../../kit/clock.ts";
import { gather } from "./batch.ts";
import type { Batch, BatchRunner, Item } from "./batch-runner.ts";
import { Pause } from "./pause.ts";
import type { StreamRecord } from "./ports.ts";
import type { StreamSettings } from "./settings.ts";
import { closesAt, countWithin, openWindow } from "./window.ts";
import type { Window } from "./window.ts";

interface Deps<R extends StreamRecord> {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly settings: StreamSettings;
  readonly runner: BatchRunner<R>;
  /** Records have left the queue. */
  onRoom(): void;
  /** When the shard's end was last seen with nothing new, in epoch milliseconds. */
  caughtUpAt(): number;
  /** Asks for a look at the shard's end. */
  look(): void;
}

/** What a lane does next. */
type Step<R extends StreamRecord> =
  | { readonly kind: "run"; readonly batch: Batch<R> }
  | { readonly kind: "close"; readonly window: Window }
  | { readonly kind: "wait"; readonly until?: number }
  | { readonly kind: "ended" };

export class Lane<R extends StreamRecord> {
  readonly #deps: Deps<R>;
  readonly #pause: Pause;
  #queue: Item<R>[] = [];
  #bytes = 0;
  #window: Window | undefined;
  /** Windows of other lanes, which are to be ended. */
  readonly #left: Window[];
  #isEnded = false;

  constructor(deps: Deps<R>, window: Window | undefined, left: readonly Window[]) {
    this.#deps = deps;
    this.#window = window;
    this.#left = [...left];
    this.#pause = new Pause(deps.clock, deps.signal);
  }

  /** Records that wait, the batch in flight aside. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Of their JSON. */
  get waitingBytes(): number {
    return this.#bytes;
  }

  add(item: Item<R>): void {
    this.#queue.push(item);
    this.#bytes += item.bytes;
  }

  /** There may be something to do. */
  wake(): void {
    this.#pause.wake();
  }

  /** The shard has ended: after what waits there is nothing more. */
  end(): void {
    this.#isEnded = true;
    this.wake();
  }

  /** Resolves when the shard has ended and all is done, or when the signal has aborted and nothing is in flight. */
  async run(): Promise<void> {
    const { clock, signal, runner } = this.#deps;
    for (let window = this.#left.pop(); window && !signal.aborted; window = this.#left.pop())
      await runner.close(window);
    while (!signal.aborted) {
      const step = this.#next(clock.now());
      if (step.kind === "ended") return;
      if (step.kind === "wait") await this.#pause.wait(step.until);
      else if (step.kind === "close") this.#window = await runner.close(step.window);
      else await this.#runBatch(step.batch);
    }
  }

  async #runBatch(batch: Batch<R>): Promise<void> {
    this.#queue = this.#queue.slice(batch.items.length);
    for (const { bytes } of batch.items) this.#bytes -= bytes;
    this.#deps.onRoom();
    this.#window = await this.#deps.runner.run(batch);
  }

  #next(now: number): Step<R> {
    const { settings, runner } = this.#deps;
    const first = this.#queue[0];
    const open = this.#window;
    if (open && this.#isOver(open, first, now)) return { kind: "close", window: open };
    if (!first) {
      if (this.#isEnded) return { kind: "ended" };
      if (!open) return { kind: "wait" };
      const until = closesAt(open);
      if (until > now) return { kind: "wait", until };
      // Its time is over, but records of it may be unread.
      if (this.#deps.caughtUpAt() < until) this.#deps.look();
      return { kind: "wait" };
    }
    const window =
      open ??
      (settings.tumblingWindowMs > 0
        ? openWindow(first.record.arrivalMs, settings.tumblingWindowMs)
        : undefined);
    const arrivals = () => this.#queue.map(({ record }) => record.arrivalMs);
    const within = window ? countWithin(window, arrivals()) : this.#queue.length;
    const limits = {
      size: settings.batchSize,
      windowMs: settings.batchingWindowMs,
      bytesMax: runner.recordBytesMax(window),
    };
    const { count, waitUntil } = gather(this.#queue.slice(0, within), limits, now);
    const isWhole = within < this.#queue.length || this.#isEnded;
    // A batch does not outwait its window.
    const until = Math.min(waitUntil ?? 0, window ? closesAt(window) : Infinity);
    if (until > now && !isWhole) return { kind: "wait", until };
    return { kind: "run", batch: { items: this.#queue.slice(0, count), window } };
  }

  /** Whether no record of a window is to come. */
  #isOver(window: Window, first: Item<R> | undefined, now: number): boolean {
    const { settings } = this.#deps;
    if (window.isTerminatedEarly || settings.tumblingWindowMs === 0) return true;
    if (first) return first.record.arrivalMs >= window.end;
    if (this.#isEnded) return true;
    const at = closesAt(window);
    return at <= now && this.#deps.caughtUpAt() >= at;
  }
}
