/** When something of a message group can be received: not while one of its messages is in flight, and in order. */
import type { Transaction } from "../../../store/database.ts";
import { setGroupReady } from "../store/groups.ts";
import { groupState } from "../store/messages.ts";

/** Rows looked at in one statement; mostly the first tells. */
const PAGE = 11;

/**
 * Works out anew when a group is ready, after one of its messages was deleted, moved or given another visibility. Its received messages
 * are its first ones, since they are received in order.
 * @returns when that is; undefined where it has no message any more
 */
export async function settleGroup(
  tx: Transaction,
  queueId: number,
  groupId: string,
  now: number,
): Promise<number | undefined> {
  let head: { readonly seq: number; readonly visible_at: number } | undefined;
  let blockedUntil = 0;
  for (let after = 0, isAll = false; !isAll;) {
    const rows = await groupState(tx, queueId, groupId, after, PAGE);
    head ??= rows[0];
    isAll = rows.length < PAGE;
    for (const { seq, visible_at, claims } of rows) {
      if (claims === 0) {
        isAll = true;
        break;
      }
      if (visible_at > now) blockedUntil = Math.max(blockedUntil, visible_at);
      after = seq;
    }
  }
  const readyAt = blockedUntil > 0 ? blockedUntil : head?.visible_at;
  await setGroupReady(
    tx,
    queueId,
    groupId,
    head && readyAt !== undefined ? { seq: head.seq, readyAt } : undefined,
  );
  return head && readyAt;
}
