/** Streams as event source mappings read them: in this process, without HTTP. Satisfied in server/compose.ts. */

export interface ShardReader<R extends StreamRecord> {
  /** Undefined where there is no such stream, or no such consumer of it. @param sourceArn A stream's, or a consumer's (enhanced fan-out). */
  describe(sourceArn: string): Promise<StreamDescription | undefined>;
  /** The text of its own policy; undefined where it has none. @param sourceArn A stream's, or a consumer's. */
  policyOf(sourceArn: string): Promise<string | undefined>;
  /** All shards that are open or still have records, parents before children. */
  shards(sourceArn: string): Promise<readonly Shard[]>;
  /** Records in order from a position; none when there are none yet. */
  read(
    sourceArn: string,
    shardId: string,
    from: ShardPosition,
    limits: { readonly records: number; readonly bytes: number },
  ): Promise<ShardRead<R>>;
  /**
   * Resolves when records or shards may have been added, or the signal aborts. Nothing that is added after the call is missed: call,
   * look, and only then await.
   */
  changed(sourceArn: string, shardId: string | undefined, signal: AbortSignal): Promise<void>;
}

export interface StreamDescription {
  /** Whether records are still written. */
  readonly enabled: boolean;
  /** How long a record is kept, in milliseconds; 24 hours where it is not told. */
  readonly retentionMs?: number;
}

export interface Shard {
  readonly shardId: string;
  readonly parents: readonly string[];
  readonly startingSequenceNumber: string;
}

export interface ShardRead<R> {
  readonly records: readonly R[];
  /** Where to go on. */
  readonly next: ShardPosition;
  /** The shard is closed, and all of it was read; so it is of a shard that is gone. */
  readonly ended: boolean;
  /** 0 where nothing follows what was read. */
  readonly millisBehindLatest: number;
}

export type ShardPosition =
  | { readonly at: "TRIM_HORIZON" | "LATEST" }
  | { readonly at: "AT_TIMESTAMP"; readonly timestampMs: number }
  /** A sequence number. */
  | { readonly after: string };

/** What any stream's record has. */
export interface StreamRecord {
  readonly sequenceNumber: string;
  /** Epoch milliseconds. */
  readonly arrivalMs: number;
}

export interface KinesisRecord extends StreamRecord {
  readonly partitionKey: string;
  readonly data: Buffer;
}

export interface DynamoDbRecord extends StreamRecord {
  /** The item's keys as text: changes of one item are in order. */
  readonly key: string;
  /** The record as GetRecords of DynamoDB Streams has it, but `userIdentity` as the event has it. */
  readonly json: string;
}
