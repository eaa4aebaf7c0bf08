/** A message that was received, to be changed alone. */
import type { Database, Transaction } from "../../../store/database.ts";
import type { Queue } from "../queues/settings.ts";
import { openChunkOf } from "../store/claimed-chunks.ts";
import { getMessage } from "../store/messages.ts";
import type { MessageRow, Receipt } from "./message.ts";

/** Its row; a chunk that it is in is opened for it. Undefined where it is gone. */
export async function inFlight(
  tx: Transaction,
  engine: Database["engine"],
  queue: Queue,
  { seq, claims }: Receipt,
): Promise<MessageRow | undefined> {
  const row = await getMessage(tx, queue.id, seq);
  if (row || queue.isFifo || claims !== 1) return row;
  return (await openChunkOf(tx, engine, queue.id, seq)) ? getMessage(tx, queue.id, seq) : undefined;
}
