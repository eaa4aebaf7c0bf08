/**
 * Some partitions, read by one: it gathers a batch of them, brings it to the function, commits, and goes on. One batch is in flight,
 * so each partition's order holds; partitions of other lanes go on meanwhile.
 */
import { sleep } from "../../kit/clock.ts";
import type { SourceContext } from "../source.ts";
import { cut, isFull } from "./batch.ts";
import type { Batch } from "./batch.ts";
import { deliver } from "./delivery.ts";
import type { DeliveryPorts, ErrorHandling } from "./delivery.ts";
import { eventOf, recordOf, textOf } from "./event.ts";
import type { Envelope, ReadRecord } from "./event.ts";
import type { Fetched, Fetcher } from "./fetcher.ts";
import { PartitionBuffer } from "./partition-buffer.ts";
import type { Read } from "./partition-buffer.ts";

/** What a lane needs of the mapping that it reads for. */
export interface LanePorts extends Pick<DeliveryPorts, "invoke" | "giveUp" | "processed" | "failed"> {
  readonly context: SourceContext;
  readonly envelope: Envelope;
  readonly batchSize: number;
  readonly windowMs: number;
  readonly handling: ErrorHandling;
  commit(offsets: ReadonlyMap<number, bigint>): Promise<void>;
  /** The first and the next offset of partitions. */
  range(partitions: readonly number[]): Promise<ReadonlyMap<number, { first: bigint; end: bigint }>>;
}

/** Nothing happened for so long: look whether there is something else to do. */
const idleMs = 60_000;

export class Lane {
  readonly #ports: LanePorts;
  readonly #fetcher: Fetcher;
  readonly #buffers: PartitionBuffer[];
  readonly #stopping = new AbortController();
  #wake = Promise.withResolvers<void>();
  #failure: { readonly error: unknown } | undefined;
  /** The partition that begins the next batch: each has its turn. */
  #turn = 0;
  #hasStaleLeaders = false;

  constructor(ports: LanePorts, fetcher: Fetcher, positions: ReadonlyMap<number, bigint>) {
    this.#ports = ports;
    this.#fetcher = fetcher;
    this.#buffers = [...positions].map(([partition, position]) => new PartitionBuffer(partition, position));
  }

  /** Reads until it is stopped. @throws errors of the library, which end it: what is not committed is read again by the next. */
  async run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#gather();
      if (signal.aborted) return;
      const batch = cut(this.#inTurn(), this.#ports.batchSize, this.#ports.envelope);
      this.#turn += 1;
      this.#ports.context.count("PolledEventCount", batch.polled);
      if (batch.filteredOut > 0) this.#ports.context.count("FilteredOutEventCount", batch.filteredOut);
      if (!(await this.#handle(batch))) return;
      if (batch.offsets.size > 0) await this.#ports.commit(batch.offsets);
      this.#ports.context.count("CommittedEventCount", batch.polled);
    }
  }

  /** Lets what is in flight end, and takes no more. */
  stop(): void {
    this.#stopping.abort();
    this.#wake.resolve();
  }

  async close(): Promise<void> {
    await this.#fetcher.close();
  }

  /** False when it was stopped before all was done with. */
  async #handle({ events, oversized }: Batch): Promise<boolean> {
    const { context, handling, envelope } = this.#ports;
    if (oversized.length > 0)
      await this.#ports.giveUp(oversized, {
        condition: "MaximumPayloadSizeExceeded",
        invokeCount: 0,
        outcome: undefined,
      });
    if (events.length === 0) return true;
    const { signal } = this.#stopping;
    return deliver(events, handling, {
      signal,
      topic: envelope.topic,
      now: () => context.clock.now(),
      sleep: (ms) => sleep(context.clock, ms, signal),
      invoke: (some) => this.#ports.invoke(some),
      giveUp: (some, why) => this.#ports.giveUp(some, why),
      processed: (result) => this.#ports.processed(result),
      failed: (outcome) => this.#ports.failed(outcome),
    });
  }

  /** Waits until a batch is full, or its window is over. The window opens with the first record. */
  async #gather(): Promise<void> {
    const { batchSize, windowMs, envelope, context } = this.#ports;
    let closesAt: number | undefined;
    for (;;) {
      await this.#fetchMore();
      if (this.#failure) throw this.#failure.error;
      if (this.#stopping.signal.aborted || isFull(this.#buffers, batchSize, envelope)) return;
      const hasEvents = this.#buffers.some(({ events }) => events > 0);
      if (hasEvents) closesAt ??= context.clock.now() + windowMs;
      // Records that are only passed over are committed without waiting for others.
      else if (this.#buffers.some(({ isEmpty }) => !isEmpty)) return;
      const waitMs = closesAt === undefined ? idleMs : closesAt - context.clock.now();
      if (waitMs <= 0) return;
      const waiting = new AbortController();
      await Promise.race([this.#wake.promise, sleep(context.clock, waitMs, waiting.signal)]);
      waiting.abort();
      this.#wake = Promise.withResolvers<void>();
    }
  }

  /**
   * Asks the brokers for more while the next batch is not full. The answers wake the lane whenever they come, also while it is at work.
   * A broker is asked for all of its partitions at once: it answers one request after another, and one that waits for records of a quiet
   * partition would hold up those of a busy one.
   */
  async #fetchMore(): Promise<void> {
    const { batchSize, envelope } = this.#ports;
    if (this.#failure || isFull(this.#buffers, batchSize, envelope)) return;
    // In turn, as an answer may have no room for the last of them.
    const buffers = this.#inTurn();
    const leaders = await this.#fetcher.leaders(
      buffers.map(({ partition }) => partition),
      this.#hasStaleLeaders,
    );
    this.#hasStaleLeaders = false;
    for (const [node, partitions] of leaders) {
      const asked = buffers.filter(({ partition }) => partitions.includes(partition));
      if (asked.some(({ isFetching }) => isFetching)) continue;
      for (const buffer of asked) buffer.isFetching = true;
      void this.#fetch(node, asked);
    }
  }

  async #fetch(node: number, asked: readonly PartitionBuffer[]): Promise<void> {
    try {
      const offsets = new Map(asked.map(({ partition, position }) => [partition, position]));
      for (const fetched of await this.#fetcher.fetch(node, offsets)) this.#take(fetched);
    } catch (error) {
      await this.#recover(error, asked);
    }
    for (const buffer of asked) buffer.isFetching = false;
    this.#wake.resolve();
  }

  #take({ partition, records, next }: Fetched): void {
    const buffer = this.#buffers.find((one) => one.partition === partition);
    buffer?.add(
      records.map((record) => this.#read(record)),
      next,
    );
  }

  #read(read: ReadRecord): Read {
    const { context, envelope } = this.#ports;
    const record = recordOf(envelope.topic, read);
    const isLetBy = !context.isFiltered || context.matches(record, textOf(read.record.value));
    return { offset: read.offset, event: isLetBy ? eventOf(read, record) : undefined };
  }

  /** A leader that moved is looked up again; positions that are gone (retention, a topic made anew) go on at the first record there is. */
  async #recover(error: unknown, asked: readonly PartitionBuffer[]): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#ports.context.count("PollingErrorCount", 1);
    const { findBy } = error as { findBy?: (property: string, value: unknown) => unknown };
    const isOf = (apiId: string) => findBy?.call(error, "apiId", apiId) !== null && findBy !== undefined;
    if (LEADER_MOVED.some(isOf)) {
      this.#hasStaleLeaders = true;
      await sleep(this.#ports.context.clock, LEADER_PAUSE_MS, this.#stopping.signal);
      return;
    }
    if (!isOf("OFFSET_OUT_OF_RANGE")) {
      this.#failure = { error };
      return;
    }
    try {
      const ranges = await this.#ports.range(asked.map(({ partition }) => partition));
      for (const buffer of asked) {
        const range = ranges.get(buffer.partition);
        if (range && (buffer.position < range.first || buffer.position > range.end))
          buffer.position = range.first;
      }
    } catch (failure) {
      this.#failure = { error: failure };
    }
  }

  #inTurn(): readonly PartitionBuffer[] {
    const first = this.#turn % Math.max(1, this.#buffers.length);
    return [...this.#buffers.slice(first), ...this.#buffers.slice(0, first)];
  }
}

const LEADER_MOVED = [
  "NOT_LEADER_OR_FOLLOWER",
  "LEADER_NOT_AVAILABLE",
  "FENCED_LEADER_EPOCH",
  "UNKNOWN_LEADER_EPOCH",
  "REPLICA_NOT_AVAILABLE",
];
const LEADER_PAUSE_MS = 250;
