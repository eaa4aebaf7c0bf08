/** Where events go that were given up: the OnFailure destination, or nowhere where the mapping names none. */
import type { Mapping } from "../mapping.ts";
import { failureObjectKey } from "../source.ts";
import type { SourceContext } from "../source.ts";
import type { Cluster } from "./cluster.ts";
import type { GivenUp } from "./delivery.ts";
import { payloadOf } from "./event.ts";
import type { Envelope, KafkaEvent } from "./event.ts";
import { batchRecord, topicRecord } from "./given-up.ts";
import { kafkaLibrary } from "./library.ts";
import type { KafkaProducer } from "./library.ts";
import { destinationTopic } from "./settings.ts";

/** Every replica that is in sync has it. */
const ACKS_ALL = -1;

export class FailureSink implements AsyncDisposable {
  readonly #mapping: Mapping;
  readonly #context: SourceContext;
  readonly #cluster: Cluster;
  #producer: Promise<KafkaProducer> | undefined;

  constructor(mapping: Mapping, context: SourceContext, cluster: Cluster) {
    this.#mapping = mapping;
    this.#context = context;
    this.#cluster = cluster;
  }

  /** Durable when it resolves. @throws errors of the library, when the destination is a topic that cannot be written to. */
  async put(envelope: Envelope, events: readonly KafkaEvent[], why: GivenUp): Promise<void> {
    const { uuid, functionArn, settings } = this.#mapping;
    const { clock, ids, log, failureDestination } = this.#context;
    const about = (some: readonly KafkaEvent[]) => ({
      ...why,
      functionArn,
      envelope,
      events: some,
      payload: payloadOf(envelope, some),
      atMs: clock.now(),
      noRequestId: ids.uuid(),
    });
    const topic = destinationTopic(settings);
    if (topic !== undefined)
      await this.#produce(
        topic,
        events.map((event) => ({ key: event.key, value: topicRecord(about([event])) })),
      );
    else if (failureDestination !== undefined) {
      const record = batchRecord(about(events), failureDestination === "s3");
      const part = `${envelope.topic}-${events[0]?.partition}`;
      const objectKey = failureObjectKey(uuid, part, clock.now(), ids.uuid());
      await this.#context.database.tx((tx) =>
        this.#context.onFailure(tx, { record, objectKey, events: events.length }),
      );
    } else
      log.warn("Records of Kafka were given up, and their mapping has no OnFailure destination", {
        uuid,
        condition: why.condition,
        records: events.length,
      });
    this.#context.count("DroppedEventCount", events.length);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const producer = await this.#producer?.catch(() => undefined);
    await producer?.close().catch(() => undefined);
  }

  async #produce(
    topic: string,
    messages: readonly { readonly key: Buffer | null; readonly value: Buffer }[],
  ): Promise<void> {
    try {
      this.#producer ??= this.#open();
      const producer = await this.#producer;
      await producer.send({
        messages: messages.map(({ key, value }) => ({ topic, value, ...(key && { key }) })),
        acks: ACKS_ALL,
      });
      this.#context.count("OnFailureDestinationDeliveredEventCount", messages.length);
    } catch (error) {
      this.#context.count("OnFailureDestinationDeliveryErrorCount", 1);
      throw error;
    }
  }

  async #open(): Promise<KafkaProducer> {
    const { Producer } = await kafkaLibrary();
    const producer = new Producer(this.#cluster.options);
    producer.on("error", () => undefined);
    return producer;
  }
}
