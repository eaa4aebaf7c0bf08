/** Queues as event source mappings read them: in process, without HTTP. */
import type { Sqs } from "./deps.ts";
import { settleGroup } from "./messages/groups.ts";
import { readHandle, received } from "./messages/message.ts";
import type { QueueMessage, Receipt } from "./messages/message.ts";
import type { Queue } from "./queues/settings.ts";
import { inFlight } from "./messages/in-flight.ts";
import { setVisible } from "./store/messages.ts";

export interface ReceiveRequest {
  /** May exceed the ten of ReceiveMessage. */
  readonly max: number;
  /** Of all messages together; the first one is never too large. */
  readonly bytesMax: number;
  /** 0: answers at once. */
  readonly waitMs: number;
  readonly signal: AbortSignal;
  /** The queue's own where it is not given. */
  readonly visibilityTimeoutSeconds?: number;
}

export interface QueueReader {
  describe(queueArn: string): Promise<
    | {
        readonly fifo: boolean;
        readonly visibilityTimeoutSeconds: number;
        /** The text of its policy. */
        readonly policy: string | undefined;
      }
    | undefined
  >;
  /**
   * Waits until there is a message, `waitMs` is over or the signal aborts, and costs nothing meanwhile. None where the queue does not exist:
   * at once, so that a caller who asks again must look whether it is there.
   */
  receive(queueArn: string, request: ReceiveRequest): Promise<QueueMessage[]>;
  /** Resolves once it survives `kill -9`, and, in a FIFO queue, a power loss too. */
  delete(queueArn: string, receiptHandles: readonly string[]): Promise<void>;
  changeVisibility(queueArn: string, receiptHandles: readonly string[], seconds: number): Promise<void>;
  /** Gives messages back, after a delay, without having counted the receive. */
  giveBack(queueArn: string, receiptHandles: readonly string[], delaySeconds: number): Promise<void>;
}

export function createReader(sqs: Sqs): QueueReader {
  const withQueue = async <T>(arn: string, work: (queue: Queue) => Promise<T>, otherwise: T): Promise<T> => {
    const queue = await sqs.queues.findByArn(arn);
    return queue ? work(queue) : otherwise;
  };
  return {
    describe: (arn) =>
      withQueue<Awaited<ReturnType<QueueReader["describe"]>>>(
        arn,
        async ({ isFifo, visibilityMs, policy }) => ({
          fifo: isFifo,
          visibilityTimeoutSeconds: visibilityMs / 1_000,
          policy,
        }),
        undefined,
      ),
    receive: (arn, { visibilityTimeoutSeconds, ...options }) =>
      withQueue<QueueMessage[]>(
        arn,
        async (queue) => {
          const visibilityMs =
            visibilityTimeoutSeconds === undefined ? queue.visibilityMs : visibilityTimeoutSeconds * 1_000;
          const rows = await sqs.receivers.receive(queue, { ...options, visibilityMs });
          return rows.map((row) => received(sqs.sealer, queue, row));
        },
        [],
      ),
    delete: (arn, handles) =>
      withQueue(
        arn,
        async (queue) => {
          const receipts = receiptsOf(queue, handles);
          if (receipts.length > 0) await sqs.deletions.deleteSoon(queue, receipts);
        },
        undefined,
      ),
    changeVisibility: (arn, handles, seconds) =>
      withQueue(arn, (queue) => show(sqs, queue, receiptsOf(queue, handles), seconds * 1_000, 0), undefined),
    giveBack: (arn, handles, delaySeconds) =>
      withQueue(
        arn,
        (queue) => show(sqs, queue, receiptsOf(queue, handles), delaySeconds * 1_000, 1),
        undefined,
      ),
  };
}

function receiptsOf(queue: Queue, handles: readonly string[]): Receipt[] {
  return handles.flatMap((handle) => {
    const receipt = readHandle(handle);
    return receipt?.queueId === queue.id ? [receipt] : [];
  });
}

/** Makes messages that are still in flight visible after so long. @param uncounted Receives that did not count after all */
async function show(
  { database, clock, signals }: Pick<Sqs, "database" | "clock" | "signals">,
  queue: Queue,
  receipts: readonly Receipt[],
  delayMs: number,
  uncounted: number,
): Promise<void> {
  if (receipts.length === 0) return;
  await database.tx(
    async (tx) => {
      const now = clock.now();
      const groups = new Set<string>();
      let isAny = false;
      for (const receipt of receipts) {
        const row = await inFlight(tx, database.engine, queue, receipt);
        if (row?.claims !== receipt.claims || row.visible_at <= now) continue;
        isAny = true;
        await setVisible(tx, receipt, now + delayMs, uncounted);
        if (queue.isFifo && row.group_id !== null) groups.add(row.group_id);
      }
      for (const group of groups) await settleGroup(tx, queue.id, group, now);
      if (isAny) await signals.send(tx, queue.topic, now + delayMs);
    },
    { isolation: "read committed" },
  );
}
