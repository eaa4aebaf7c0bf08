/** Deletes received messages: deletions that come at once become durable together. */
import type { Clock } from "../../../kit/clock.ts";
import type { Database, Transaction } from "../../../store/database.ts";
import { GatheredWrites } from "../../../store/gathered-writes.ts";
import type { Signals } from "../../../store/signals.ts";
import type { Fairness } from "../fairness/fairness.ts";
import type { QueueMetrics } from "../queues/metrics.ts";
import type { Queue } from "../queues/settings.ts";
import { holdGroup } from "../store/groups.ts";
import { deleteInChunks } from "../store/claimed-chunks.ts";
import { deleteAllClaimed, deleteClaimed, getMessage } from "../store/messages.ts";
import { settleGroup } from "./groups.ts";
import type { Receipt } from "./message.ts";

/** `expired`: of a FIFO queue's message, which is kept, since it is visible again. A message that is gone, or was received anew, is `done`. */
export type Deletion = "done" | "expired";

interface Deleting {
  readonly queue: Queue;
  readonly receipts: readonly Receipt[];
  deletions: Deletion[];
}

interface Deps {
  readonly clock: Clock;
  readonly database: Database;
  readonly signals: Signals;
  readonly fairness: Fairness;
  readonly queueMetrics: QueueMetrics;
}

/** The numbers of messages, by their queue and the number of their claim. */
type Plain = Map<number, Map<number, number[]>>;

function addTo(plain: Plain, receipts: readonly Receipt[]): void {
  for (const { queueId, seq, claims } of receipts) {
    let byClaims = plain.get(queueId);
    if (!byClaims) plain.set(queueId, (byClaims = new Map<number, number[]>()));
    const seqs = byClaims.get(claims);
    if (seqs) seqs.push(seq);
    else byClaims.set(claims, [seq]);
  }
}

export class Deletions {
  readonly #deps: Deps;
  readonly #durable: GatheredWrites<Deleting>;
  readonly #committed: GatheredWrites<Deleting>;

  constructor(deps: Deps) {
    this.#deps = deps;
    const writes = (resolves: "durable" | "committed") =>
      new GatheredWrites<Deleting>(deps.database, (tx, all) => this.#deleteAll(tx, all), {
        transaction: { isolation: "read committed", resolves },
      });
    this.#durable = writes("durable");
    this.#committed = writes("committed");
  }

  /** Resolves once they are durable, with what became of each receipt. */
  delete(queue: Queue, receipts: readonly Receipt[]): Promise<readonly Deletion[]> {
    return this.#delete(this.#durable, queue, receipts);
  }

  /**
   * Resolves once they are committed: they survive `kill -9`, but a power loss may show a standard queue's messages again, as AWS may at
   * any time. Those of a FIFO queue, which are processed once, are waited for until they are durable.
   */
  deleteSoon(queue: Queue, receipts: readonly Receipt[]): Promise<readonly Deletion[]> {
    return this.#delete(queue.isFifo ? this.#durable : this.#committed, queue, receipts);
  }

  async #delete(
    writes: GatheredWrites<Deleting>,
    queue: Queue,
    receipts: readonly Receipt[],
  ): Promise<readonly Deletion[]> {
    this.#deps.fairness.deleted(queue, receipts);
    const deleting: Deleting = { queue, receipts, deletions: [] };
    await writes.write(deleting);
    const kept = queue.isFifo ? deleting.deletions.filter((one) => one === "expired").length : 0;
    this.#deps.queueMetrics.deleted(queue, receipts.length - kept);
    return deleting.deletions;
  }

  async #deleteAll(tx: Transaction, all: readonly Deleting[]): Promise<void> {
    const plain: Plain = new Map();
    for (const deleting of all)
      if (deleting.queue.isFifo) await this.#deleteInOrder(tx, deleting);
      else {
        addTo(plain, deleting.receipts);
        deleting.deletions = deleting.receipts.map(() => "done");
      }
    for (const [queueId, byClaims] of plain)
      for (const [claims, seqs] of byClaims) {
        const ofRows = await this.#ofRows(tx, queueId, claims, seqs);
        await deleteAllClaimed(tx, queueId, claims, ofRows);
        // Those that are visible again may be set aside.
        for (const aside of this.#deps.fairness.asidesOf(queueId))
          await deleteAllClaimed(tx, aside, claims, ofRows);
      }
  }

  /** Deletes those that are in chunks, which were received once; the others have rows. */
  async #ofRows(
    tx: Transaction,
    queueId: number,
    claims: number,
    seqs: readonly number[],
  ): Promise<readonly number[]> {
    if (claims !== 1) return seqs;
    const inOrder = seqs.toSorted((left, right) => left - right);
    return deleteInChunks(tx, this.#deps.database.engine, queueId, inOrder);
  }

  async #deleteInOrder(tx: Transaction, deleting: Deleting): Promise<void> {
    const { clock, signals } = this.#deps;
    const { queue, receipts } = deleting;
    const now = clock.now();
    const groups = new Set<string>();
    deleting.deletions = [];
    for (const { queueId, seq, claims } of receipts) {
      const row = await getMessage(tx, queueId, seq);
      const isOwn = row?.claims === claims;
      const isExpired = isOwn && row.visible_at <= now;
      deleting.deletions.push(isExpired ? "expired" : "done");
      if (!isOwn || isExpired || row.group_id === null) continue;
      if (!groups.has(row.group_id)) await holdGroup(tx, queueId, row.group_id);
      if (await deleteClaimed(tx, queueId, seq, claims)) groups.add(row.group_id);
    }
    for (const group of groups) {
      const readyAt = await settleGroup(tx, queue.id, group, now);
      if (readyAt !== undefined) await signals.send(tx, queue.topic, readyAt);
    }
  }
}
