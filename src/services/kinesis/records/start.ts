/** Where a caller wants to begin to read a shard. */
import type { Clock } from "../../../kit/clock.ts";
import type { Database } from "../../../store/database.ts";
import { invalidArgument } from "../errors.ts";
import { readSequenceNumber } from "../shards/sequence-number.ts";
import { shardIdOf } from "../shards/shard.ts";
import type { Shard } from "../shards/shard.ts";
import type { StreamRow } from "../store.ts";
import { placeOf, placeOfNumber } from "./position.ts";

export interface WantedStart {
  readonly type: "AT_SEQUENCE_NUMBER" | "AFTER_SEQUENCE_NUMBER" | "TRIM_HORIZON" | "LATEST" | "AT_TIMESTAMP";
  readonly sequenceNumber: string | undefined;
  readonly timestamp: Date | undefined;
  /** For what is said of it. */
  readonly operation: string;
}

interface StartDeps {
  readonly clock: Clock;
  readonly database: Database;
}

/** The place after which to read. @throws AwsError InvalidArgumentException */
export async function startPlace(
  { clock, database }: StartDeps,
  stream: StreamRow,
  shard: Shard,
  start: WantedStart,
): Promise<number> {
  const { type, sequenceNumber, timestamp } = start;
  const isByNumber = type === "AT_SEQUENCE_NUMBER" || type === "AFTER_SEQUENCE_NUMBER";
  if (isByNumber !== (sequenceNumber !== undefined))
    throw invalidArgument(
      "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or " +
        `(2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified ${type} and ` +
        `${isByNumber ? "no" : "also a"} StartingSequenceNumber.`,
    );
  if (sequenceNumber !== undefined) {
    const place = numberedPlace(stream, shard, start, sequenceNumber);
    return type === "AT_SEQUENCE_NUMBER" ? Math.max(place - 1, 0) : place;
  }
  if (type !== "AT_TIMESTAMP") return placeOf(database, stream, shard, { at: type as "LATEST" });
  if (!timestamp)
    throw invalidArgument(
      "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current request has no timestamp parameter.",
    );
  const [timestampMs, now] = [timestamp.getTime(), clock.now()];
  if (timestampMs > now)
    throw invalidArgument(
      "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. " +
        `timestampInMillis: ${timestampMs}, currentTimestampInMillis: ${now}`,
    );
  return placeOf(database, stream, shard, { at: "AT_TIMESTAMP", timestampMs });
}

function numberedPlace(
  { name, account }: StreamRow,
  shard: Shard,
  { operation }: WantedStart,
  sequenceNumber: string,
): number {
  const shardId = shardIdOf(shard.shardNo);
  const parts = readSequenceNumber(sequenceNumber);
  const used = `StartingSequenceNumber ${sequenceNumber} used in ${operation} on shard ${shardId} in stream ${name} under account ${account} is invalid`;
  if (!parts) throw invalidArgument(`${used}.`);
  if (parts.shardNo !== shard.shardNo)
    throw invalidArgument(
      `Invalid StartingSequenceNumber. It encodes ${shardIdOf(parts.shardNo)}, while it was used in a call to a shard with ${shardId}`,
    );
  const place = placeOfNumber(shard, sequenceNumber);
  if (place === undefined) throw invalidArgument(`${used} because it did not come from this stream.`);
  return place;
}
