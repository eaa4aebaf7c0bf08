/**
 * Who waits to receive messages. One claim at a time runs for each queue, for all who wait; where there is nothing to receive, they wait
 * for the queue's next wake-up, and cost nothing meanwhile.
 */
import { AwsError } from "../../../aws/errors.ts";
import type { Clock } from "../../../kit/clock.ts";
import type { Database, Transaction } from "../../../store/database.ts";
import type { Signals } from "../../../store/signals.ts";
import type { Log } from "../../../telemetry/log.ts";
import type { Fairness } from "../fairness/fairness.ts";
import { IN_FLIGHT_MAX } from "../limits.ts";
import type { QueueRegistry } from "../queues/registry.ts";
import type { QueueMetrics } from "../queues/metrics.ts";
import type { Queue } from "../queues/settings.ts";
import { setVisible } from "../store/messages.ts";
import { claimedRows } from "../store/chunks.ts";
import type { Chunk, ChunkClaim } from "../store/chunks.ts";
import { bytesOf, claim } from "./claim.ts";
import { Flight } from "./flight.ts";
import { settleGroup } from "./groups.ts";
import type { Wanted } from "./claim.ts";
import { inFlight } from "./in-flight.ts";
import type { MessageRow, NewMessage } from "./message.ts";
import type { Sequence } from "./sequence.ts";

export interface ReceiveOptions extends Wanted {
  /** How long to wait for a first message, in milliseconds. */
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

interface Receiver extends ReceiveOptions {
  readonly queue: Queue;
  isOver: boolean;
  /** Whether a claim has found nothing for it. */
  hasTried: boolean;
  readonly end: (rows: MessageRow[]) => void;
  readonly fail: (error: Error) => void;
}

/** The receivers of one queue. */
interface Line {
  receivers: Receiver[];
  isRunning: boolean;
  /** Something may have come since the last claim began. */
  isWoken: boolean;
  isListening: boolean;
  readonly ending: AbortController;
  readonly flight: Flight;
}

interface Deps {
  readonly clock: Clock;
  readonly database: Database;
  readonly signals: Signals;
  readonly queues: QueueRegistry;
  readonly sequence: Sequence;
  readonly fairness: Fairness;
  readonly queueMetrics: QueueMetrics;
  readonly log: Log;
}

/** Receivers of one claim at most. */
const TOGETHER_MAX = 100;
/** Pause before another look where another server was just at work on all that could be received, in milliseconds. */
const BUSY_MS = 20;
/** Queues whose lines are kept while nobody waits. */
const LINES_MAX = 1_000;

const TRANSACTION = { isolation: "read committed", resolves: "committed" } as const;

export class Receivers {
  readonly #deps: Deps;
  readonly #lines = new Map<number, Line>();
  #isStopped = false;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /**
   * Receives up to `max` messages, which stay hidden for `visibilityMs`; resolves with none when the wait is over or the signal aborts.
   * The claim is committed, and so survives `kill -9`, but not waited for until it is on the disk: a power loss may show the messages again.
   * @throws AwsError OverLimit where too many are in flight, unless it waits
   */
  receive(queue: Queue, options: ReceiveOptions): Promise<MessageRow[]> {
    const mayWait = options.waitMs > 0;
    if (this.#isStopped || (mayWait && options.signal.aborted)) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      const { clock, queueMetrics } = this.#deps;
      const { waitMs } = options;
      // Who does not wait is not watched.
      const signal = mayWait ? options.signal : undefined;
      const line = this.#lineOf(queue.id);
      let cancel: (() => void) | undefined;
      const over = () => {
        receiver.isOver = true;
        cancel?.();
        signal?.removeEventListener("abort", giveUp);
      };
      const receiver: Receiver = {
        ...options,
        queue,
        isOver: false,
        hasTried: false,
        end(rows) {
          over();
          queueMetrics.received(queue, rows.length);
          resolve(rows);
        },
        fail(error) {
          over();
          reject(error);
        },
      };
      const giveUp = () => {
        receiver.end([]);
        line.receivers = line.receivers.filter((one) => one !== receiver);
        this.#endIfEmpty(queue.id, line);
      };
      signal?.addEventListener("abort", giveUp, { once: true });
      // Its claim comes first, however short the wait.
      if (waitMs > 0) cancel = clock.after(waitMs, giveUp);
      this.#join(receiver);
    });
  }

  #join(receiver: Receiver): void {
    const { id } = receiver.queue;
    const line = this.#lineOf(id);
    line.receivers.push(receiver);
    this.#run(line, id);
  }

  /**
   * Gives messages that are being sent to one who waits, in the transaction that sends them: they are received with its commit, and cost
   * their receiver no transaction of its own.
   * @returns the claim to write; undefined where nobody waits who takes them all
   */
  handOver(tx: Transaction, queue: Queue, chunk: Chunk): ChunkClaim | undefined {
    const line = this.#lines.get(queue.id);
    // Whoever waits while no claim runs has found nothing else.
    if (!line || line.isRunning || line.isWoken || !line.flight.hasRoom) return undefined;
    const receiver = line.receivers.find((one) => takesAll(one, chunk.messages));
    if (!receiver) return undefined;
    const { clock, fairness, log } = this.#deps;
    const at = clock.now();
    const claim = { at, until: at + receiver.visibilityMs };
    line.receivers = line.receivers.filter((one) => one !== receiver);
    tx.onRollback(() => {
      receiver.hasTried = false;
      if (this.#isStopped) receiver.end([]);
      else if (!receiver.isOver) this.#join(receiver);
    });
    tx.onCommit(() => {
      const rows = claimedRows(chunk, claim);
      line.flight.received(rows.length);
      fairness.received(queue, rows);
      if (!receiver.isOver) return receiver.end(rows);
      this.giveBack(queue, rows, clock.now()).catch((error: unknown) =>
        log.warn("Messages that nobody waits for any more could not be given back; they come again", {
          queue: queue.name,
          error,
        }),
      );
    });
    return claim;
  }

  /** Ends every wait, with nothing. */
  stop(): void {
    this.#isStopped = true;
    for (const id of this.#lines.keys()) this.forget(id);
  }

  /** Ends the waits for a queue that was deleted, with nothing. Those on other servers last as long as they were to. */
  forget(id: number): void {
    const line = this.#lines.get(id);
    if (!line) return;
    for (const receiver of line.receivers) receiver.end([]);
    line.receivers = [];
    line.ending.abort();
    this.#lines.delete(id);
  }

  #lineOf(id: number): Line {
    const known = this.#lines.get(id);
    if (known) return known;
    const line: Line = {
      receivers: [],
      isRunning: false,
      isWoken: false,
      isListening: false,
      ending: new AbortController(),
      flight: new Flight(this.#deps),
    };
    this.#lines.set(id, line);
    return line;
  }

  /** Idle lines are kept for what they have counted, unless there are many. */
  #endIfEmpty(id: number, line: Line): void {
    if (line.receivers.length > 0 || line.isRunning || this.#lines.size <= LINES_MAX) return;
    line.ending.abort();
    this.#lines.delete(id);
  }

  #run(line: Line, id: number): void {
    if (line.isRunning) return;
    line.isRunning = true;
    this.#drain(line)
      .catch((error: Error) => {
        const failed = line.receivers;
        line.receivers = [];
        for (const receiver of failed) receiver.fail(error);
      })
      .finally(() => {
        line.isRunning = false;
        this.#endIfEmpty(id, line);
      });
  }

  /** Claims for whoever has not tried yet, and for all after a wake-up, until everyone left has to wait. */
  async #drain(line: Line): Promise<void> {
    for (;;) {
      const all = line.isWoken ? line.receivers : line.receivers.filter((one) => !one.hasTried);
      // In the order in which they came: who has waited longest is first.
      const trying = all.slice(0, TOGETHER_MAX);
      const queue = trying.at(-1)?.queue;
      line.isWoken = false;
      if (!queue) return;
      // Before the look, so that nothing that comes in between is missed.
      if (trying.some(({ waitMs }) => waitMs > 0)) this.#listen(line, queue);
      if (await line.flight.isFull(queue)) this.#refuse(line, trying);
      else await this.#claimFor(line, queue, trying);
      // There may be more for those behind them.
      if (trying.length < all.length && trying.every(({ isOver }) => isOver)) line.isWoken = true;
    }
  }

  async #claimFor(line: Line, queue: Queue, trying: readonly Receiver[]): Promise<void> {
    const { clock, database, signals } = this.#deps;
    const { fairness } = this.#deps;
    const lanes = queue.isFifo ? undefined : await fairness.look(queue);
    const now = clock.now();
    const { messages, nextAt } = await database.tx(
      (tx) => claim(this.#deps, tx, queue, trying, now, lanes),
      TRANSACTION,
    );
    if (!queue.isFifo) for (const rows of messages) fairness.received(queue, rows);
    const forNobody: MessageRow[] = [];
    let isWaiting = false;
    for (const [i, receiver] of trying.entries()) {
      const rows = messages[i] ?? [];
      line.flight.received(rows.length);
      if (receiver.isOver) forNobody.push(...rows);
      else if (rows.length > 0 || receiver.waitMs === 0) receiver.end(rows);
      else {
        receiver.hasTried = true;
        isWaiting = true;
      }
    }
    line.receivers = line.receivers.filter((one) => !one.isOver);
    if (forNobody.length > 0) await this.giveBack(queue, forNobody, clock.now());
    if (isWaiting && nextAt !== undefined)
      signals.remind(queue.topic, nextAt <= now ? clock.now() + BUSY_MS : nextAt);
  }

  /** Shows messages again that nobody has received after all, and does not count that they were. */
  async giveBack(
    queue: Queue,
    rows: readonly Pick<MessageRow, "seq" | "claims" | "group_id">[],
    visibleAt: number,
  ): Promise<void> {
    const { database, signals, clock } = this.#deps;
    await database.tx(async (tx) => {
      const groups = new Set<string>();
      for (const { seq, claims, group_id } of rows) {
        const receipt = { queueId: queue.id, seq, claims };
        const isThere = await inFlight(tx, database.engine, queue, receipt);
        if (isThere && (await setVisible(tx, receipt, visibleAt, 1)) && group_id !== null)
          groups.add(group_id);
      }
      if (queue.isFifo) for (const group of groups) await settleGroup(tx, queue.id, group, clock.now());
      await signals.send(tx, queue.topic, visibleAt);
    }, TRANSACTION);
  }

  #listen(line: Line, queue: Queue): void {
    if (line.isListening) return;
    line.isListening = true;
    void this.#untilWoken(line, queue);
  }

  async #untilWoken(line: Line, queue: Queue): Promise<void> {
    await this.#deps.signals.wait(queue.topic, line.ending.signal);
    line.isListening = false;
    line.isWoken = true;
    if (!line.ending.signal.aborted) this.#run(line, queue.id);
  }

  #refuse(line: Line, trying: readonly Receiver[]): void {
    for (const receiver of trying)
      if (receiver.waitMs > 0 || receiver.queue.isFifo) {
        receiver.hasTried = true;
        if (receiver.waitMs === 0) receiver.end([]);
      } else
        receiver.fail(
          new AwsError(
            "OverLimit",
            `The maximum number of in flight messages is reached: ${IN_FLIGHT_MAX}. Delete messages before more are received.`,
          ),
        );
    line.receivers = line.receivers.filter((one) => !one.isOver);
  }
}

/** Whether a receiver that has found nothing takes messages as they come. */
function takesAll(
  { hasTried, isOver, visibilityMs, max, bytesMax }: Receiver,
  messages: readonly NewMessage[],
): boolean {
  if (!hasTried || isOver || visibilityMs <= 0 || messages.length > max) return false;
  return messages.length === 1 || messages.reduce((bytes, one) => bytes + bytesOf(one), 0) <= bytesMax;
}
