/**
 * Reads one shard for a mapping from its checkpoint to its end: filters, spreads the records over lanes by key, and keeps the checkpoint.
 * Waits for news of the shard when there is nothing to read; it never polls.
 */
import type { Transaction } from "../../store/database.ts";
import { BATCH_BYTES_MAX } from "../source.ts";
import type { SourceContext } from "../source.ts";
import { BatchRunner } from "./batch-runner.ts";
import type { RunnerDeps } from "./batch-runner.ts";
import { Commits } from "./commits.ts";
import type { EventPlace, EventShape } from "./events.ts";
import { Lane } from "./lane.ts";
import { Pause } from "./pause.ts";
import type { ShardReader, StreamRecord } from "./ports.ts";
import { ProgressTracker, laneOf } from "./progress.ts";
import type { StreamSettings } from "./settings.ts";
import { saveShard } from "./store.ts";
import type { SavedShard, ShardId } from "./store.ts";
import { windowSlot } from "./window.ts";
import type { Window } from "./window.ts";

export interface ShardDeps<R extends StreamRecord> {
  readonly context: SourceContext;
  readonly reader: ShardReader<R>;
  readonly shape: EventShape<R>;
  readonly settings: StreamSettings;
  readonly functionArn: string;
  readonly region: string;
  /** As the mapping names it: the stream's, or a consumer's. */
  readonly eventSourceArn: string;
  readonly streamArn: string;
  /** @throws where the function or the stream is gone, or the one may not read the other. */
  access(): Promise<StreamAccess>;
  /** Whether the stream is still there. */
  isThere(): Promise<boolean>;
}

/** What may change while a shard is read. */
export interface StreamAccess {
  /** The function's execution role. */
  readonly roleArn: string;
  /** How long records are kept, in milliseconds. */
  readonly retentionMs: number;
}

/** The mapping is gone, or another server has the shard. */
export class ShardLost extends Error {}

/** Records that wait: twice what the lanes can have in flight, at least so many. */
const WAITING_MIN = 1_000;
const READ_MAX = 10_000;
/** A checkpoint that moves by filtered records alone is written after so long. */
const LAZY_SAVE_MS = 1_000;

export class ShardConsumer<R extends StreamRecord> {
  readonly #deps: ShardDeps<R>;
  readonly #id: ShardId;
  readonly #abort = new AbortController();
  readonly #tracker: ProgressTracker;
  readonly #lanes: readonly Lane<R>[];
  readonly #commits: Commits;
  /** Until records or room are there. */
  readonly #pause: Pause;
  /** The open ones, by slot. */
  readonly #windows: Map<string, Window>;
  #isFinished = false;
  /** Nothing is read until records have left. */
  #isFull = false;
  #caughtUpAt = 0;
  #retentionMs = Infinity;
  #cancelSave: (() => void) | undefined;

  constructor(deps: ShardDeps<R>, id: ShardId, saved: SavedShard) {
    this.#deps = deps;
    this.#id = id;
    const { context, settings, shape } = deps;
    const { signal } = this.#abort;
    this.#windows = new Map(saved.windows.map((window) => [window.slot, window]));
    this.#tracker = new ProgressTracker(saved.progress, settings.parallelizationFactor);
    this.#commits = new Commits((extras) => this.#write(extras));
    this.#pause = new Pause(context.clock, signal);
    const runnerDeps = {
      ...deps,
      signal,
      batchInfo: shape.batchInfo,
      mappingUuid: id.mapping,
      shardId: id.shard,
      retentionMs: () => this.#retentionMs,
      commit: (done, change, extra) => {
        this.#tracker.done(done.lane, done.sequenceNumbers);
        if (change?.window) this.#windows.set(change.slot, change.window);
        else if (change) this.#windows.delete(change.slot);
        return this.#commits.commit(extra);
      },
    } satisfies RunnerDeps;
    const lanes = settings.parallelizationFactor;
    const slots = Array.from({ length: lanes }, (_, lane) => windowSlot(lane, lanes));
    this.#lanes = slots.map((slot, lane) => {
      const runner = new BatchRunner<R>(runnerDeps, lane, slot);
      return new Lane<R>(
        {
          clock: context.clock,
          signal,
          settings,
          runner,
          onRoom: () => this.#isFull && this.#pause.wake(),
          caughtUpAt: () => this.#caughtUpAt,
          look: () => this.#pause.wake(),
        },
        this.#windows.get(slot),
        // Windows of lanes that are no more end before anything else.
        lane === 0 ? saved.windows.filter((window) => !slots.includes(window.slot)) : [],
      );
    });
  }

  /** Takes nothing more; `run` resolves once nothing is in flight. */
  stop(): void {
    this.#abort.abort();
  }

  /**
   * Resolves with whether the shard's end was reached.
   * @throws ShardLost, and whatever the stream or the store threw; what is durable then is where the next consumer begins.
   */
  async run(): Promise<boolean> {
    const lanes = Promise.allSettled(this.#lanes.map((lane) => this.#orStop(lane.run())));
    const [read] = await Promise.allSettled([this.#orStop(this.#read())]);
    if (read.status === "fulfilled" && read.value) for (const lane of this.#lanes) lane.end();
    const ends = [read, ...(await lanes)];
    this.#cancelSave?.();
    await this.#commits.settled();
    // Whatever failed, nothing is in flight when the next consumer begins.
    for (const end of ends) if (end.status === "rejected") throw end.reason;
    const ended = read.status === "fulfilled" && read.value;
    // A shard ends, too, where its stream was deleted.
    if (ended && !this.#abort.signal.aborted) this.#isFinished = await this.#deps.isThere();
    await this.#commits.commit();
    return this.#isFinished;
  }

  /** What fails ends all of it. */
  async #orStop<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      this.#abort.abort();
      throw error;
    }
  }

  /** Reads until the shard's end (true), or the signal aborts. */
  async #read(): Promise<boolean> {
    const { reader, streamArn, settings, context } = this.#deps;
    const { signal } = this.#abort;
    const lanes = settings.parallelizationFactor;
    const limits = {
      records: Math.min(READ_MAX, Math.max(WAITING_MIN, settings.batchSize * lanes)),
      bytes: BATCH_BYTES_MAX,
    };
    let from = this.#tracker.progress().position;
    while (!signal.aborted) {
      this.#isFull = !this.#hasRoom();
      if (this.#isFull) {
        await this.#pause.wait();
        continue;
      }
      const news = new AbortController();
      const changed = reader.changed(streamArn, this.#id.shard, news.signal);
      try {
        const at = context.clock.now();
        const { roleArn, retentionMs } = await this.#deps.access();
        this.#retentionMs = retentionMs;
        const read = await reader.read(streamArn, this.#id.shard, from, limits);
        const { records, next, ended, millisBehindLatest } = read;
        if (signal.aborted) return false;
        this.#take(records, roleArn);
        this.#tracker.readTo(next);
        from = next;
        if (ended) return true;
        if (records.length > 0 && millisBehindLatest > 0) continue;
        this.#caughtUpAt = at;
        for (const lane of this.#lanes) lane.wake();
        // A look that has ended wakes nobody any more.
        const wake = () => !news.signal.aborted && this.#pause.wake();
        void changed.then(wake, wake);
        await this.#pause.wait();
      } finally {
        news.abort();
      }
    }
    return false;
  }

  #hasRoom(): boolean {
    const { batchSize, parallelizationFactor: lanes } = this.#deps.settings;
    let records = 0;
    let bytes = 0;
    for (const lane of this.#lanes) {
      records += lane.waiting;
      bytes += lane.waitingBytes;
    }
    return records < Math.max(WAITING_MIN, 2 * batchSize * lanes) && bytes < (lanes + 1) * BATCH_BYTES_MAX;
  }

  #take(records: readonly R[], roleArn: string): void {
    if (records.length === 0) return;
    const { context, shape, region, eventSourceArn } = this.#deps;
    const place: EventPlace = { shardId: this.#id.shard, eventSourceArn, region, roleArn };
    const readAt = context.clock.now();
    let [polled, filtered] = [0, 0];
    for (const record of records) {
      const { sequenceNumber } = record;
      const key = shape.key(record);
      this.#tracker.add(sequenceNumber);
      if (this.#tracker.wasDone(sequenceNumber, key)) {
        this.#tracker.skip(sequenceNumber);
        continue;
      }
      polled++;
      if (!this.#matches(record, place)) {
        filtered++;
        this.#tracker.skip(sequenceNumber);
        continue;
      }
      const json = shape.json(record, place);
      const item = { record, json, bytes: Buffer.byteLength(json), readAt };
      this.#lanes[laneOf(key, this.#lanes.length)]?.add(item);
    }
    context.count("PolledEventCount", polled);
    if (filtered > 0) context.count("FilteredOutEventCount", filtered);
    if (polled === filtered) this.#saveLater();
    else for (const lane of this.#lanes) lane.wake();
  }

  #matches(record: R, place: EventPlace): boolean {
    const { context, shape } = this.#deps;
    if (!context.isFiltered) return true;
    const seen = shape.filtered(record, place);
    return context.matches(seen.record, seen.data);
  }

  #saveLater(): void {
    this.#cancelSave ??= this.#deps.context.clock.after(LAZY_SAVE_MS, () => {
      this.#cancelSave = undefined;
      this.#orStop(this.#commits.commit()).catch(() => {});
    });
  }

  async #write(extras: readonly ((tx: Transaction) => Promise<void>)[]): Promise<void> {
    const saved = {
      progress: this.#tracker.progress(),
      windows: [...this.#windows.values()],
      isFinished: this.#isFinished,
    };
    await this.#deps.context.database.tx(async (tx) => {
      if (!(await saveShard(tx, this.#id, saved))) throw new ShardLost();
      for (const extra of extras) await extra(tx);
    });
  }
}
