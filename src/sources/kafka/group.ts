/** A mapping's membership in its consumer group: which partitions it reads, from where, and how far it has come. */
import type { MappingSettings } from "../mapping.ts";
import type { Cluster } from "./cluster.ts";
import { kafkaLibrary } from "./library.ts";
import type { KafkaConsumer } from "./library.ts";

/** The group gives a member's partitions away when it has not been heard of for so long. */
const sessionMs = 10_000;
const heartbeatMs = 2_000;
/** Kafka's names of places in a partition. */
const EARLIEST = -2n;
const LATEST = -1n;
/** The epoch of a commit that knows of none. */
const NO_EPOCH = -1;

export interface GroupOptions {
  readonly groupId: string;
  /**
   * Names the member across restarts (static membership): who comes back under it takes its place at once, also after `kill -9`,
   * where the group would else wait for the dead one's session to end.
   */
  readonly instanceId: string;
  readonly topic: string;
  readonly start: Pick<MappingSettings, "StartingPosition" | "StartingPositionTimestamp">;
}

export class Group {
  readonly #consumer: KafkaConsumer;
  readonly #options: GroupOptions;
  #partitionCount: number;

  private constructor(consumer: KafkaConsumer, options: GroupOptions, partitionCount: number) {
    this.#consumer = consumer;
    this.#options = options;
    this.#partitionCount = partitionCount;
  }

  /**
   * Joins the group.
   * @param onChange Called when the group has given out its partitions anew, or the member was lost; the error then.
   * @throws errors of the library.
   */
  static async join(
    cluster: Cluster,
    options: GroupOptions,
    onChange: (error?: Error) => void,
  ): Promise<Group> {
    const { Consumer } = await kafkaLibrary();
    const consumer = new Consumer({
      ...cluster.options,
      groupId: options.groupId,
      groupInstanceId: options.instanceId,
      sessionTimeout: sessionMs,
      rebalanceTimeout: sessionMs,
      heartbeatInterval: heartbeatMs,
    });
    // An event of that name without a listener would end the process.
    consumer.on("error", onChange);
    let partitionCount: number;
    try {
      consumer.topics.track(options.topic);
      // Asked for first, as the group's own errors do not tell of a topic that is not there.
      const metadata = await consumer.metadata({ topics: [options.topic] });
      partitionCount = metadata.topics.get(options.topic)?.partitionsCount ?? 0;
      await consumer.joinGroup();
    } catch (error) {
      await consumer.close(true).catch(() => undefined);
      throw error;
    }
    consumer.on("consumer:group:join", () => onChange());
    consumer.on("consumer:heartbeat:error", ({ error }) => onChange(error));
    return new Group(consumer, options, partitionCount);
  }

  /** Partitions that the group gave to this member. */
  get partitions(): readonly number[] {
    const own = this.#consumer.assignments?.find(({ topic }) => topic === this.#options.topic);
    return own?.partitions ?? [];
  }

  /** Whether the topic has got more partitions since this was last asked; they are given out by {@link rejoin}. */
  async hasGrown(): Promise<boolean> {
    const { topic } = this.#options;
    const metadata = await this.#consumer.metadata({ topics: [topic], forceUpdate: true });
    const count = metadata.topics.get(topic)?.partitionsCount ?? 0;
    const isMore = count > this.#partitionCount;
    this.#partitionCount = count;
    return isMore;
  }

  /** Asks for the partitions anew; `onChange` tells of them. */
  async rejoin(): Promise<void> {
    await this.#consumer.joinGroup();
  }

  /**
   * Where to read each partition from: the group's committed offset, whatever the mapping says; else its starting position, which
   * is committed here, so that LATEST is the same place after a restart. A partition that is added later is read from its beginning.
   */
  async offsets(partitions: readonly number[]): Promise<Map<number, bigint>> {
    const committed = await this.#committed(partitions);
    const fresh = partitions.filter((partition) => !committed.has(partition));
    if (fresh.length === 0) return committed;
    const { StartingPosition, StartingPositionTimestamp } = this.#options.start;
    const isJoined = fresh.length < partitions.length;
    const at =
      isJoined || StartingPosition === "TRIM_HORIZON"
        ? EARLIEST
        : StartingPosition === "LATEST"
          ? LATEST
          : BigInt(StartingPositionTimestamp ?? 0);
    const begin = await this.offsetsAt(fresh, at);
    await this.commit(begin);
    return new Map([...committed, ...begin]);
  }

  /** @param at Epoch milliseconds, or a place: -2 the first record, -1 behind the last. What has no record so late begins behind the last. */
  async offsetsAt(partitions: readonly number[], at: bigint): Promise<Map<number, bigint>> {
    const { topic } = this.#options;
    const list = async (some: readonly number[], timestamp: bigint) => {
      const found = await this.#consumer.listOffsets({
        topics: [topic],
        partitions: { [topic]: [...some] },
        timestamp,
        isolationLevel: 0,
      });
      return new Map(some.map((partition) => [partition, found.get(topic)?.[partition] ?? -1n]));
    };
    const found = await list(partitions, at);
    const none = partitions.filter((partition) => (found.get(partition) ?? -1n) < 0n);
    return none.length === 0 ? found : new Map([...found, ...(await list(none, LATEST))]);
  }

  async range(partitions: readonly number[]): Promise<Map<number, { first: bigint; end: bigint }>> {
    const [first, end] = await Promise.all([
      this.offsetsAt(partitions, EARLIEST),
      this.offsetsAt(partitions, LATEST),
    ]);
    return new Map(partitions.map((one) => [one, { first: first.get(one) ?? 0n, end: end.get(one) ?? 0n }]));
  }

  /** Makes the group go on from these offsets; durable at the brokers when it resolves. */
  async commit(offsets: ReadonlyMap<number, bigint>): Promise<void> {
    const { topic } = this.#options;
    // A partition that was given to another member meanwhile is for that one to commit.
    const own = [...offsets].filter(([partition]) => this.partitions.includes(partition));
    if (own.length === 0) return;
    await this.#consumer.commit({
      offsets: own.map(([partition, offset]) => ({
        topic,
        partition,
        offset,
        leaderEpoch: NO_EPOCH,
      })),
    });
  }

  /** Records behind each partition's committed offset. */
  async lag(partitions: readonly number[]): Promise<readonly number[]> {
    if (partitions.length === 0) return [];
    const [committed, end] = await Promise.all([
      this.#committed(partitions),
      this.offsetsAt(partitions, LATEST),
    ]);
    return partitions.map((partition) => {
      const last = end.get(partition) ?? 0n;
      return Math.max(0, Number(last - (committed.get(partition) ?? last)));
    });
  }

  async leave(): Promise<void> {
    await this.#consumer.close(true);
  }

  async #committed(partitions: readonly number[]): Promise<Map<number, bigint>> {
    const { topic } = this.#options;
    const found = await this.#consumer.listCommittedOffsets({
      topics: [{ topic, partitions: [...partitions] }],
    });
    const offsets = found.get(topic) ?? [];
    return new Map(
      partitions
        .map((partition) => [partition, offsets[partition] ?? -1n] as const)
        .filter(([, offset]) => offset >= 0n),
    );
  }
}
