/** The Kafka client, loaded when the first mapping of Kafka starts. */
import type { Consumer, KafkaRecord as LibraryRecord, Producer } from "@platformatic/kafka";

export type KafkaLibrary = typeof import("@platformatic/kafka");
export type KafkaConsumer = Consumer;
export type KafkaProducer = Producer;
export type KafkaRecord = Pick<LibraryRecord, "key" | "value" | "headers">;

let loading: Promise<KafkaLibrary> | undefined;

export function kafkaLibrary(): Promise<KafkaLibrary> {
  loading ??= import("@platformatic/kafka");
  return loading;
}
