/** Changes one stream in a transaction, and makes it known. */
import type { Transaction } from "../../store/database.ts";
import type { Kinesis } from "./deps.ts";
import { noSuchStream, resourceInUse } from "./errors.ts";
import { readStream } from "./streams.ts";
import type { Stream } from "./streams.ts";
import { updateStream } from "./store.ts";
import type { StreamPlace, StreamRow } from "./store.ts";

/** @param change Answers the columns that change. @throws AwsError for a stream that is gone or being deleted */
export async function changeStream(
  { database, streams }: Pick<Kinesis, "database" | "streams">,
  place: StreamPlace,
  change: (stream: Stream, tx: Transaction) => Partial<StreamRow> | Promise<Partial<StreamRow>>,
): Promise<void> {
  await database.tx(async (tx) => {
    streams.forgetAfter(tx, place);
    const stream = await readStream(tx, place);
    if (!stream) throw noSuchStream(place);
    requireActive(stream);
    await updateStream(tx, { ...stream, ...(await change(stream, tx)) });
  });
}

/** @throws AwsError ResourceInUseException */
export function requireActive({ name, account, status }: StreamRow): void {
  if (status !== "ACTIVE")
    throw resourceInUse(`Stream ${name} under account ${account} not ACTIVE, instead in state ${status}`);
}
