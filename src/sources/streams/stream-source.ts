/**
 * One stream mapping at work on this server: reads the shards whose turn it is, each owned by one server, parents before their children.
 * Servers that share a database read as many each: who has more than its share lets shards go once their batches in flight have ended.
 */
import type { AwsError } from "../../aws/errors.ts";
import { every, sleep } from "../../kit/clock.ts";
import type { Lease } from "../../store/lease.ts";
import type { Mapping } from "../mapping.ts";
import type { RunningSource, SourceContext } from "../source.ts";
import type { EventShape } from "./events.ts";
import { Pause } from "./pause.ts";
import type { Shard, ShardPosition, ShardReader, StreamRecord } from "./ports.ts";
import type { Progress } from "./progress.ts";
import { shareOf } from "./share.ts";
import { streamSettings } from "./settings.ts";
import { ShardConsumer, ShardLost } from "./shard-consumer.ts";
import type { StreamAccess } from "./shard-consumer.ts";
import { dropShards, finishedShards, ownShard, startedAt } from "./store.ts";

/** With several servers, another one takes a shard over after this long. */
const LEASE_MS = 10_000;
const RENEW_MS = 3_000;
/** Between two looks at the list of shards, when the stream changes all the time. */
const LIST_MS_MIN = 1_000;
const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 60_000;
/** How long records of a stream are kept that does not say: those of tables. */
const RETENTION_MS_DEFAULT = 86_400_000;
/** How long it is believed that the stream is there and the role may read it. */
const ACCESS_AGE_MS_MAX = 5_000;

export interface StreamKindDeps<R extends StreamRecord> {
  readonly reader: ShardReader<R>;
  readonly shape: EventShape<R>;
  /** The stream of a mapping's source, which may be a consumer of it. */
  streamArn(eventSourceArn: string): string;
  /** @throws AwsError saying that the role may not read the stream. */
  checkRole(eventSourceArn: string, may: (action: string, arn: string) => Promise<boolean>): Promise<void>;
}

/** A problem that LastProcessingResult tells. */
class StreamProblem extends Error {}

interface Running<R extends StreamRecord> {
  readonly consumer: ShardConsumer<R>;
  readonly lease: Lease | undefined;
  readonly ended: Promise<void>;
  /** It ends, for another server to have it. */
  isLeaving: boolean;
}

export class StreamSource<R extends StreamRecord> implements RunningSource {
  readonly #kind: StreamKindDeps<R>;
  readonly #mapping: Mapping;
  readonly #context: SourceContext;
  readonly #sourceArn: string;
  readonly #streamArn: string;
  readonly #pause: Pause;
  readonly #running = new Map<string, Running<R>>();
  readonly #isShared: boolean;
  readonly #loop: Promise<void>;
  #failures = 0;
  #known: (StreamAccess & { readonly checkedAt: number }) | undefined;

  constructor(kind: StreamKindDeps<R>, mapping: Mapping, context: SourceContext) {
    this.#kind = kind;
    this.#mapping = mapping;
    this.#context = context;
    this.#sourceArn = mapping.eventSourceArn ?? "";
    this.#streamArn = kind.streamArn(this.#sourceArn);
    this.#pause = new Pause(context.clock, context.signal);
    this.#isShared = context.database.engine !== "sqlite";
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { signal, clock } = this.#context;
    const endRenewing = this.#isShared ? every(clock, RENEW_MS, () => this.#renew()) : () => {};
    const stopAll = () => this.#stopAll();
    signal.addEventListener("abort", stopAll, { once: true });
    while (!signal.aborted) {
      try {
        await this.#follow();
      } catch (error) {
        this.#tell(error);
        await this.#rest();
      }
    }
    stopAll();
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
    endRenewing();
  }

  /** Has every shard read whose turn it is, until the signal aborts. */
  async #follow(): Promise<void> {
    const { signal, database, clock } = this.#context;
    const { reader } = this.#kind;
    const { uuid } = this.#mapping;
    const start = await this.#start();
    while (!signal.aborted) {
      const news = new AbortController();
      try {
        const changed = reader.changed(this.#streamArn, undefined, news.signal);
        const listedAt = clock.now();
        await this.#access();
        const shards = await reader.shards(this.#streamArn);
        this.#failures = 0;
        const finished = await finishedShards(database, uuid);
        const listed = new Map(shards.map((shard) => [shard.shardId, shard]));
        await dropShards(
          database,
          uuid,
          [...finished.keys()].filter((shard) => !listed.has(shard)),
        );
        const isUnread = (shard: Shard | undefined) =>
          shard !== undefined && finished.get(shard.shardId) !== shard.startingSequenceNumber;
        const due = shards.filter(
          (shard) => isUnread(shard) && !shard.parents.some((parent) => isUnread(listed.get(parent))),
        );
        const share = this.#share(due.length);
        this.#letGo(share);
        for (const shard of due) if (this.#running.size < share) await this.#begin(shard, start);
        void this.#wakeAfter(changed, listedAt + LIST_MS_MIN, news.signal);
        await this.#pause.wait();
      } finally {
        news.abort();
      }
    }
  }

  /** Wakes when the stream has changed, but not again and again. */
  async #wakeAfter(changed: Promise<void>, at: number, signal: AbortSignal): Promise<void> {
    await changed.catch(() => {});
    const { clock } = this.#context;
    if (!signal.aborted) await sleep(clock, Math.max(0, at - clock.now()), signal);
    if (!signal.aborted) this.#pause.wake();
  }

  /** Shards that are for this server to read. */
  #share(shards: number): number {
    const context = this.#context;
    if (!this.#isShared) return Infinity;
    return shareOf(shards, context.servers(), context.owner, this.#mapping.uuid);
  }

  /** Ends what is more than the share, the latest first. */
  #letGo(share: number): void {
    const staying = [...this.#running.values()].filter(({ isLeaving }) => !isLeaving);
    for (const running of staying.slice(share)) {
      running.isLeaving = true;
      running.consumer.stop();
    }
  }

  /** Reads a shard unless that is under way, or another server does. */
  async #begin(shard: Shard, start: ShardPosition): Promise<void> {
    const context = this.#context;
    if (this.#running.has(shard.shardId) || context.signal.aborted) return;
    const { uuid, functionArn, region, settings } = this.#mapping;
    const name = `sources.shard.${uuid}.${shard.shardId}`;
    const lease = this.#isShared ? await context.leases.acquire(name, context.owner, LEASE_MS) : undefined;
    if (this.#isShared && !lease) return;
    const id = { mapping: uuid, shard: shard.shardId, epoch: lease?.epoch ?? 0 };
    const progress: Progress = { position: start, ahead: [] };
    const saved = await ownShard(context.database, id, shard.startingSequenceNumber, progress);
    if (!saved || saved.isFinished || context.signal.aborted) return lease?.release();
    const consumer = new ShardConsumer<R>(
      {
        context,
        functionArn,
        region,
        settings: streamSettings(settings),
        reader: this.#kind.reader,
        shape: this.#kind.shape,
        eventSourceArn: this.#sourceArn,
        streamArn: this.#streamArn,
        access: () => this.#access(),
        isThere: async () => (await this.#kind.reader.describe(this.#sourceArn)) !== undefined,
      },
      id,
      saved,
    );
    const ended = this.#consume(shard.shardId, consumer, lease);
    this.#running.set(shard.shardId, { consumer, lease, ended, isLeaving: false });
  }

  async #consume(shardId: string, consumer: ShardConsumer<R>, lease: Lease | undefined): Promise<void> {
    try {
      // Where the shard did not end, the stream may have.
      if (!(await consumer.run())) this.#known = undefined;
    } catch (error) {
      this.#tell(error);
      await this.#rest();
    } finally {
      await lease?.release().catch(() => {});
      this.#running.delete(shardId);
      this.#pause.wake();
    }
  }

  /** The place at which shards begin that have no checkpoint. */
  async #start(): Promise<ShardPosition> {
    const { settings, uuid, lastModified } = this.#mapping;
    // What comes once the mapping is there is read, however late this server begins with it.
    const since = await startedAt(this.#context.database, uuid, lastModified);
    switch (settings.StartingPosition) {
      case "TRIM_HORIZON":
        return { at: "TRIM_HORIZON" };
      case "AT_TIMESTAMP":
        return { at: "AT_TIMESTAMP", timestampMs: settings.StartingPositionTimestamp ?? since };
      default:
        return { at: "AT_TIMESTAMP", timestampMs: since };
    }
  }

  /** @throws where the function or the stream is gone, or the one's role may not read the other. */
  async #access(): Promise<StreamAccess> {
    const { clock } = this.#context;
    if (this.#known && clock.now() - this.#known.checkedAt < ACCESS_AGE_MS_MAX) return this.#known;
    const target = await this.#context.target();
    if (!target) throw new StreamProblem(`Function not found: ${this.#mapping.functionArn}`);
    const { reader } = this.#kind;
    await this.#kind.checkRole(this.#sourceArn, async (action, arn) =>
      this.#context.mayRole(action, { arn, policy: await reader.policyOf(arn) }),
    );
    const description = await reader.describe(this.#sourceArn);
    if (!description) throw new StreamProblem(`Stream not found: ${this.#sourceArn}`);
    const { retentionMs = RETENTION_MS_DEFAULT } = description;
    this.#known = { roleArn: target.roleArn, retentionMs, checkedAt: clock.now() };
    return this.#known;
  }

  #tell(error: unknown): void {
    if (error instanceof ShardLost || this.#context.signal.aborted) return;
    const { message, name } = error as AwsError;
    if (error instanceof StreamProblem || name === "InvalidParameterValueException")
      return this.#context.processed(`PROBLEM: ${message}`);
    this.#context.processed("PROBLEM: Internal error; the server's log says more");
    this.#context.log.error("A stream could not be read for an event source mapping", {
      mapping: this.#mapping.uuid,
      stream: this.#streamArn,
      error,
    });
  }

  /** A growing pause after failures. */
  async #rest(): Promise<void> {
    const ms = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(this.#failures++, 10));
    await sleep(this.#context.clock, ms, this.#context.signal);
  }

  #renew(): void {
    for (const { lease, consumer } of this.#running.values())
      void lease?.renew().then(
        (isHeld) => isHeld || consumer.stop(),
        () => {},
      );
    // Others may have let go.
    this.#pause.wake();
  }

  #stopAll(): void {
    for (const { consumer } of this.#running.values()) consumer.stop();
  }
}
