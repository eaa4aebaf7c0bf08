/** Reads records of partitions from the brokers that lead them, over connections of its own: a fetch that waits must hold up nothing else. */
import type { RecordsBatch } from "@platformatic/kafka";
import type { Cluster } from "./cluster.ts";
import type { ReadRecord } from "./event.ts";
import { kafkaLibrary } from "./library.ts";
import type { KafkaConsumer } from "./library.ts";

/** Of one answer; a larger record comes alone. */
const fetchBytesMax = 6_291_456;
/** How long a broker waits for a record before it answers that there is none. */
const waitMs = 5_000;
/** Attributes of a batch. */
const CONTROL = 0x20;
const LOG_APPEND_TIME = 0x08;
const READ_UNCOMMITTED = 0;

/** What came for one partition. */
export interface Fetched {
  readonly partition: number;
  readonly records: readonly ReadRecord[];
  /** Where to go on. */
  readonly next: bigint;
}

export class Fetcher {
  readonly #consumer: KafkaConsumer;
  readonly #topic: string;

  private constructor(consumer: KafkaConsumer, topic: string) {
    this.#consumer = consumer;
    this.#topic = topic;
  }

  static async open(cluster: Cluster, groupId: string, topic: string): Promise<Fetcher> {
    const { Consumer } = await kafkaLibrary();
    // It never joins the group: it is the library's name for what can fetch.
    const consumer = new Consumer({ ...cluster.options, groupId });
    consumer.on("error", () => undefined);
    return new Fetcher(consumer, topic);
  }

  /** Which of the partitions each broker leads. */
  async leaders(partitions: Iterable<number>, isStale: boolean): Promise<Map<number, number[]>> {
    const metadata = await this.#consumer.metadata({ topics: [this.#topic], forceUpdate: isStale });
    const leading = metadata.topics.get(this.#topic)?.partitions ?? [];
    return Map.groupBy(partitions, (partition) => leading[partition]?.leader ?? -1);
  }

  /** Records from the given offsets on; waits until there is one, for a few seconds. @throws errors of the library. */
  async fetch(node: number, offsets: ReadonlyMap<number, bigint>): Promise<Fetched[]> {
    const metadata = await this.#consumer.metadata({ topics: [this.#topic] });
    const answer = await this.#consumer.fetch({
      node,
      maxWaitTime: waitMs,
      minBytes: 1,
      maxBytes: fetchBytesMax,
      // As Kafka's own consumer reads unless told otherwise.
      isolationLevel: READ_UNCOMMITTED,
      topics: [
        {
          topicId: metadata.topics.get(this.#topic)?.id ?? "",
          partitions: [...offsets].map(([partition, fetchOffset]) => ({
            partition,
            fetchOffset,
            currentLeaderEpoch: -1,
            lastFetchedEpoch: -1,
            partitionMaxBytes: fetchBytesMax,
          })),
        },
      ],
    });
    const parts = answer.responses.flatMap(({ partitions }) => partitions);
    return parts.map(({ partitionIndex, records }) =>
      fetchedOf(partitionIndex, offsets.get(partitionIndex) ?? 0n, records ?? []),
    );
  }

  async close(): Promise<void> {
    await this.#consumer.close(true);
  }
}

function fetchedOf(partition: number, from: bigint, batches: readonly RecordsBatch[]): Fetched {
  const records: ReadRecord[] = [];
  let next = from;
  for (const batch of batches) {
    const after = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n;
    if (after > next) next = after;
    // Marks of transactions are no records.
    if ((batch.attributes & CONTROL) !== 0) continue;
    const isAppendTime = (batch.attributes & LOG_APPEND_TIME) !== 0;
    for (const record of batch.records) {
      const offset = batch.firstOffset + BigInt(record.offsetDelta);
      // A compressed batch comes whole, also when the offset asked for is in its middle.
      if (offset < from) continue;
      const created = batch.firstTimestamp + record.timestampDelta;
      records.push({
        partition,
        offset,
        timestampMs: Number(isAppendTime ? batch.maxTimestamp : created),
        timestampType: isAppendTime ? "LOG_APPEND_TIME" : "CREATE_TIME",
        record,
      });
    }
  }
  return { partition, records, next };
}
