/** Records are stored in chunks: what one call put into one shard is a row, or few, and not a row for each record. */

export interface NewRecord {
  /** Absent where the stream did not ask for one. */
  readonly partitionKey: string | undefined;
  readonly data: Uint8Array;
}

export interface StoredRecord {
  /** Place in the shard. */
  readonly index: number;
  /** Epoch milliseconds. */
  readonly arrivedAt: number;
  readonly partitionKey: string | undefined;
  readonly data: Buffer;
}

/** Records of one shard, in their order, ready to be stored. */
export interface NewChunk {
  readonly shardNo: number;
  readonly count: number;
  /** Keys and data. */
  readonly bytes: number;
  readonly content: Buffer;
}

/** From so many bytes on a chunk takes no further record: it is read as a whole. */
const CHUNK_BYTES = 256 * 1_024;
/** Before each record: the length of its key (2 bytes) and of its data (4 bytes). */
const HEAD_BYTES = 6;
/** In the place of a key's length: there is no key. */
const NO_KEY = 0xffff;

/** What Kinesis counts: the key and the data. */
export function recordBytes({ partitionKey, data }: NewRecord): number {
  return data.length + (partitionKey === undefined ? 0 : Buffer.byteLength(partitionKey));
}

/** Cuts the records of a shard into chunks. */
export function toChunks(shardNo: number, records: readonly NewRecord[]): NewChunk[] {
  const chunks: NewChunk[] = [];
  let from = 0;
  let bytes = 0;
  for (let at = 0; at < records.length; at++) {
    bytes += recordBytes(records[at] as NewRecord);
    if (bytes < CHUNK_BYTES && at < records.length - 1) continue;
    const run = from === 0 && at === records.length - 1 ? records : records.slice(from, at + 1);
    chunks.push({ shardNo, count: run.length, bytes, content: encode(run, bytes) });
    from = at + 1;
    bytes = 0;
  }
  return chunks;
}

/** Makes one chunk of several of a shard, and as few as may be of many. */
export function joinChunks(chunks: readonly NewChunk[]): NewChunk[] {
  const joined: NewChunk[] = [];
  let run: NewChunk[] = [];
  let bytes = 0;
  for (const [at, chunk] of chunks.entries()) {
    run.push(chunk);
    bytes += chunk.bytes;
    if (bytes < CHUNK_BYTES && at < chunks.length - 1) continue;
    joined.push(run.length === 1 ? chunk : join(run, bytes));
    run = [];
    bytes = 0;
  }
  return joined;
}

function join(chunks: readonly NewChunk[], bytes: number): NewChunk {
  return {
    shardNo: chunks[0]?.shardNo ?? 0,
    count: chunks.reduce((sum, chunk) => sum + chunk.count, 0),
    bytes,
    content: Buffer.concat(chunks.map((chunk) => chunk.content)),
  };
}

function encode(records: readonly NewRecord[], bytes: number): Buffer {
  const content = Buffer.allocUnsafe(bytes + records.length * HEAD_BYTES);
  let at = 0;
  for (const { partitionKey, data } of records) {
    const keyBytes = partitionKey === undefined ? 0 : content.write(partitionKey, at + HEAD_BYTES);
    content.writeUInt16BE(partitionKey === undefined ? NO_KEY : keyBytes, at);
    content.writeUInt32BE(data.length, at + 2);
    at += HEAD_BYTES + keyBytes;
    content.set(data, at);
    at += data.length;
  }
  return content;
}

/** The records of a chunk after a place, one by one; their data are parts of `content`. */
export function* recordsOf(
  chunk: {
    readonly lastIndex: number;
    readonly count: number;
    readonly arrivedAt: number;
    readonly content: Buffer;
  },
  afterIndex: number,
): Generator<StoredRecord> {
  const { lastIndex, count, arrivedAt, content } = chunk;
  let at = 0;
  for (let index = lastIndex - count + 1; index <= lastIndex; index++) {
    const keyLength = content.readUInt16BE(at);
    const dataBytes = content.readUInt32BE(at + 2);
    const keyAt = at + HEAD_BYTES;
    const dataAt = keyAt + (keyLength === NO_KEY ? 0 : keyLength);
    at = dataAt + dataBytes;
    if (index <= afterIndex) continue;
    yield {
      index,
      arrivedAt,
      partitionKey: keyLength === NO_KEY ? undefined : content.toString("utf8", keyAt, dataAt),
      data: content.subarray(dataAt, at),
    };
  }
}
