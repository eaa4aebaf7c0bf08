/** Sends what was not delivered to its publisher's dead-letter queue, in the transaction in which it ended. */
import type { Transaction } from "../store/database.ts";
import type { Log } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { count } from "./counters.ts";
import type { DeadLetterPlace, Failure, MessageAttributes, Parcel } from "./parcel.ts";
import type { TargetKind } from "./target.ts";

/** How a parcel ended that was not delivered. */
export interface End {
  readonly failure: Failure;
  /** Attempts after the first. */
  readonly retries: number;
  /** What the retry policy had no more of; `refused` where the target would never take it. */
  readonly condition: "retries" | "age" | "refused";
}

interface Deps {
  readonly queues: TargetKind;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html */
const EVENTBRIDGE_CODES: Readonly<Record<Failure["code"], string>> = {
  missing: "RESOURCE_NOT_FOUND",
  denied: "NO_PERMISSIONS",
  "too-large": "INVALID_PARAMETER",
  invalid: "INVALID_PARAMETER",
  unsupported: "INVALID_PARAMETER",
  throttled: "THROTTLING",
  failed: "SDK_CLIENT_ERROR",
  timeout: "TIMEOUT",
};

/** What each publisher's service adds to a dead letter. */
const TELLS: Readonly<Record<NonNullable<DeadLetterPlace["tells"]>, (end: End) => MessageAttributes>> = {
  eventbridge: ({ failure, retries, condition }) => ({
    ERROR_CODE: text(EVENTBRIDGE_CODES[failure.code]),
    ERROR_MESSAGE: text(failure.message),
    RETRY_ATTEMPTS: { DataType: "Number", StringValue: String(retries) },
    ...(condition === "retries" && { EXHAUSTED_RETRY_CONDITION: text("MaximumRetryAttempts") }),
    ...(condition === "age" && { EXHAUSTED_RETRY_CONDITION: text("MaximumEventAgeInSeconds") }),
  }),
};

/** Counts the end, tells it, and sends the dead letter; what that queue does not take is told too. */
export async function bury(deps: Deps, tx: Transaction, parcel: Parcel, end: End): Promise<void> {
  const { log, metrics } = deps;
  const { deadLetter, sender, target, body } = parcel;
  const facts = {
    source: sender.sourceArn,
    target: target.arn,
    reason: end.failure.message,
    retries: end.retries,
  };
  if (!deadLetter) {
    tx.afterCommit(() => {
      log.warn("What was published could not be delivered, and there is no dead-letter queue", facts);
      count(metrics, parcel, "failed");
    });
    return;
  }
  const { queueArn, messageGroupId, deduplicationId } = deadLetter;
  const letter: Parcel = {
    ...parcel,
    target: {
      arn: queueArn,
      sqs: {
        attributes: { ...deadLetter.attributes, ...(deadLetter.tells && TELLS[deadLetter.tells](end)) },
        ...(messageGroupId !== undefined && { messageGroupId }),
        ...(deduplicationId !== undefined && { deduplicationId }),
      },
    },
    body: deadLetter.body === undefined ? body : Buffer.from(deadLetter.body),
  };
  const failure = await send(deps, tx, letter);
  tx.afterCommit(() => {
    count(metrics, parcel, "failed");
    count(metrics, parcel, failure ? "deadLetterFailed" : "deadLettered");
    if (failure)
      log.warn("What was published could not be delivered, and its dead-letter queue did not take it", {
        ...facts,
        deadLetterQueue: queueArn,
        deadLetterReason: failure.message,
      });
    else log.info("What was published could not be delivered; it is in its dead-letter queue", facts);
  });
}

async function send({ queues }: Deps, tx: Transaction, letter: Parcel): Promise<Failure | undefined> {
  const fault = await queues.fault(letter.target, letter.sender, tx);
  if (fault) return fault;
  const outcome = await queues.put?.(tx, letter);
  return outcome?.kind === "refused" ? outcome.failure : undefined;
}

function text(value: string): MessageAttributes[string] {
  return { DataType: "String", StringValue: value };
}
