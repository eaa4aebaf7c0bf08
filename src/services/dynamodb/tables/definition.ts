/** What a table is: its keys, indexes and settings, as kept in the store and as the item operations need it. */
import type { Ids } from "../../../kit/id.ts";
import type { ViewType } from "../store-streams.ts";
import type { KeyAttributeType } from "../values/value.ts";

/** A key attribute and its type. */
export interface KeyAttribute {
  readonly name: string;
  readonly type: KeyAttributeType;
}

/** The one or two attributes that identify or order entries. */
export interface Key {
  readonly partition: KeyAttribute;
  readonly sort: KeyAttribute | undefined;
}

export type Projection =
  | { readonly type: "ALL" }
  | { readonly type: "KEYS_ONLY" }
  | { readonly type: "INCLUDE"; readonly attributes: readonly string[] };

export interface Throughput {
  readonly read: number;
  readonly write: number;
  /** When it was changed last, in epoch milliseconds, and how often it was decreased on the UTC day of the last decrease. */
  readonly increasedAt?: number;
  readonly decreasedAt?: number;
  readonly decreases?: number;
}

export interface IndexDefinition {
  /** Owner of the index's entries in the store. */
  readonly id: number;
  readonly name: string;
  readonly isGlobal: boolean;
  readonly key: Key;
  readonly projection: Projection;
  /** Zeros with on-demand billing. */
  readonly throughput: Throughput;
  /** Whether the entries of items that were there before it are still being made; it cannot be read before. */
  readonly isCreating?: boolean;
  /** Of an index that has just been deleted, in the answer to that. */
  readonly isDeleting?: boolean;
}

/** The time to live of a table's items, or the last one it had. */
export interface TimeToLive {
  /** Owner of the items' expiries in the store. */
  readonly id: number;
  readonly attribute: string;
  readonly isEnabled: boolean;
  /** Whether the items that were there before have been looked at. */
  readonly isReady: boolean;
  /** Epoch milliseconds. */
  readonly changedAt: number;
}

/** The stream that a table has, or had last. */
export interface TableStream {
  readonly id: number;
  readonly label: string;
  readonly viewType: ViewType;
  /** Shares of the partition keys, each with an open shard of its own. */
  readonly slots: number;
  readonly isEnabled: boolean;
}

/** What writes replace in a table is kept: for point-in-time recovery, and while copies of the table are being made. */
export interface TableHistory {
  /** Owner of the entries in the store. */
  readonly id: number;
  readonly recovery?: {
    /** Epoch milliseconds. */
    readonly enabledAt: number;
    readonly days: number;
  };
  /** The ids of the copies. */
  readonly copies: readonly number[];
}

/** Where a restored table comes from. */
export interface RestoredFrom {
  readonly backupArn?: string;
  readonly tableArn: string;
  /** The moment that was restored, in epoch milliseconds. */
  readonly at: number;
  /** Whether its items are still being made; it is neither read nor written before. */
  readonly isUnderWay: boolean;
}

/** A policy on a table or stream. */
export interface ResourcePolicy {
  readonly text: string;
  readonly revision: string;
}

export interface TableDefinition {
  /** Owner of the table's items in the store; never given twice. */
  readonly id: number;
  /** The id that AWS shows, a UUID. */
  readonly tableId: string;
  readonly account: string;
  readonly region: string;
  readonly name: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly isDeleting: boolean;
  readonly attributes: readonly KeyAttribute[];
  readonly key: Key;
  readonly billing: "PROVISIONED" | "PAY_PER_REQUEST";
  /** When the billing was last changed to PAY_PER_REQUEST after the creation; epoch milliseconds. */
  readonly onDemandSince?: number;
  readonly throughput: Throughput;
  readonly deletionProtected: boolean;
  /** Whether the class was given at creation: only then AWS shows it. */
  readonly hasTableClass: boolean;
  readonly indexes: readonly IndexDefinition[];
  /** Grows with every change of the definition; absent before the first. */
  readonly revision?: number;
  readonly stream?: TableStream;
  readonly timeToLive?: TimeToLive;
  readonly policy?: ResourcePolicy;
  readonly history?: TableHistory;
  readonly restored?: RestoredFrom;
  /** Whether its items stay when it is deleted: a backup has them then. */
  readonly leavesItems?: boolean;
}

/** An id that no owner of rows has had before: 52 random bits. */
export function newId(ids: Ids): number {
  return Number.parseInt(ids.hex(13), 16);
}

/** `arn:aws:dynamodb:REGION:ACCOUNT:table/NAME`. */
export function tableArn({
  region,
  account,
  name,
}: Pick<TableDefinition, "region" | "account" | "name">): string {
  return `arn:aws:dynamodb:${region}:${account}:table/${name}`;
}

/** The attributes of a key, the partition key first. */
export function keyAttributes(key: Key): KeyAttribute[] {
  return key.sort ? [key.partition, key.sort] : [key.partition];
}

/** The attributes an index holds; undefined when it holds them all. */
export function projectedNames(table: TableDefinition, index: IndexDefinition): Set<string> | undefined {
  if (index.projection.type === "ALL") return undefined;
  const keys = [...keyAttributes(table.key), ...keyAttributes(index.key)].map(({ name }) => name);
  return new Set(index.projection.type === "INCLUDE" ? [...keys, ...index.projection.attributes] : keys);
}
