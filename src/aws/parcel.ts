/**
 * What publishers hand to the courier, and what comes of it: the one port by which events are pushed. A service's port picks of it what it
 * asks; `src/courier` is who carries.
 */
import type { Transaction } from "../store/database.ts";

/** Where something goes, and what that kind of target needs beside the body. */
export interface TargetRef {
  /**
   * The ARN of a function (with a qualifier, if any), queue, topic, stream, event bus or log group; or an http(s) URL.
   */
  readonly arn: string;
  /** The role that the courier acts for; without one the target's own policy must let the sender's service in. */
  readonly roleArn?: string;
  /** aws:SourceArn as the role's trust is asked, where it is not the sender's. */
  readonly trustSourceArn?: string;
  readonly sqs?: {
    /** FIFO queues need it. */
    readonly messageGroupId?: string;
    /** FIFO queues need it unless they deduplicate by content. */
    readonly deduplicationId?: string;
    readonly attributes?: MessageAttributes;
  };
  readonly kinesis?: { readonly partitionKey: string };
  readonly sns?: {
    readonly subject?: string;
    readonly attributes?: MessageAttributes;
    readonly messageGroupId?: string;
    readonly deduplicationId?: string;
  };
  /** An event bus's; the body is the event's detail, or with `whole` the whole event. */
  readonly event?: {
    readonly source: string;
    readonly detailType: string;
    readonly resources?: readonly string[];
    readonly whole?: boolean;
  };
  /** Without a `timestamp` (epoch milliseconds) the event is of the time when it is written. */
  readonly logs?: { readonly stream: string; readonly timestamp?: number };
  /** What is added to an API destination's request. */
  readonly apiDestination?: {
    /** In place of the stars of its endpoint. */
    readonly pathValues: readonly string[];
    readonly headers: Readonly<Record<string, string>>;
    readonly query: Readonly<Record<string, string>>;
  };
  readonly http?: {
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    /** Until the answer's headers must have come, in milliseconds. */
    readonly timeoutMs: number;
    /** Requests a second to one URL, at most; unlimited where it is absent. */
    readonly perSecondMax?: number;
    /** What shares that rate; the URL alone where it is absent. */
    readonly pacedWith?: string;
  };
}

/** As SQS and SNS have them. `BinaryValue` is base64, since what waits is kept as JSON. */
export type MessageAttributes = Readonly<
  Record<string, { readonly DataType: string; readonly StringValue?: string; readonly BinaryValue?: string }>
>;

/** On whose behalf something is handed over, as the target's policy asks for it. */
export interface Sender {
  /** `sns.amazonaws.com` */
  readonly service: string;
  /** aws:SourceArn: the topic, rule, schedule, log group. */
  readonly sourceArn: string;
  /** aws:SourceAccount */
  readonly account: string;
  readonly region: string;
}

export interface Parcel {
  /** Unique for what is handed over and where to. It names what waits, so that nothing waits twice. */
  readonly id: string;
  readonly target: TargetRef;
  readonly sender: Sender;
  /** Exactly what the target gets: a function's event, a message's body, a record's data. */
  readonly body: Buffer;
  /** Stands in the body for the number of the attempt, from 1. */
  readonly attemptText?: string;
  /** X-Amzn-Trace-Id of what caused it. */
  readonly traceHeader?: string;
  /** When what it tells of came to the publisher, in epoch milliseconds: latencies are counted from then. */
  readonly ingestedAt?: number;
  readonly retry: RetryPolicy;
  readonly deadLetter?: DeadLetterPlace;
  readonly metrics?: ParcelMetrics;
}

/** What follows from a target that cannot take something now. One that refuses it is not asked again. */
export interface RetryPolicy {
  /** Attempts after the first. */
  readonly attemptsMax: number;
  /** Milliseconds from the hand-over, after which no attempt is begun. */
  readonly ageMsMax: number;
  /** Waits before each further attempt; the last one stands for all later. Without them they double, from one second to ten minutes, with jitter. */
  readonly delaysMs?: readonly number[];
}

/** Where that goes which was not delivered: the parcel's body, as a message. */
export interface DeadLetterPlace {
  readonly queueArn: string;
  /** As whom it is sent; without one the queue's policy must let the sender's service in. */
  readonly roleArn?: string;
  readonly attributes: MessageAttributes;
  /** What the courier adds of the end, in the words of the publisher's service; see `dead-letters.ts`. */
  readonly tells?: "eventbridge" | "scheduler";
  /** Instead of the parcel's body, where the target got it in another form. */
  readonly body?: string;
  readonly messageGroupId?: string;
  readonly deduplicationId?: string;
}

/**
 * Names of the publisher's metrics, each counted with every set of dimensions. A publisher that counts often gives the same object again: what is
 * counted under it is remembered.
 */
export interface ParcelMetrics {
  /** `AWS/SNS` */
  readonly namespace: string;
  readonly dimensions: readonly Readonly<Record<string, string>>[];
  /** Every attempt. */
  readonly attempt?: string;
  /** Several names where several metrics count the same. */
  readonly delivered?: string | readonly string[];
  /** An attempt that will be repeated. */
  readonly retried?: string;
  /** An attempt that the target did not take, of what goes out as a role or outside of the server. */
  readonly targetFailed?: string;
  /** One that it did not take for want of room. */
  readonly targetThrottled?: string;
  /** Not delivered, for good. */
  readonly failed?: string | readonly string[];
  readonly deadLettered?: string;
  readonly deadLetterFailed?: string;
  /** Milliseconds from `ingestedAt` to the begin and the end of the first attempt, and to the delivery. */
  readonly latency?: { readonly started: string; readonly completed: string; readonly delivered: string };
  /** Further sets of dimensions, of single names. */
  readonly also?: Readonly<Record<string, readonly Readonly<Record<string, string>>[]>>;
}

/** `waiting`: it is in the courier's durable queue. `refused`: it went to the dead-letter queue, where there is one. */
export type Handed = "delivered" | "waiting" | "refused";

/** Why something was not delivered. */
export interface Failure {
  readonly code:
    | "missing"
    | "denied"
    | "too-large"
    | "invalid"
    | "unsupported"
    | "throttled"
    | "failed"
    | "timeout"
    /** The sender cannot act as the role. */
    | "untrusted"
    /** An event has been on another bus already, and goes to no third one. */
    | "hop"
    /** What the target would get is no JSON. */
    | "not-json"
    /** It is too old, or too far ahead of its time. */
    | "untimely";
  /** A sentence's end: "there is no such queue". */
  readonly message: string;
  /** What an endpoint answered with. */
  readonly status?: number;
  /** The error of the API that was called: `ResourceNotFoundException`. */
  readonly apiCode?: string;
}

export interface Courier {
  /**
   * Why nothing can be delivered to a target: this server has no such service (`unsupported`), it is not there (`missing`), or it does not let the
   * sender in (`denied`). A publisher asks what its AWS API checks.
   */
  fault(target: TargetRef, sender: Sender): Promise<Failure | undefined>;
  /**
   * Hands over in the caller's transaction. What a target takes at once is there when the transaction commits. A target that is named with a role,
   * or outside of this server, gets it right after, from a durable queue. What is refused goes to the dead-letter queue in the same
   * transaction; it is counted and told.
   */
  hand(tx: Transaction, parcel: Parcel): Promise<Handed>;
  /** For what the publisher knows will not be taken: it goes to the dead-letter queue, is counted and told, as what a target refuses. */
  refuse(tx: Transaction, parcel: Parcel, failure: Failure): Promise<void>;
}
