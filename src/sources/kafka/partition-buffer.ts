/** Records of one partition that were read and not yet handed to the function, in order. */
import type { KafkaEvent } from "./event.ts";

/** A record that was read: what the function gets of it, or nothing where the mapping's filters keep it away. */
export interface Read {
  readonly offset: bigint;
  readonly event: KafkaEvent | undefined;
}

export class PartitionBuffer {
  readonly partition: number;
  /** Where to read on. */
  position: bigint;
  /** The broker was asked and has not answered. */
  isFetching = false;
  #reads: Read[] = [];
  #taken = 0;
  #bytes = 0;
  #events = 0;

  constructor(partition: number, position: bigint) {
    this.partition = partition;
    this.position = position;
  }

  get events(): number {
    return this.#events;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#taken === this.#reads.length;
  }

  add(reads: readonly Read[], position: bigint): void {
    this.#reads = [...this.#reads.slice(this.#taken), ...reads];
    this.#taken = 0;
    for (const { event } of reads) this.#count(event, 1);
    this.position = position;
  }

  peek(): Read | undefined {
    return this.#reads[this.#taken];
  }

  take(): void {
    this.#count(this.#reads[this.#taken]?.event, -1);
    this.#taken += 1;
  }

  #count(event: KafkaEvent | undefined, sign: 1 | -1): void {
    if (!event) return;
    this.#events += sign;
    this.#bytes += sign * event.bytes;
  }
}
