/** ReceiveRequestAttemptId: a receive from a FIFO queue that is tried again gets the same messages. */
import type { Sqs } from "../deps.ts";
import { DEDUPLICATION_MS } from "../limits.ts";
import type { Queue } from "../queues/settings.ts";
import { getAttempt, holdGroup, putAttempt } from "../store/groups.ts";
import { getMessage, setVisible } from "../store/messages.ts";
import { settleGroup } from "./groups.ts";
import type { MessageRow } from "./message.ts";

/** What an attempt got: the claims, by number. */
type Received = readonly { readonly seq: number; readonly claims: number; readonly until: number }[];

/**
 * The messages of an earlier receive with the same id, with their receipt handles, hidden anew; undefined where there was none in the last
 * five minutes, or one of its messages has since been deleted, became visible, or got another visibility.
 */
export async function attemptAgain(
  { database, clock }: Pick<Sqs, "database" | "clock">,
  queue: Queue,
  attemptId: string,
  visibilityMs: number,
): Promise<MessageRow[] | undefined> {
  return database.tx(
    async (tx) => {
      const now = clock.now();
      const text = await getAttempt(tx, queue.id, attemptId, now);
      const before = text === undefined ? [] : (JSON.parse(text) as Received);
      const rows: MessageRow[] = [];
      for (const { seq, claims, until } of before) {
        const row = await getMessage(tx, queue.id, seq);
        if (!row || row.claims !== claims || row.visible_at !== until || until <= now) return undefined;
        rows.push(row);
      }
      if (rows.length === 0) return undefined;
      const until = now + visibilityMs;
      const groups = new Set(rows.map((row) => row.group_id ?? ""));
      for (const group of groups) await holdGroup(tx, queue.id, group);
      for (const { seq, claims } of rows) await setVisible(tx, { queueId: queue.id, seq, claims }, until);
      for (const group of groups) await settleGroup(tx, queue.id, group, now);
      const received = rows.map((row) => ({ ...row, visible_at: until }));
      await putAttempt(tx, queue.id, attemptId, now + DEDUPLICATION_MS, JSON.stringify(receivedOf(received)));
      return received;
    },
    { isolation: "read committed" },
  );
}

export async function rememberAttempt(
  { database, clock }: Pick<Sqs, "database" | "clock">,
  queue: Queue,
  attemptId: string,
  rows: readonly MessageRow[],
): Promise<void> {
  if (rows.length === 0) return;
  const until = clock.now() + DEDUPLICATION_MS;
  await database.tx((tx) => putAttempt(tx, queue.id, attemptId, until, JSON.stringify(receivedOf(rows))), {
    isolation: "read committed",
    resolves: "committed",
  });
}

function receivedOf(rows: readonly MessageRow[]): Received {
  return rows.map(({ seq, claims, visible_at: until }) => ({ seq, claims, until }));
}
