/** Writes messages: those that are sent at once become durable together. */
import type { Database, Transaction } from "../../../store/database.ts";
import { GatheredWrites } from "../../../store/gathered-writes.ts";
import type { Signals } from "../../../store/signals.ts";
import { DEDUPLICATION_MS } from "../limits.ts";
import type { QueueMetrics } from "../queues/metrics.ts";
import type { Queue } from "../queues/settings.ts";
import { addToGroup, deduplicate, takeNumbers } from "../store/groups.ts";
import { inChunks, insertChunks } from "../store/chunks.ts";
import type { Chunk } from "../store/chunks.ts";
import { insertMessages } from "../store/messages.ts";
import type { Numbered } from "../store/messages.ts";
import type { NewMessage } from "./message.ts";
import type { Receivers } from "./receivers.ts";
import type { Sequence } from "./sequence.ts";

/** What became of a message: its own id, or that of the earlier one of which it is a duplicate. */
export interface Sent {
  readonly messageId: string;
  readonly seq: number;
}

interface Send {
  readonly queue: Queue;
  readonly messages: readonly NewMessage[];
  /** In their order, once they are written; undefined where the queue is gone. */
  sent: Sent[] | undefined;
}

interface Deps {
  readonly database: Database;
  readonly signals: Signals;
  readonly sequence: Sequence;
  readonly queueMetrics: QueueMetrics;
  readonly receivers: Pick<Receivers, "handOver">;
}

export class Sends {
  readonly #deps: Deps;
  readonly #writes: GatheredWrites<Send>;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#writes = new GatheredWrites(deps.database, (tx, sends) => this.#write(tx, sends), {
      transaction: { isolation: "read committed" },
    });
  }

  /** Resolves once they are durable; with undefined where the queue is gone. */
  async send(queue: Queue, messages: readonly NewMessage[]): Promise<Sent[] | undefined> {
    const send: Send = { queue, messages, sent: undefined };
    await this.#writes.write(send);
    if (send.sent) this.#count(send);
    return send.sent;
  }

  /** The same in the caller's transaction; receivers wake after its commit. */
  async sendIn(tx: Transaction, queue: Queue, messages: readonly NewMessage[]): Promise<Sent[] | undefined> {
    const send: Send = { queue, messages, sent: undefined };
    await this.#write(tx, [send]);
    if (send.sent) tx.afterCommit(() => this.#count(send));
    return send.sent;
  }

  #count({ queue, messages, sent = [] }: Send): void {
    const added = queue.isFifo
      ? messages.filter(({ messageId }, i) => messageId === sent[i]?.messageId)
      : messages;
    this.#deps.queueMetrics.sent(queue, added, messages.length - added.length);
  }

  async #write(tx: Transaction, sends: readonly Send[]): Promise<void> {
    const { receivers, sequence, signals } = this.#deps;
    const rows: Numbered[] = [];
    const together = new Map<Queue, NewMessage[]>();
    /** By topic: when receivers are to look. */
    const dueAt = new Map<string, number>();
    const due = ({ topic }: Queue, at: number) =>
      dueAt.set(topic, Math.min(dueAt.get(topic) ?? Infinity, at));
    for (const send of sends) {
      const { queue, messages } = send;
      if (queue.isFifo) {
        await this.#number(tx, send, rows);
        for (const { visibleAt } of messages) due(queue, visibleAt);
        continue;
      }
      // A standard queue tells no numbers.
      send.sent = messages.map(({ messageId }) => ({ messageId, seq: 0 }));
      for (const message of messages)
        // Those with a group may be set aside by it.
        if (message.visibleAt > message.sentAt || message.groupId !== undefined) {
          rows.push({ queueId: queue.id, seq: sequence.take(1), message });
          due(queue, message.visibleAt);
        } else {
          const others = together.get(queue);
          if (others) others.push(message);
          else together.set(queue, [message]);
        }
    }
    if (rows.length > 0) await insertMessages(tx, rows);
    const chunks: Chunk[] = [];
    for (const [queue, messages] of together)
      for (const chunk of inChunks(queue.id, sequence.take(messages.length), messages)) {
        const claim = receivers.handOver(tx, queue, chunk);
        chunks.push(claim ? { ...chunk, claim } : chunk);
        due(queue, claim?.until ?? chunk.messages[0]?.visibleAt ?? 0);
      }
    if (chunks.length > 0) await insertChunks(tx, chunks);
    for (const [topic, at] of dueAt) await signals.send(tx, topic, at);
  }

  /** Gives messages to a FIFO queue their numbers, and leaves out duplicates. */
  async #number(tx: Transaction, send: Send, rows: Numbered[]): Promise<void> {
    const { queue, messages } = send;
    const first = await takeNumbers(tx, queue.id, messages.length);
    send.sent = undefined;
    if (first === undefined) return;
    send.sent = [];
    for (const [i, message] of messages.entries()) {
      const own = { messageId: message.messageId, seq: first + i };
      const { groupId = "", deduplicationId: id = "", sentAt } = message;
      const scope = queue.deduplicatesByGroup ? groupId : "";
      const until = sentAt + DEDUPLICATION_MS;
      const earlier = await deduplicate(tx, { queueId: queue.id, scope, id }, own, sentAt, until);
      send.sent.push(earlier ?? own);
      if (earlier) continue;
      rows.push({ queueId: queue.id, seq: own.seq, message });
      await addToGroup(tx, queue.id, groupId, own.seq, message.visibleAt);
    }
  }
}
