/** What a claim of a queue with noisy groups does before and behind the claim of all others. */
import type { Database, Transaction } from "../../../store/database.ts";
import type { MessageRow } from "../messages/message.ts";
import type { Queue } from "../queues/settings.ts";
import { holdAside, moveMessages } from "../store/asides.ts";
import { visibleMessages } from "../store/messages.ts";
import type { Fairness, Lanes } from "./fairness.ts";

export interface FairClaim {
  readonly deps: { readonly database: Database; readonly fairness: Fairness };
  readonly tx: Transaction;
  readonly queue: Queue;
  readonly now: number;
}

/** Messages looked at in one statement, and statements of one claim. */
const PAGE = 100;
const PAGES_MAX = 10;

/**
 * Sets noisy groups' messages aside until as many others as are wanted are the first, and takes back those of groups that are quiet again.
 * @param wanted Messages that the receivers have room for.
 */
export async function setAside(claim: FairClaim, lanes: Lanes, wanted: number): Promise<void> {
  const { deps, tx, queue, now } = claim;
  const { engine } = deps.database;
  const noisy = new Set(lanes.noisy);
  for (const [group, aside] of lanes.asides) if (!noisy.has(group)) await takeBack(claim, aside, wanted);
  if (noisy.size === 0) return;
  for (let page = 0; page < PAGES_MAX; page++) {
    const count = Math.max(wanted, PAGE);
    const rows = await visibleMessages(tx, engine, queue.id, now, count);
    const loud = Map.groupBy(rows, ({ group_id }) =>
      group_id !== null && noisy.has(group_id) ? group_id : undefined,
    );
    const others = loud.get(undefined)?.length ?? 0;
    loud.delete(undefined);
    for (const [group, own] of loud) await setOneAside(claim, lanes.asides.get(group ?? ""), own);
    if (loud.size === 0 || others >= wanted || rows.length < count) return;
  }
}

async function setOneAside(
  { deps, tx, queue }: FairClaim,
  aside: number | undefined,
  rows: readonly MessageRow[],
): Promise<void> {
  // Another server may have taken it away meanwhile: then they stay where they are for now.
  if (aside === undefined || !(await holdAside(tx, aside))) return deps.fairness.changed(queue);
  const seqs = rows.map(({ seq }) => seq);
  await moveMessages(tx, queue.id, aside, seqs);
}

/**
 * The first messages that were set aside, which are the queue's again.

 */
export async function* setAsideBefore(
  claim: FairClaim,
  lanes: Lanes,
  wanted: () => number,
): AsyncGenerator<MessageRow, void, undefined> {
  for (const group of lanes.noisy) {
    const aside = lanes.asides.get(group);
    if (aside === undefined) continue;
    for (let page = 0; page < PAGES_MAX; page++) {
      const count = Math.min(wanted(), PAGE);
      if (count <= 0) return;
      const rows = await takeBack(claim, aside, count);
      yield* rows;
      if (rows.length < count) break;
    }
  }
}

async function takeBack(
  { deps, tx, queue, now }: FairClaim,
  aside: number,
  count: number,
): Promise<MessageRow[]> {
  const rows = await visibleMessages(tx, deps.database.engine, aside, now, count);
  const seqs = rows.map(({ seq }) => seq);
  await moveMessages(tx, aside, queue.id, seqs);
  return rows;
}

/** Takes some of what is set aside of a queue back, for what reads the queue alone. */
export async function takeAllBack(claim: FairClaim, asides: Iterable<number>, count: number): Promise<void> {
  for (const aside of asides) await takeBack(claim, aside, count);
}
