/** Reads one queue for one mapping: gathers batches, has them run, and waits where more would not help. */
import { every, sleep } from "../../kit/clock.ts";
import type { Mapping } from "../mapping.ts";
import type { QueueMessage, QueueReader } from "../ports.ts";
import { BATCH_BYTES_MAX } from "../source.ts";
import type { RunningSource, SourceContext } from "../source.ts";
import { runBatch } from "./batch.ts";
import type { BatchEnd, Item } from "./batch.ts";
import { queueRecord } from "./event.ts";
import { missingPermission } from "./kind.ts";
import { Scaling, boundsOf, pollersOf } from "./scaling.ts";

/** A receive waits this long for a message, at no cost; then it is seen whether the queue is still there. */
const WAIT_MS = 20_000;
/** Batches that are received in one go, at most. */
const BATCHES_TOGETHER_MAX = 16;
/** Whether the role may still read is asked so often. */
const PERMISSION_AGE_MS_MAX = 1_000;
/** Pause after the queue could not be read, or the function not be run. */
const TROUBLE_PAUSE_MS = 1_000;
const TROUBLE_PAUSE_MS_MAX = 5_000;
/** Batches that the function has done with, and whose messages are being deleted, as a multiple of those that may run. */
const SETTLING_SHARE_MAX = 1;
/** What was received ahead, and has not begun after this long, goes back: its visibility timeout is for the function. */
const AHEAD_MS_MAX = 500;
/** In provisioned mode the number of pollers is told for each minute. */
const MINUTE_MS = 60_000;
/** `{"Records":[]}` */
const ENVELOPE_BYTES = 14;

export class QueuePoller implements RunningSource {
  readonly #queues: QueueReader;
  readonly #mapping: Mapping;
  readonly #context: SourceContext;
  readonly #arn: string;
  readonly #batchSize: number;
  readonly #windowMs: number;
  readonly #isFifo: boolean;
  readonly #scaling: Scaling;
  readonly #running = new Set<Promise<void>>();
  readonly #loop: Promise<void>;
  /** Batches that the function has, or is being given. */
  #invoking = 0;
  /** Received, and not yet in a batch. */
  #gathered: Item[] = [];
  /** When what is gathered goes, full or not. */
  #dueAt = Infinity;
  #permittedAt = -Infinity;
  #asking: Promise<void> | undefined;
  #isWatching = false;
  /** Nothing is received or begun before. */
  #pausedUntil = -Infinity;
  #troubles = 0;
  /** Wakes the loop when a batch has ended. */
  #freed: () => void = () => {};

  constructor(queues: QueueReader, mapping: Mapping, context: SourceContext) {
    this.#queues = queues;
    this.#mapping = mapping;
    this.#context = context;
    this.#arn = mapping.eventSourceArn ?? "";
    const { BatchSize = 1, MaximumBatchingWindowInSeconds = 0 } = mapping.settings;
    this.#batchSize = BatchSize;
    this.#windowMs = MaximumBatchingWindowInSeconds * 1_000;
    this.#isFifo = this.#arn.endsWith(".fifo");
    this.#scaling = new Scaling(boundsOf(mapping.settings, this.#isFifo));
    context.signal.addEventListener("abort", () => this.#freed(), { once: true });
    if (mapping.settings.ProvisionedPollerConfig) this.#tellPollers();
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#freed();
    await Promise.all([this.#loop, this.#asking]);
    await this.#giveBack();
    await Promise.all(this.#running);
  }

  #tellPollers(): void {
    const { clock, signal } = this.#context;
    const tell = () => this.#context.count("ProvisionedPollers", pollersOf(this.#scaling.limit(clock.now())));
    tell();
    const end = every(clock, MINUTE_MS, tell);
    signal.addEventListener("abort", end, { once: true });
  }

  async #run(): Promise<void> {
    const { signal, log } = this.#context;
    while (!signal.aborted)
      try {
        await this.#pause();
        if (signal.aborted) return;
        this.#begin();
        const max = this.#wanted();
        if (max > 0) await this.#receive(max);
        else await new Promise<void>((resolve) => (this.#freed = resolve));
      } catch (error) {
        this.#trouble(error instanceof Error ? error.message : String(error));
        log.warn("A queue could not be read for an event source mapping", {
          uuid: this.#mapping.uuid,
          queue: this.#arn,
          error,
        });
      }
  }

  async #pause(): Promise<void> {
    const { clock, signal } = this.#context;
    for (let wait = 1; wait > 0 && !signal.aborted; wait = this.#pausedUntil - clock.now())
      if (this.#pausedUntil > clock.now()) await sleep(clock, this.#pausedUntil - clock.now(), signal);
  }

  /**
   * How many messages more there is use for: what is missing in a batch that is being gathered, or what the free batches could take; of a
   * quick function, the batches after these too, so that they need not be waited for.
   */
  #wanted(): number {
    const now = this.#context.clock.now();
    const limit = this.#scaling.limit(now);
    const free = this.#free(now);
    const missing = this.#batchSize - this.#gathered.length;
    if (this.#windowMs > 0 || this.#isFifo) return free > 0 ? Math.max(0, missing) : 0;
    const batches = Math.min(this.#scaling.isQuick ? free + limit : free, BATCHES_TOGETHER_MAX);
    const wanted = batches * this.#batchSize - this.#gathered.length;
    // Little by little would cost a turn of the queue each time.
    return wanted >= this.#batchSize || free > 0 ? Math.max(0, wanted) : 0;
  }

  /** Batches that may begin. */
  #free(now: number): number {
    const limit = this.#scaling.limit(now);
    return Math.min(limit - this.#invoking, limit * (1 + SETTLING_SHARE_MAX) - this.#running.size);
  }

  async #receive(max: number): Promise<void> {
    const { clock, signal } = this.#context;
    const messages = await this.#queues.receive(this.#arn, {
      max,
      bytesMax: BATCH_BYTES_MAX,
      // Without a window, what is gathered waits for room and not for more.
      waitMs: this.#windowMs === 0 ? WAIT_MS : Math.max(0, Math.min(WAIT_MS, this.#dueAt - clock.now())),
      signal,
    });
    if (messages.length > 0) {
      // Asked for before the pause began: it is not for them to wait.
      if (clock.now() < this.#pausedUntil) return this.#queues.giveBack(this.#arn, messages.map(handleOf), 0);
      this.#context.count("PolledEventCount", messages.length);
      return this.#admit(messages);
    }
    // Of a queue that is gone nothing comes, at once.
    if (!signal.aborted && this.#gathered.length === 0 && !(await this.#queues.describe(this.#arn)))
      throw new Error("The specified queue does not exist");
  }

  /** Keeps what the filters let by, and deletes the rest. */
  async #admit(messages: readonly QueueMessage[]): Promise<void> {
    const { isFiltered, clock } = this.#context;
    const refused: string[] = [];
    const at = clock.now();
    if (this.#gathered.length === 0) this.#dueAt = at + this.#windowMs;
    for (const message of messages) {
      const record = queueRecord(message, this.#arn);
      if (isFiltered && !this.#context.matches({ ...record }, message.body)) {
        refused.push(handleOf(message));
        continue;
      }
      const json = JSON.stringify(record);
      this.#gathered.push({ message, json, bytes: Buffer.byteLength(json) + 1, at });
    }
    if (this.#gathered.length === 0) this.#dueAt = Infinity;
    if (refused.length === 0) return;
    this.#context.count("FilteredOutEventCount", refused.length);
    await this.#queues.delete(this.#arn, refused);
  }

  /** Runs what is gathered and due, in as many batches as may be; called whenever there may be room, whatever the loop waits for. */
  #begin(): void {
    const { clock, signal } = this.#context;
    const now = clock.now();
    if (this.#gathered.length === 0 || signal.aborted) return;
    if (now < this.#pausedUntil) return this.#watchWaiting();
    if (now - this.#permittedAt >= PERMISSION_AGE_MS_MAX) return this.#askPermission();
    while (this.#gathered.length > 0) {
      if (this.#free(now) <= 0) {
        this.#watchWaiting();
        return this.#scaling.saturated(now);
      }
      const count = this.#fullBatch() ?? (now >= this.#dueAt ? this.#gathered.length : 0);
      if (count === 0) return;
      this.#start(this.#gathered.splice(0, count));
    }
    this.#dueAt = Infinity;
  }

  /** Messages that wait for room too long go back. */
  #watchWaiting(): void {
    const { clock, signal, log } = this.#context;
    if (this.#isWatching || this.#windowMs > 0) return;
    this.#isWatching = true;
    const cancel = clock.after(AHEAD_MS_MAX, () => {
      signal.removeEventListener("abort", cancel);
      this.#isWatching = false;
      const [oldest] = this.#gathered;
      if (!oldest || signal.aborted) return;
      if (clock.now() - oldest.at < AHEAD_MS_MAX) return this.#watchWaiting();
      this.#giveBack().catch((error: unknown) =>
        log.warn("Messages that wait for their function could not be given back", {
          queue: this.#arn,
          error,
        }),
      );
    });
    signal.addEventListener("abort", cancel, { once: true });
  }

  /** How many of those gathered are a full batch; undefined where they are not enough for one. */
  #fullBatch(): number | undefined {
    let bytes = ENVELOPE_BYTES;
    for (const [count, item] of this.#gathered.entries()) {
      bytes += item.bytes;
      if (count === this.#batchSize || (count > 0 && bytes > BATCH_BYTES_MAX)) return count;
    }
    return this.#gathered.length === this.#batchSize ? this.#batchSize : undefined;
  }

  #start(batch: readonly Item[]): void {
    const deps = { queues: this.#queues, context: this.#context, mapping: this.#mapping };
    this.#invoking++;
    const work = runBatch(deps, batch, (end) => this.#ended(end))
      .catch((error: unknown) =>
        this.#context.log.error("A batch of a queue could not be settled; its messages come again", {
          uuid: this.#mapping.uuid,
          queue: this.#arn,
          error,
        }),
      )
      .finally(() => {
        this.#running.delete(work);
        this.#goOn();
      });
    this.#running.add(work);
  }

  #ended(end: BatchEnd): void {
    this.#invoking--;
    if (end.kind === "trouble") return this.#trouble(end.message);
    this.#troubles = 0;
    if (end.kind === "throttled") {
      const pause = this.#scaling.throttled(this.#context.clock.now(), this.#invoking);
      if (pause > 0) this.#pauseFor(pause);
      return;
    }
    this.#scaling.ran(end.ms);
    this.#goOn();
  }

  /** There may be room: the next batch need not wait for what the loop may be receiving. */
  #goOn(): void {
    this.#begin();
    this.#freed();
  }

  /** Whether the role may still read; what is gathered is begun after that, or given back. */
  #askPermission(): void {
    this.#asking ??= this.#permission()
      .then((refusal) => {
        if (refusal === undefined) {
          this.#permittedAt = this.#context.clock.now();
          return this.#begin();
        }
        this.#trouble(refusal);
        return this.#giveBack();
      })
      .catch((error: unknown) => this.#trouble(error instanceof Error ? error.message : String(error)))
      .finally(() => (this.#asking = undefined));
  }

  /** Why not; undefined where it may. */
  async #permission(): Promise<string | undefined> {
    const resource = { arn: this.#arn, policy: (await this.#queues.describe(this.#arn))?.policy };
    for (const action of ["ReceiveMessage", "DeleteMessage"]) {
      if (await this.#context.mayRole(`sqs:${action}`, resource)) continue;
      return (await this.#context.target()) ? missingPermission(action) : "Function not found";
    }
    return undefined;
  }

  /** What is gathered is there again for others, and its receive has not counted. */
  async #giveBack(): Promise<void> {
    const handles = this.#gathered.splice(0).map(({ message }) => message.receiptHandle);
    this.#dueAt = Infinity;
    if (handles.length > 0) await this.#queues.giveBack(this.#arn, handles, 0);
  }

  #trouble(message: string): void {
    this.#pauseFor(Math.min(TROUBLE_PAUSE_MS_MAX, TROUBLE_PAUSE_MS * 2 ** this.#troubles++));
    this.#context.processed(`PROBLEM: ${message}`);
  }

  #pauseFor(ms: number): void {
    const { clock, signal } = this.#context;
    this.#pausedUntil = Math.max(this.#pausedUntil, clock.now() + ms);
    const cancel = clock.after(ms, () => {
      signal.removeEventListener("abort", cancel);
      this.#begin();
    });
    signal.addEventListener("abort", cancel, { once: true });
  }
}

function handleOf({ receiptHandle }: Pick<QueueMessage, "receiptHandle">): string {
  return receiptHandle;
}
