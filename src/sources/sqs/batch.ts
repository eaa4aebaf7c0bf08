/** One batch of messages: given to the function, and what then becomes of the messages. */
import { readBatchAnswer } from "../batch-item-failures.ts";
import type { Mapping } from "../mapping.ts";
import type { QueueMessage, QueueReader } from "../ports.ts";
import type { InvokeOutcome, SourceContext } from "../source.ts";

/** A message on its way to the function. */
export interface Item {
  readonly message: QueueMessage;
  /** Its record as JSON. */
  readonly json: string;
  /** Of that, with a comma. */
  readonly bytes: number;
  /** When it was received, in epoch milliseconds. */
  readonly at: number;
}

/** What the batch says of the function, for those that come after it. */
export type BatchEnd =
  | { readonly kind: "ran"; readonly ms: number }
  | { readonly kind: "throttled" }
  /** It cannot be run at all. */
  | { readonly kind: "trouble"; readonly message: string };

interface Deps {
  readonly queues: QueueReader;
  readonly context: SourceContext;
  readonly mapping: Mapping;
}

/** @param ended Called once the function is free again; the messages are settled after that. */
export async function runBatch(
  { queues, context, mapping }: Deps,
  batch: readonly Item[],
  ended: (end: BatchEnd) => void,
): Promise<void> {
  const arn = mapping.eventSourceArn ?? "";
  const payload = Buffer.from(`{"Records":[${batch.map(({ json }) => json).join(",")}]}`);
  const headers = batch.map(({ message }) => message.attributes["AWSTraceHeader"]);
  const traceHeaders = headers.filter((one) => one !== undefined);
  const begunAt = context.clock.now();
  const outcome = await context.invoke(payload, batch.length, { traceHeaders });
  ended(endOf(outcome, context.clock.now() - begunAt));
  switch (outcome.kind) {
    case "ok": {
      const failed = failedOf(mapping, context, batch, outcome.payload);
      context.processed(failed.length === 0 ? "OK" : "PROBLEM: Function call failed");
      const handled = failed.length === 0 ? batch : batch.filter((item) => !failed.includes(item));
      if (failed.length > 0) context.count("FailedInvokeEventCount", failed.length);
      if (handled.length === 0) return;
      await queues.delete(arn, handled.map(handleOf));
      return context.count("DeletedEventCount", handled.length);
    }
    // The messages come again when their visibility timeout has passed.
    case "function-error":
      return context.processed("PROBLEM: Function call failed");
    case "throttled":
      context.processed("PROBLEM: Function call was throttled");
      return queues.giveBack(arn, batch.map(handleOf), 0);
    case "failed":
      if (isLoop(outcome))
        return context.processed("PROBLEM: Function call was stopped, as it was made in a recursive loop");
      // Where the function cannot be run at all, that is not held against the messages.
      return queues.giveBack(arn, batch.map(handleOf), 0);
  }
}

function endOf(outcome: InvokeOutcome, ms: number): BatchEnd {
  if (outcome.kind === "throttled") return { kind: "throttled" };
  if (outcome.kind === "failed" && !isLoop(outcome)) return { kind: "trouble", message: outcome.message };
  return { kind: "ran", ms };
}

function isLoop(outcome: InvokeOutcome): boolean {
  return outcome.kind === "failed" && outcome.code === "RecursiveInvocationException";
}

/** What the function reports as failed, where it is asked to. */
function failedOf(
  { settings, uuid }: Mapping,
  { log }: SourceContext,
  batch: readonly Item[],
  payload: Buffer,
): readonly Item[] {
  if (!settings.FunctionResponseTypes?.includes("ReportBatchItemFailures")) return [];
  const answer = readBatchAnswer(payload, (id) => batch.find(({ message }) => message.messageId === id));
  if (answer.outcome === "success") return [];
  if (answer.outcome === "partial") return answer.failed;
  log.warn("A function's batchItemFailures cannot be understood: its whole batch comes again", {
    uuid,
    reason: answer.why,
  });
  return batch;
}

function handleOf({ message }: Item): string {
  return message.receiptHandle;
}
