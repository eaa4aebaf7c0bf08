/** The streams of tables: begun, written to and ended, always in the transaction of what they tell of. */
import type { Clock } from "../../../kit/clock.ts";
import type { Ids } from "../../../kit/id.ts";
import type { Database, Transaction } from "../../../store/database.ts";
import type { RowPlace } from "../store-items.ts";
import {
  addRecord,
  addShard,
  addStream,
  markShardClosed,
  markStreamEnded,
  openShard,
} from "../store-streams.ts";
import type { ShardRow, ViewType } from "../store-streams.ts";
import { newId } from "../tables/definition.ts";
import type { TableDefinition, TableStream } from "../tables/definition.ts";
import { keySchema } from "../tables/describe.ts";
import { HASH_BYTES } from "../values/key-encoding.ts";
import { newShardId, streamArn, streamLabel } from "./names.ts";
import { recordJson } from "./record-json.ts";
import type { ItemChange } from "./record-json.ts";
import type { SequenceNumbers } from "./sequence.ts";
import { slotsOf } from "./slots.ts";

/** A shard older than this is closed by the next write, and has a child from then on, in milliseconds. */
const SHARD_AGE_MS_MAX = 4 * 60 * 60 * 1000;

/** One item's change, in a table with a stream. */
export interface StreamedChange extends ItemChange {
  readonly table: TableDefinition;
  readonly place: RowPlace;
}

export interface StreamLogDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly database: Database;
  readonly signals: StreamSignals;
  readonly sequence: SequenceNumbers;
}

/** Wakes those who wait for a stream. */
export interface StreamSignals {
  send(transaction: Transaction, topic: string): Promise<void>;
  wait(topic: string, signal: AbortSignal): Promise<void>;
}

/** The topic of a shard's signals, or without one of the stream's: that its shards have changed. */
export function streamTopic(arn: string, shardId = ""): string {
  return `dynamodb-stream:${arn}/${shardId}`;
}

export class StreamLog {
  readonly #deps: StreamLogDeps;

  constructor(deps: StreamLogDeps) {
    this.#deps = deps;
  }

  /** Begins a new stream of a table; answers what the table's definition says of it. */
  async begin(transaction: Transaction, table: TableDefinition, viewType: ViewType): Promise<TableStream> {
    const { clock, ids } = this.#deps;
    const now = clock.now();
    const { account, region, name } = table;
    const stream = { id: newId(ids), label: streamLabel(now), viewType, slots: slotsOf(table) };
    await addStream(transaction, {
      account,
      region,
      table: name,
      label: stream.label,
      id: stream.id,
      viewType,
      createdAt: now,
      keySchema: JSON.stringify(keySchema(table.key)),
    });
    for (let slot = 0; slot < stream.slots; slot++) await this.#open(transaction, stream.id, slot, "");
    return { ...stream, isEnabled: true };
  }

  /** Ends a table's stream; its records stay for as long as they would have. */
  async end(transaction: Transaction, table: TableDefinition): Promise<void> {
    const { stream } = table;
    if (!stream?.isEnabled) return;
    const now = this.#deps.clock.now();
    for (let slot = 0; slot < stream.slots; slot++) {
      const shard = await openShard(transaction, this.#deps.database.engine, stream.id, slot);
      if (shard) await this.#close(transaction, table, shard);
    }
    await markStreamEnded(transaction, stream.id, now);
    await this.#wake(transaction, table);
  }

  /** Writes the records of changes that a transaction has made; to be called once, at its end. */
  async record(transaction: Transaction, changes: readonly StreamedChange[]): Promise<void> {
    if (changes.length === 0) return;
    for (const { table, stream, slot, changes: ofSlot } of bySlot(changes)) {
      const shard = await this.#currentShard(transaction, table, stream, slot);
      const sequences = await this.#deps.sequence.take(transaction, ofSlot.length);
      const now = this.#deps.clock.now();
      for (const [i, change] of ofSlot.entries()) {
        const sequence = sequences[i] as number;
        const facts = { eventId: this.#deps.ids.hex(32), viewType: stream.viewType, sequence, now };
        const record = recordJson(table, change, facts);
        const row = {
          sequence,
          arrivedAt: now,
          bytes: Buffer.byteLength(record),
          itemKey: keyText(change.place),
          record,
        };
        await addRecord(transaction, shard.id, row);
      }
      await this.#wake(transaction, table, shard.shardId);
    }
  }

  /** The shard of a slot that takes records; a new one when the present one is old. */
  async #currentShard(
    transaction: Transaction,
    table: TableDefinition,
    stream: TableStream,
    slot: number,
  ): Promise<Pick<ShardRow, "id" | "shardId">> {
    const shard = await openShard(transaction, this.#deps.database.engine, stream.id, slot);
    if (!shard) throw new Error(`the stream ${stream.label} has no open shard for slot ${slot}`);
    if (this.#deps.clock.now() - shard.openedAt < SHARD_AGE_MS_MAX) return shard;
    await this.#close(transaction, table, shard);
    await this.#wake(transaction, table);
    return this.#open(transaction, stream.id, slot, shard.shardId);
  }

  async #open(
    transaction: Transaction,
    stream: number,
    slot: number,
    parent: string,
  ): Promise<Pick<ShardRow, "id" | "shardId">> {
    const { clock, ids, sequence } = this.#deps;
    const openedAt = clock.now();
    const [starting = 0] = await sequence.take(transaction, 1);
    const shard = {
      id: newId(ids),
      stream,
      slot,
      shardId: newShardId(ids, openedAt),
      parent,
      starting,
      openedAt,
    };
    await addShard(transaction, shard);
    return shard;
  }

  async #close(transaction: Transaction, table: TableDefinition, shard: ShardRow): Promise<void> {
    const [ending = 0] = await this.#deps.sequence.take(transaction, 1);
    await markShardClosed(transaction, { id: shard.id, ending, closedAt: this.#deps.clock.now() });
    await this.#wake(transaction, table, shard.shardId);
  }

  /** Wakes those who wait for a shard, or for a change of the stream's shards. */
  async #wake(transaction: Transaction, table: TableDefinition, shardId?: string): Promise<void> {
    const { account, region, name, stream } = table;
    const arn = streamArn({ account, region, table: name, label: stream?.label ?? "" });
    await this.#deps.signals.send(transaction, streamTopic(arn, shardId));
  }
}

interface SlotChanges {
  readonly table: TableDefinition;
  readonly stream: TableStream;
  readonly slot: number;
  readonly changes: StreamedChange[];
}

/** Changes by stream and slot, in one order for all transactions, so that none waits for another in a circle. */
function bySlot(changes: readonly StreamedChange[]): SlotChanges[] {
  const groups = new Map<string, SlotChanges>();
  for (const change of changes) {
    const { table, place } = change;
    const { stream } = table;
    if (!stream) continue;
    const hash = Buffer.from(place.partition.buffer, place.partition.byteOffset, HASH_BYTES).readUInt32BE();
    const slot = Math.floor((hash / 2 ** 32) * stream.slots);
    const id = `${stream.id}/${slot}`;
    const group = groups.get(id);
    if (group) group.changes.push(change);
    else groups.set(id, { table, stream, slot, changes: [change] });
  }
  return [...groups.values()].sort((a, b) => a.stream.id - b.stream.id || a.slot - b.slot);
}

/** A text that is the same for the same item, and for no other of its table. */
function keyText({ partition, position }: RowPlace): string {
  return `${base64(partition.subarray(HASH_BYTES))}.${base64(position)}`;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
