/** Reads one queue for one mapping: gathers batches, invokes, and deletes what was handled. */
import { sleep } from "../../kit/clock.ts";
import { readBatchAnswer } from "../batch-item-failures.ts";
import type { Mapping } from "../mapping.ts";
import type { QueueMessage, QueueReader } from "../ports.ts";
import { BATCH_BYTES_MAX } from "../source.ts";
import type { InvokeOutcome, RunningSource, SourceContext } from "../source.ts";
import { queueRecord } from "./event.ts";
import { missingPermission } from "./kind.ts";
import { Scaling, boundsOf } from "./scaling.ts";

/** A receive waits this long for a message, at no cost. */
const WAIT_MS = 300_000;
/** Batches that are received in one go, when so many may run. */
const BATCHES_TOGETHER_MAX = 16;
/** Whether the role may still read is asked so often. */
const PERMISSION_AGE_MS_MAX = 1_000;
/** Pause after the queue could not be read, or the function not be found. */
const TROUBLE_PAUSE_MS = 1_000;
const TROUBLE_PAUSE_MS_MAX = 5_000;
/** `{"Records":[]}` */
const ENVELOPE_BYTES = 14;

/** A message on its way to the function. */
interface Item {
  readonly message: QueueMessage;
  /** Its record as JSON. */
  readonly json: string;
  readonly bytes: number;
}

export class QueuePoller implements RunningSource {
  readonly #queues: QueueReader;
  readonly #mapping: Mapping;
  readonly #context: SourceContext;
  readonly #arn: string;
  readonly #batchSize: number;
  readonly #windowMs: number;
  readonly #reportsFailures: boolean;
  readonly #running = new Set<Promise<void>>();
  readonly #loop: Promise<void>;
  /** Received, and not yet in a batch. */
  #gathered: Item[] = [];
  #scaling: Scaling;
  #isFifo: boolean;
  #permittedAt = -Infinity;
  /** Nothing is received before. */
  #pausedUntil = -Infinity;
  #troubles = 0;
  /** Wakes the loop when a batch has ended. */
  #freed: () => void = () => {};

  constructor(queues: QueueReader, mapping: Mapping, context: SourceContext) {
    this.#queues = queues;
    this.#mapping = mapping;
    this.#context = context;
    this.#arn = mapping.eventSourceArn ?? "";
    const { BatchSize = 1, MaximumBatchingWindowInSeconds = 0, FunctionResponseTypes } = mapping.settings;
    this.#batchSize = BatchSize;
    this.#windowMs = MaximumBatchingWindowInSeconds * 1_000;
    this.#reportsFailures = FunctionResponseTypes?.includes("ReportBatchItemFailures") ?? false;
    this.#isFifo = this.#arn.endsWith(".fifo");
    this.#scaling = new Scaling(boundsOf(mapping.settings, this.#isFifo));
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#freed();
    await this.#loop;
    await this.#giveBack(this.#gathered.splice(0));
    await Promise.all(this.#running);
  }

  async #run(): Promise<void> {
    const { signal, clock } = this.#context;
    while (!signal.aborted) {
      try {
        await this.#pause();
        await this.#room();
        if (signal.aborted) return;
        await this.#gather();
        if (signal.aborted) return;
        await this.#begin();
      } catch (error) {
        this.#trouble(error instanceof Error ? error.message : String(error));
        this.#context.log.warn("A queue could not be read for an event source mapping", {
          uuid: this.#mapping.uuid,
          queue: this.#arn,
          error,
        });
        await sleep(clock, 0, signal);
      }
    }
  }

  async #pause(): Promise<void> {
    const { clock, signal } = this.#context;
    const wait = this.#pausedUntil - clock.now();
    if (wait > 0) await sleep(clock, wait, signal);
  }

  /** Until one more batch may be in flight. */
  async #room(): Promise<void> {
    const { clock, signal } = this.#context;
    while (!signal.aborted && this.#running.size >= this.#scaling.limit(clock.now())) {
      // That there is more than can be run is known only of what is here.
      await new Promise<void>((resolve) => (this.#freed = resolve));
    }
  }

  /** Receives until a batch is full, the window has passed, or there is something where there is no window. */
  async #gather(): Promise<void> {
    const { clock, signal } = this.#context;
    // What an earlier turn left has waited its time.
    let until = this.#gathered.length > 0 ? clock.now() : Infinity;
    while (!signal.aborted) {
      const bytes = this.#gathered.reduce((sum, item) => sum + item.bytes, ENVELOPE_BYTES);
      const now = clock.now();
      const isFull = this.#gathered.length >= this.#batchSize || bytes >= BATCH_BYTES_MAX;
      if (isFull || (this.#gathered.length > 0 && (this.#windowMs === 0 || now >= until))) return;
      const messages = await this.#queues.receive(this.#arn, {
        max: this.#wanted(now),
        bytesMax: BATCH_BYTES_MAX,
        waitMs: Math.min(WAIT_MS, until - now),
        signal,
      });
      if (messages.length === 0) continue;
      if (until === Infinity) until = clock.now() + this.#windowMs;
      this.#context.count("PolledEventCount", messages.length);
      await this.#admit(messages);
    }
  }

  /** Several batches at once where neither a window nor order asks for one after the other. */
  #wanted(now: number): number {
    const missing = this.#batchSize - this.#gathered.length;
    if (this.#windowMs > 0 || this.#isFifo) return missing;
    const free = this.#scaling.limit(now) - this.#running.size;
    return missing + this.#batchSize * Math.max(0, Math.min(free, BATCHES_TOGETHER_MAX) - 1);
  }

  /** Keeps what the filters let by, and deletes the rest. */
  async #admit(messages: readonly QueueMessage[]): Promise<void> {
    const { isFiltered } = this.#context;
    const refused: QueueMessage[] = [];
    for (const message of messages) {
      const record = queueRecord(message, this.#arn);
      if (isFiltered && !this.#context.matches({ ...record }, message.body)) {
        refused.push(message);
        continue;
      }
      const json = JSON.stringify(record);
      this.#gathered.push({ message, json, bytes: Buffer.byteLength(json) + 1 });
    }
    if (refused.length === 0) return;
    this.#context.count("FilteredOutEventCount", refused.length);
    await this.#queues.delete(this.#arn, refused.map(handleOf));
  }

  /** Runs what has been gathered, in as many batches as may be; a rest that must wait stays gathered. */
  async #begin(): Promise<void> {
    const { clock } = this.#context;
    if (this.#gathered.length === 0) return;
    if (!(await this.#isPermitted())) return;
    while (this.#gathered.length > 0) {
      const now = clock.now();
      if (this.#running.size >= this.#scaling.limit(now)) return this.#scaling.saturated(now);
      const batch = this.#cut();
      const work = this.#handle(batch)
        .catch((error: unknown) =>
          this.#context.log.error("A batch of a queue could not be settled; its messages come again", {
            uuid: this.#mapping.uuid,
            queue: this.#arn,
            error,
          }),
        )
        .finally(() => {
          this.#running.delete(work);
          this.#freed();
        });
      this.#running.add(work);
    }
    const now = clock.now();
    if (this.#running.size >= this.#scaling.limit(now)) this.#scaling.saturated(now);
  }

  #cut(): Item[] {
    let bytes = ENVELOPE_BYTES;
    let count = 0;
    for (const item of this.#gathered) {
      if (count === this.#batchSize || (count > 0 && bytes + item.bytes > BATCH_BYTES_MAX)) break;
      bytes += item.bytes;
      count++;
    }
    return this.#gathered.splice(0, count);
  }

  async #isPermitted(): Promise<boolean> {
    const { clock } = this.#context;
    if (clock.now() - this.#permittedAt < PERMISSION_AGE_MS_MAX) return true;
    for (const action of ["ReceiveMessage", "DeleteMessage"]) {
      if (await this.#context.mayRole(`sqs:${action}`, this.#arn)) continue;
      const target = await this.#context.target();
      this.#trouble(target ? missingPermission(action) : "Function not found");
      await this.#giveBack(this.#gathered.splice(0));
      return false;
    }
    this.#permittedAt = clock.now();
    return true;
  }

  async #handle(batch: readonly Item[]): Promise<void> {
    const payload = Buffer.from(`{"Records":[${batch.map(({ json }) => json).join(",")}]}`);
    const headers = batch.map(({ message }) => message.attributes["AWSTraceHeader"]);
    const traceHeaders = headers.filter((one) => one !== undefined);
    const outcome = await this.#context.invoke(payload, batch.length, { traceHeaders });
    switch (outcome.kind) {
      case "ok":
        return this.#succeed(batch, outcome);
      case "function-error":
        this.#wentWell();
        return this.#context.processed("PROBLEM: Function call failed");
      case "throttled":
        return this.#backOff(batch);
      case "failed":
        // The message stays, as after an error of the function; where the function cannot be run at all, that is not held against it.
        if (outcome.code === "RecursiveInvocationException")
          return this.#context.processed("PROBLEM: The function was called in a recursive loop");
        this.#trouble(outcome.message);
        return this.#giveBack(batch);
    }
  }

  /** Deletes what was handled; what the function reports as failed comes again when its visibility timeout has passed. */
  async #succeed(
    batch: readonly Item[],
    { payload }: Extract<InvokeOutcome, { kind: "ok" | "function-error" }>,
  ) {
    this.#wentWell();
    const failed = this.#reportsFailures ? this.#failedOf(batch, payload) : [];
    this.#context.processed(failed.length === 0 ? "OK" : "PROBLEM: Function call failed");
    const handled = failed.length === 0 ? batch : batch.filter((item) => !failed.includes(item));
    if (failed.length > 0) this.#context.count("FailedInvokeEventCount", failed.length);
    if (handled.length === 0) return;
    await this.#queues.delete(
      this.#arn,
      handled.map(({ message }) => message.receiptHandle),
    );
    this.#context.count("DeletedEventCount", handled.length);
  }

  #failedOf(batch: readonly Item[], payload: Buffer): readonly Item[] {
    const answer = readBatchAnswer(payload, (id) => batch.find(({ message }) => message.messageId === id));
    if (answer.outcome === "success") return [];
    if (answer.outcome === "partial") return answer.failed;
    this.#context.log.warn(
      "A function's batchItemFailures cannot be understood: its whole batch comes again",
      {
        uuid: this.#mapping.uuid,
        reason: answer.why,
      },
    );
    return batch;
  }

  async #backOff(batch: readonly Item[]): Promise<void> {
    const { clock } = this.#context;
    const now = clock.now();
    const pause = this.#scaling.throttled(now, this.#running.size - 1);
    this.#pausedUntil = Math.max(this.#pausedUntil, now + pause);
    this.#context.processed("PROBLEM: Function call was throttled");
    await this.#giveBack(batch);
  }

  /** What was not the messages' fault: they are there again, and their receive has not counted. */
  async #giveBack(items: readonly Item[]): Promise<void> {
    if (items.length === 0) return;
    await this.#queues.giveBack(
      this.#arn,
      items.map(({ message }) => message.receiptHandle),
      0,
    );
  }

  #wentWell(): void {
    this.#troubles = 0;
    this.#scaling.succeeded();
  }

  #trouble(message: string): void {
    const pause = Math.min(TROUBLE_PAUSE_MS_MAX, TROUBLE_PAUSE_MS * 2 ** this.#troubles++);
    this.#pausedUntil = Math.max(this.#pausedUntil, this.#context.clock.now() + pause);
    this.#context.processed(`PROBLEM: ${message}`);
  }
}

function handleOf({ receiptHandle }: QueueMessage): string {
  return receiptHandle;
}
