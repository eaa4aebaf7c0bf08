/** Receives messages for those who wait, in one transaction for all who wait for the same queue. */
import type { Database, Transaction } from "../../../store/database.ts";
import type { Signals } from "../../../store/signals.ts";
import { setAside, setAsideBefore } from "../fairness/claim-fairly.ts";
import type { Fairness, Lanes } from "../fairness/fairness.ts";
import type { QueueRegistry } from "../queues/registry.ts";
import type { Queue } from "../queues/settings.ts";
import { CHUNK_MESSAGES_MAX, deleteChunk, firstChunkAt, firstChunks, messagesIn } from "../store/chunks.ts";
import type { ChunkRow } from "../store/chunks.ts";
import { claimChunk } from "../store/claimed-chunks.ts";
import { isAnyAside } from "../store/asides.ts";
import { nextReady, readyGroups } from "../store/groups.ts";
import {
  claimMessages,
  deleteMessage,
  insertOpened,
  messagesOfGroup,
  nextVisible,
  visibleMessages,
} from "../store/messages.ts";
import { deadLetterQueue, moveToDeadLetters } from "./dead-letters.ts";
import { settleGroup } from "./groups.ts";
import type { MessageRow } from "./message.ts";
import type { Sequence } from "./sequence.ts";

export interface ClaimDeps {
  readonly database: Database;
  readonly queues: QueueRegistry;
  readonly sequence: Sequence;
  readonly signals: Signals;
  readonly fairness: Fairness;
}

/** What one receiver asks for. */
export interface Wanted {
  readonly max: number;
  /** Of all its messages together; the first one is never too large. */
  readonly bytesMax: number;
  readonly visibilityMs: number;
}

export interface Claims {
  /** For each who asked, in their order. */
  readonly messages: readonly MessageRow[][];
  /** When the next message may be received; undefined where none waits. */
  readonly nextAt: number | undefined;
}

/** Rounds of looking for messages when those that were found had expired or were dead letters. */
const ROUNDS_MAX = 20;
/** Messages looked at in one round, so that a transaction stays short. */
const LOOKED_AT_MAX = 1_000;

export async function claim(
  deps: ClaimDeps,
  tx: Transaction,
  queue: Queue,
  wanted: readonly Wanted[],
  now: number,
  lanes?: Lanes,
): Promise<Claims> {
  const share = new Share(wanted);
  const deadLetters = await deadLetterQueue(deps, tx, queue);
  const round: Round = {
    deps,
    tx,
    queue,
    now,
    deadLetters,
    share,
    opened: new Set(),
    inChunks: new Set(),
    untilFor: (receiver) => now + (wanted[receiver]?.visibilityMs ?? 0),
  };
  const isAll = queue.isFifo ? await claimOfGroups(round) : await claimFairly(round, lanes);
  for (const [i, rows] of share.messages.entries()) {
    const until = round.untilFor(i);
    const seqs: number[] = [];
    for (const row of rows) {
      if (!round.opened.has(row) && !round.inChunks.has(row)) seqs.push(row.seq);
      claimed(row, until, now);
    }
    if (seqs.length > 0) await claimMessages(tx, queue.id, seqs, until, now);
  }
  if (round.opened.size > 0) await insertOpened(tx, queue.id, [...round.opened]);
  if (queue.isFifo) for (const group of share.groups) await settleGroup(tx, queue.id, group, now);
  if (share.isFull) return { messages: share.messages, nextAt: isAll ? now : undefined };
  // Those who got nothing wait for it.
  return { messages: share.messages, nextAt: await nextOf(deps, tx, queue, now) };
}

async function nextOf(
  { fairness }: ClaimDeps,
  tx: Transaction,
  queue: Queue,
  now: number,
): Promise<number | undefined> {
  const { id, isFifo } = queue;
  if (isFifo) return nextReady(tx, id);
  if (await isAnyAside(tx, id)) {
    // Another server has set something aside since the last look.
    fairness.changed(queue);
    return now;
  }
  const next = Math.min((await nextVisible(tx, id)) ?? Infinity, (await firstChunkAt(tx, id)) ?? Infinity);
  return next === Infinity ? undefined : next;
}

/** Makes of a row what it is once it was received. */
function claimed(row: MessageRow, until: number, now: number): void {
  const changed: Partial<MessageRow> = {
    visible_at: until,
    receives: row.receives + 1,
    claims: row.claims + 1,
    first_at: row.first_at === 0 ? now : row.first_at,
    claimed_at: now,
  };
  Object.assign(row, changed);
}

interface Round {
  readonly deps: ClaimDeps;
  readonly tx: Transaction;
  readonly queue: Queue;
  readonly now: number;
  readonly deadLetters: Queue | undefined;
  readonly share: Share;
  /** Messages of opened chunks, which have no rows yet. */
  readonly opened: Set<MessageRow>;
  /** Messages of chunks that one receiver has taken whole, which stay as they are. */
  readonly inChunks: Set<MessageRow>;
  /** When the messages of a receiver, by its place, are visible again. */
  untilFor(receiver: number): number;
}

/**
 * Takes the messages of noisy groups only where nothing else can be received.
 * @returns whether there may be more
 */
async function claimFairly(round: Round, lanes: Lanes | undefined): Promise<boolean> {
  if (!lanes) return claimVisible(round);
  const { share } = round;
  await setAside(round, lanes, Math.min(share.room, LOOKED_AT_MAX));
  const isMore = await claimVisible(round);
  if (share.isFull) return true;
  for await (const row of setAsideBefore(round, lanes, () => share.room))
    if (!(await isRemoved(round, row)) && !share.take(row)) break;
  return isMore || share.isFull;
}

/**
 * Takes messages in the order in which they became visible: those that have rows of their own, since they had a delay or were received
 * before, and those in chunks.
 * @returns whether there may be more
 */
async function claimVisible(round: Round): Promise<boolean> {
  const { deps, tx, queue, now, share } = round;
  const { engine } = deps.database;
  const chunksOf = (count: number) => firstChunks(tx, engine, queue.id, now, Math.min(count, LOOKED_AT_MAX));
  const count = Math.min(share.room, LOOKED_AT_MAX);
  const wanted = Math.ceil(count / CHUNK_MESSAGES_MAX);
  let chunks = await chunksOf(wanted);
  const isFull = chunks.length === wanted && chunks.every(({ claimed_at }) => claimed_at === 0);
  const before = isFull ? (chunks.at(-1)?.visible_at ?? now) : now;
  const rows = await visibleMessages(tx, engine, queue.id, before, count);
  for (const row of rows) if (!(await isRemoved(round, row)) && !share.take(row)) break;
  // Mostly chunks are full; where they are not, it takes more of them.
  for (let at = 1; chunks.length > 0; at++) {
    for (const chunk of chunks) {
      if (share.isFull) return true;
      await takeChunk(round, chunk);
    }
    if (share.isFull || at === ROUNDS_MAX) return true;
    chunks = await chunksOf(share.room);
  }
  return rows.length === count;
}

/** Gives a chunk to one receiver as a whole where that has room for it; else its messages get rows of their own. */
async function takeChunk(round: Round, chunk: ChunkRow): Promise<void> {
  const { tx, queue, now, share, opened, inChunks } = round;
  const all = messagesIn(chunk);
  const rows = all.filter((row) => row.sent_at + queue.retentionMs > now);
  const isNew = chunk.claimed_at === 0;
  const until = round.untilFor(share.receiver);
  // One that is visible again at once would be found again in the next round.
  if (isNew && rows.length === all.length && until > now && share.hasRoomFor(rows)) {
    await claimChunk(tx, queue.id, chunk, until, now);
    for (const row of rows) {
      inChunks.add(row);
      share.takeForOne(row);
    }
    return;
  }
  await deleteChunk(tx, queue.id, chunk);
  if (isNew) for (const row of rows) opened.add(row);
  else await insertOpened(tx, queue.id, rows);
  for (const row of rows) {
    if (share.isFull) return;
    if (isNew || !(await isRemoved(round, row))) share.take(row);
  }
}

/** @returns whether there may be more */
async function claimOfGroups(round: Round): Promise<boolean> {
  const { deps, tx, queue, now, share } = round;
  const groups = await readyGroups(
    tx,
    deps.database.engine,
    queue.id,
    now,
    Math.min(share.room, LOOKED_AT_MAX),
  );
  for (const group of groups) {
    if (share.isFull) return true;
    await claimOfGroup(round, group);
  }
  return groups.length > 0;
}

/** As many as there are, in order, up to the first that cannot be received yet; all go to the same receiver. */
async function claimOfGroup(round: Round, group: string): Promise<void> {
  const { tx, queue, now, share } = round;
  share.groups.add(group);
  const { receiver } = share;
  for (let after = 0, at = 0; at < ROUNDS_MAX && share.receiver === receiver; at++) {
    const count = Math.min(share.roomOfOne, LOOKED_AT_MAX);
    const rows = await messagesOfGroup(tx, queue.id, group, after, count);
    for (const row of rows) {
      after = row.seq;
      if (row.visible_at > now) return;
      if (await isRemoved(round, row)) continue;
      if (!share.takeForOne(row)) return;
    }
    if (rows.length < count) return;
  }
}

/** Removes what has expired, and moves what was received too often. */
async function isRemoved({ deps, tx, queue, now, deadLetters }: Round, row: MessageRow): Promise<boolean> {
  if (row.sent_at + queue.retentionMs <= now) {
    await deleteMessage(tx, queue.id, row.seq);
    return true;
  }
  if (!deadLetters || !queue.redrive || row.receives < queue.redrive.receivesMax) return false;
  return moveToDeadLetters(deps, tx, { from: queue, to: deadLetters }, row, now);
}

/** Divides messages among receivers: to each as many as it takes, in order. */
class Share {
  readonly messages: MessageRow[][];
  /** Of a FIFO queue: those that messages were taken from. */
  readonly groups = new Set<string>();
  readonly #wanted: readonly Wanted[];
  #at = 0;
  #bytes = 0;
  size = 0;

  constructor(wanted: readonly Wanted[]) {
    this.#wanted = wanted;
    this.messages = wanted.map(() => []);
  }

  get isFull(): boolean {
    return this.#at >= this.#wanted.length;
  }

  /** Messages that are still wanted. */
  get room(): number {
    let room = 0;
    for (let at = this.#at; at < this.#wanted.length; at++) room += this.#wanted[at]?.max ?? 0;
    return room - (this.messages[this.#at]?.length ?? 0);
  }

  /** By the receiver whose turn it is. */
  get roomOfOne(): number {
    return (this.#wanted[this.#at]?.max ?? 0) - (this.messages[this.#at]?.length ?? 0);
  }

  /** Whose turn it is. */
  get receiver(): number {
    return this.#at;
  }

  /** Whether the receiver whose turn it is takes all of them. */
  hasRoomFor(rows: readonly MessageRow[]): boolean {
    const wanted = this.#wanted[this.#at];
    if (!wanted || rows.length > this.roomOfOne) return false;
    let bytes = this.#bytes;
    for (const row of rows) bytes += bytesOf(row);
    return bytes <= wanted.bytesMax;
  }

  /** @returns false where nobody has room for it */
  take(row: MessageRow): boolean {
    while (!this.isFull) if (this.takeForOne(row)) return true;
    return false;
  }

  /** Gives it to the receiver whose turn it is. @returns false where that has no room for it, and it is the next one's turn */
  takeForOne(row: MessageRow): boolean {
    const wanted = this.#wanted[this.#at];
    const own = this.messages[this.#at];
    if (!wanted || !own) return false;
    const bytes = bytesOf(row);
    const isTooMuch = own.length > 0 && this.#bytes + bytes > wanted.bytesMax;
    if (!isTooMuch && own.length < wanted.max) {
      own.push(row);
      this.#bytes += bytes;
      this.size += 1;
      if (own.length < wanted.max) return true;
    }
    this.#at += 1;
    this.#bytes = 0;
    return !isTooMuch;
  }
}

export function bytesOf({ body, extra }: Pick<MessageRow, "body" | "extra">): number {
  return Buffer.byteLength(body) + (extra?.length ?? 0);
}
