/** The durable queue of asynchronous invocations: what was put in with a committed transaction runs, whatever happens to the server. */
import type { Clock } from "../../../kit/clock.ts";
import type { Transaction } from "../../../store/database.ts";
import type { Queue } from "../../../store/queue.ts";
import { functionArn } from "../names.ts";
import type { FunctionReference } from "../names.ts";
import { encodeBlock } from "./event.ts";
import type { EventHeader } from "./event.ts";

export const EVENT_TOPIC = "lambda.events";

export interface EventQueue {
  /** Puts an event in, in the caller's transaction. The request id is the one the function sees, in every attempt. */
  put(
    transaction: Transaction,
    target: FunctionReference,
    event: { requestId: string; payload: Uint8Array; traceHeader?: string | undefined },
  ): Promise<void>;
}

export function createEventQueue({ queue, clock }: { queue: Queue; clock: Clock }): EventQueue {
  return {
    async put(transaction, target, { requestId, payload, traceHeader }) {
      const { account, region, name, qualifier } = target;
      const header: EventHeader = {
        requestId,
        account,
        region,
        name,
        ...(qualifier === undefined ? {} : { qualifier }),
        ...(traceHeader === undefined ? {} : { traceHeader }),
        acceptedAt: clock.now(),
        failures: 0,
        delays: 0,
      };
      await queue.enqueue(transaction, {
        topic: EVENT_TOPIC,
        group: functionArn(target),
        payload: encodeBlock(header, payload),
      });
    },
  };
}
