/** One step of a task that moves messages: some of them, in one transaction, in which the task also counts them. */
import type { Clock } from "../../../kit/clock.ts";
import type { Ids } from "../../../kit/id.ts";
import type { Database, Transaction } from "../../../store/database.ts";
import { MOVE_TASK_MS_MAX } from "../limits.ts";
import { relocate } from "../messages/dead-letters.ts";
import { settleGroup } from "../messages/groups.ts";
import { extraOf } from "../messages/message.ts";
import type { Extra, MessageRow } from "../messages/message.ts";
import type { ClaimDeps } from "../messages/claim.ts";
import type { Queue } from "../queues/settings.ts";
import { takeAllBack } from "../fairness/claim-fairly.ts";
import { asidesOf } from "../store/asides.ts";
import { deleteChunk, firstChunks, messagesIn } from "../store/chunks.ts";
import { readyGroups } from "../store/groups.ts";
import { insertOpened, messagesOfGroup, visibleMessages } from "../store/messages.ts";
import { countMoved, endMoveTask, getMoveTask } from "../store/move-tasks.ts";
import type { MoveTaskRow } from "../store/move-tasks.ts";

export interface MoveDeps extends ClaimDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly database: Database;
}

/** @returns whether the task goes on */
export async function moveSome(
  deps: MoveDeps,
  tx: Transaction,
  taskId: string,
  count: number,
): Promise<boolean> {
  const task = await getMoveTask(tx, taskId);
  if (!task || task.ended_at > 0) return false;
  const end = async (status: "COMPLETED" | "CANCELLED" | "FAILED", failure: string | null = null) => {
    await endMoveTask(tx, taskId, status, failure, deps.clock.now());
    return false;
  };
  if (task.status === "CANCELLING") return end("CANCELLED");
  if (deps.clock.now() - task.started_at >= MOVE_TASK_MS_MAX) return end("FAILED", "TaskTimedOut");
  const source = await deps.queues.findIn(tx, task.source_arn);
  if (!source) return end("FAILED", "AWS.SimpleQueueService.NonExistentQueue");
  const rows = await messagesToMove(deps, tx, source, task, count);
  if (rows.length === 0) return end("COMPLETED");
  const groups = new Set<string>();
  let moved = 0;
  let failure: string | undefined;
  for (const row of rows) {
    failure = await moveOne(deps, tx, { task, source, row });
    if (failure !== undefined) break;
    moved += 1;
    if (row.group_id !== null) groups.add(row.group_id);
  }
  if (source.isFifo) for (const group of groups) await settleGroup(tx, source.id, group, deps.clock.now());
  await countMoved(tx, taskId, moved);
  return failure === undefined || end("FAILED", failure);
}

/** Those that could be received when the task began, so that it comes to an end while others come in. */
async function messagesToMove(
  deps: MoveDeps,
  tx: Transaction,
  source: Queue,
  { started_at }: MoveTaskRow,
  count: number,
): Promise<MessageRow[]> {
  const { database } = deps;
  if (!source.isFifo) {
    const asides = (await asidesOf(tx, source.id)).values();
    await takeAllBack({ deps, tx, queue: source, now: started_at }, asides, count);
    // Those that were sent to it, and not moved.
    for (const chunk of await firstChunks(tx, database.engine, source.id, started_at, count)) {
      await deleteChunk(tx, source.id, chunk);
      await insertOpened(tx, source.id, messagesIn(chunk));
    }
    return visibleMessages(tx, database.engine, source.id, started_at, count);
  }
  const rows: MessageRow[] = [];
  for (const group of await readyGroups(tx, database.engine, source.id, started_at, count)) {
    const found = await messagesOfGroup(tx, source.id, group, 0, count - rows.length);
    for (const row of found) {
      if (row.visible_at > started_at) break;
      rows.push(row);
    }
    if (rows.length >= count) break;
  }
  return rows;
}

/** A message is a new one where it goes: with another id, and its retention beginning anew. @returns why it could not be moved */
async function moveOne(
  deps: MoveDeps,
  tx: Transaction,
  { task, source, row }: { readonly task: MoveTaskRow; readonly source: Queue; readonly row: MessageRow },
): Promise<string | undefined> {
  const { deadLetterOf, ...extra } = row.extra === null ? ({} as Extra) : (JSON.parse(row.extra) as Extra);
  const arn = task.destination_arn ?? deadLetterOf;
  if (arn === undefined) return "CouldNotDetermineMessageSource";
  const to = await deps.queues.findIn(tx, arn);
  if (!to) return "AWS.SimpleQueueService.NonExistentQueue";
  const now = deps.clock.now();
  const isMoved = await relocate(deps, tx, { from: source, to }, row, {
    visibleAt: now,
    sentAt: now,
    receives: 0,
    firstAt: 0,
    messageId: deps.ids.uuid(),
    extra: extraOf(extra),
  });
  return isMoved ? undefined : "AWS.SimpleQueueService.NonExistentQueue";
}
