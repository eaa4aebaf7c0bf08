/** When an item expires, and the entry that says so beside it. */
import type { Transaction } from "../../../store/database.ts";
import { addExpiry, removeExpiry } from "../store-expiries.ts";
import type { ItemRow, RowPlace } from "../store-items.ts";
import type { TimeToLive } from "../tables/definition.ts";
import type { Attributes } from "../values/value.ts";

/** An item whose time was longer ago than this is kept, in milliseconds: five years. */
export const EXPIRY_AGE_MS_MAX = 5 * 365 * 24 * 60 * 60 * 1000;
/** Seconds beyond which a number is no time: the year 5138. */
const SECONDS_MAX = 1e11;

/**
 * When an item's time is over, in epoch milliseconds: its attribute must be a number of seconds.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html
 */
export function expiryOf(item: Attributes, attribute: string): number | undefined {
  const text = Object.hasOwn(item, attribute) ? item[attribute]?.N : undefined;
  const seconds = text === undefined ? 0 : Math.floor(Number(text));
  return seconds > 0 && seconds < SECONDS_MAX ? seconds * 1000 : undefined;
}

/** Whether an item is to be deleted at a time. */
export function isExpired(item: Attributes, attribute: string, now: number): boolean {
  const at = expiryOf(item, attribute);
  return at !== undefined && at <= now && at > now - EXPIRY_AGE_MS_MAX;
}

/** Moves, adds or removes the entry of an item that is written. */
export async function updateExpiry(
  transaction: Transaction,
  { id, attribute }: TimeToLive,
  { partition, position }: RowPlace,
  { before, after }: { readonly before: ItemRow | undefined; readonly after: ItemRow | undefined },
): Promise<void> {
  const old = before && expiryOf(before.item, attribute);
  const next = after && expiryOf(after.item, attribute);
  if (old === next) return;
  if (old !== undefined) await removeExpiry(transaction, id, { at: old, partition, position });
  if (next !== undefined) await addExpiry(transaction, id, { at: next, partition, position });
}
