/**
 * Sequence numbers as Kinesis gives them: 186 bits in 56 decimal digits. From the top: when the shard was made, the record's place in
 * the shard, when it came, and the shard, so that the numbers of a shard grow, and those of its children are greater still.
 */

/** What a number says. */
export interface SequenceParts {
  /** Epoch seconds. */
  readonly shardCreatedSeconds: number;
  readonly shardNo: number;
  /** 0 before the first record of a shard; grows from record to record. */
  readonly index: number;
}

/** A shard as its numbers name it. */
export interface NumberedShard {
  readonly shardNo: number;
  readonly createdSeconds: number;
}

const VERSION = 2n;
const SHARD_BIT = 4n;
const TIME_BIT = 36n;
const INDEX_BIT = 80n;
const NIBBLE_BIT = 144n;
const CREATED_BIT = 148n;
const LEAD_BIT = 184n;
const LEAD = 2n;
const mask = (bits: bigint) => (1n << bits) - 1n;

/** After every record that a shard can have. */
const LAST_INDEX = mask(63n);
/** What stands for it among the indices of records. */
export const INDEX_MAX = Number.MAX_SAFE_INTEGER;
const INDEX_STEP = 1n << INDEX_BIT;

/** The number of a record; of what lies before the first with index 0. @param atSeconds When it came, in epoch seconds. */
export function sequenceNumber(shard: NumberedShard, index: number, atSeconds: number): string {
  const place = index >= INDEX_MAX ? LAST_INDEX : BigInt(index);
  return String(numberAt(shard, place, atSeconds));
}

/** Writes the numbers of records that came together, one after the other. */
export function sequenceNumbers(
  shard: NumberedShard,
  firstIndex: number,
  count: number,
  atSeconds: number,
): string[] {
  const numbers = Array.from<string>({ length: count });
  let number = numberAt(shard, BigInt(firstIndex), atSeconds);
  for (let at = 0; at < count; at++) {
    numbers[at] = number.toString();
    number += INDEX_STEP;
  }
  return numbers;
}

/** Undefined for a number that no stream gave out. */
export function readSequenceNumber(text: string): SequenceParts | undefined {
  if (!/^\d{56}$/.test(text)) return undefined;
  const number = BigInt(text);
  if (number >> LEAD_BIT !== LEAD || (number & mask(SHARD_BIT)) !== VERSION) return undefined;
  const shardNo = Number((number >> SHARD_BIT) & mask(32n));
  if (((number >> NIBBLE_BIT) & mask(4n)) !== BigInt(shardNo & 0xf)) return undefined;
  return {
    shardCreatedSeconds: Number((number >> CREATED_BIT) & mask(36n)),
    shardNo,
    index: Math.min(Number((number >> INDEX_BIT) & mask(64n)), INDEX_MAX),
  };
}

function numberAt({ shardNo, createdSeconds }: NumberedShard, index: bigint, atSeconds: number): bigint {
  return (
    (LEAD << LEAD_BIT) |
    (BigInt(createdSeconds) << CREATED_BIT) |
    (BigInt(shardNo & 0xf) << NIBBLE_BIT) |
    (index << INDEX_BIT) |
    (BigInt(atSeconds) << TIME_BIT) |
    (BigInt(shardNo) << SHARD_BIT) |
    VERSION
  );
}
