/** The receipt handles of requests. */
import { invalidHandle, missingParameter } from "../errors.ts";
import type { Queue } from "../queues/settings.ts";
import { readHandle } from "./message.ts";
import type { Receipt } from "./message.ts";

/** @throws AwsError ReceiptHandleIsInvalid for what is no handle of the queue's messages */
export function receiptOf(queue: Queue, handle: string | undefined): Receipt {
  if (handle === undefined) throw missingParameter("ReceiptHandle");
  const receipt = readHandle(handle);
  if (receipt?.queueId !== queue.id) throw invalidHandle(handle);
  return receipt;
}
