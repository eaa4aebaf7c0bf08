/** Sends what was not delivered to its publisher's dead-letter queue, in the transaction in which it ended. */
import type { Transaction } from "../store/database.ts";
import type { Log } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { count } from "./counters.ts";
import type {
  DeadLetterPlace,
  Failure,
  MessageAttributes,
  Parcel,
  Sender,
  TargetRef,
} from "../aws/parcel.ts";
import { asAttempt } from "./attempt.ts";
import type { TargetKind } from "./target.ts";

/** A letter that a role sends waits for it, and for the queue. */
const LETTER_RETRY = { attemptsMax: 185, ageMsMax: 24 * 3_600_000 } as const;

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
  readonly later: (tx: Transaction, parcel: Parcel) => Promise<void>;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html */
const EVENTBRIDGE_CODES: Readonly<Record<Failure["code"], string>> = {
  missing: "NO_RESOURCE",
  denied: "NO_PERMISSIONS",
  "too-large": "INVALID_PARAMETER",
  invalid: "INVALID_PARAMETER",
  unsupported: "INVALID_PARAMETER",
  throttled: "THROTTLING",
  failed: "SDK_CLIENT_ERROR",
  timeout: "TIMEOUT",
  untrusted: "FAILED_TO_ASSUME_ROLE",
  hop: "THIRD_ACCOUNT_HOP_DETECTED",
  "not-json": "INVALID_JSON",
  untimely: "EVENTS_IN_BATCH_REQUEST_REJECTED",
};

function eventBridgeCode({ code }: Failure, { arn, roleArn }: TargetRef, { region }: Sender): string {
  const [, , service, targetRegion] = arn.split(":");
  if (code === "hop" && targetRegion !== region) return "THIRD_REGION_HOP_DETECTED";
  // To whom its policy does not let in, a queue is one that is not there.
  if (code === "denied" && service === "sqs" && roleArn === undefined) return "NO_RESOURCE";
  return EVENTBRIDGE_CODES[code];
}

/** Scheduler's are those of the APIs that it calls; these are the ones that most have. */
const API_CODES: Readonly<Record<Failure["code"], string>> = {
  missing: "ResourceNotFoundException",
  denied: "AccessDeniedException",
  "too-large": "ValidationException",
  invalid: "ValidationException",
  unsupported: "ValidationException",
  throttled: "ThrottlingException",
  failed: "InternalServerException",
  timeout: "InternalServerException",
  untrusted: "AccessDeniedException",
  hop: "ValidationException",
  "not-json": "ValidationException",
  untimely: "ValidationException",
};

/** What each publisher's service adds to a dead letter. */
const TELLS: Readonly<
  Record<
    NonNullable<DeadLetterPlace["tells"]>,
    (end: End, target: TargetRef, sender: Sender) => MessageAttributes
  >
> = {
  eventbridge: ({ failure, retries, condition }, target, sender) => ({
    ERROR_CODE: text(eventBridgeCode(failure, target, sender)),
    ERROR_MESSAGE: text(failure.message),
    RETRY_ATTEMPTS: { DataType: "Number", StringValue: String(retries) },
    ...exhausted(condition),
  }),
  /** @see https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html */
  scheduler: ({ failure, retries, condition }, { arn }) => ({
    ERROR_CODE: text(failure.apiCode ?? apiCode(failure, arn)),
    ERROR_MESSAGE: text(failure.message),
    RETRY_ATTEMPTS: text(String(retries)),
    ...exhausted(condition),
  }),
};

function apiCode({ code }: Failure, targetArn: string): string {
  const isQueue = targetArn.split(":")[2] === "sqs";
  return code === "missing" && isQueue ? "AWS.SimpleQueueService.NonExistentQueue" : API_CODES[code];
}

function exhausted(condition: End["condition"]): MessageAttributes {
  if (condition === "refused") return {};
  const policy = condition === "retries" ? "MaximumRetryAttempts" : "MaximumEventAgeInSeconds";
  return { EXHAUSTED_RETRY_CONDITION: text(policy) };
}

/** Counts the end, tells it, and sends the dead letter; what that queue does not take is told too. */
export async function bury(deps: Deps, tx: Transaction, parcel: Parcel, end: End): Promise<void> {
  const { log, metrics } = deps;
  const { deadLetter, sender, target } = parcel;
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
  const letter = letterOf(parcel, deadLetter, end);
  if (deadLetter.roleArn !== undefined) {
    // What a role may do is more than a transaction may read: it is asked when the letter is sent.
    await deps.later(tx, letter);
    tx.afterCommit(() => {
      count(metrics, parcel, "failed");
      log.info("What was published could not be delivered; it goes to its dead-letter queue", facts);
    });
    return;
  }
  const failure = await send(deps, tx, letter);
  tx.afterCommit(() => {
    count(metrics, parcel, "failed");
    count(metrics, parcel, failure ? "deadLetterFailed" : "deadLettered");
    if (failure)
      log.warn("What was published could not be delivered, and its dead-letter queue did not take it", {
        ...facts,
        deadLetterQueue: deadLetter.queueArn,
        deadLetterReason: failure.message,
      });
    else log.info("What was published could not be delivered; it is in its dead-letter queue", facts);
  });
}

function letterOf(parcel: Parcel, deadLetter: DeadLetterPlace, end: End): Parcel {
  const { metrics, sender, traceHeader } = parcel;
  const { queueArn, roleArn, messageGroupId, deduplicationId } = deadLetter;
  const { target, body } = asAttempt(parcel, end.retries);
  const counted = metrics && {
    namespace: metrics.namespace,
    dimensions: metrics.dimensions,
    ...(metrics.deadLettered !== undefined && { delivered: metrics.deadLettered }),
    ...(metrics.deadLetterFailed !== undefined && { failed: metrics.deadLetterFailed }),
  };
  return {
    sender,
    ...(traceHeader !== undefined && { traceHeader }),
    id: `${parcel.id}-dead`,
    retry: LETTER_RETRY,
    ...(counted && { metrics: counted }),
    target: {
      arn: queueArn,
      ...(roleArn !== undefined && { roleArn }),
      ...(target.trustSourceArn !== undefined && { trustSourceArn: target.trustSourceArn }),
      sqs: {
        attributes: {
          ...deadLetter.attributes,
          ...(deadLetter.tells && TELLS[deadLetter.tells](end, target, sender)),
        },
        ...(messageGroupId !== undefined && { messageGroupId }),
        ...(deduplicationId !== undefined && { deduplicationId }),
      },
    },
    body: deadLetter.body === undefined ? body : Buffer.from(deadLetter.body),
  };
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
