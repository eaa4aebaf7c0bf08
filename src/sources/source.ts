/**
 * What a kind of event source is to the rest: the manager starts one {@link RunningSource} for each enabled mapping and stops it;
 * everything that a source needs of Lambda, IAM and the store it has from its {@link SourceContext}.
 */
import type { Clock } from "../kit/clock.ts";
import type { Ids } from "../kit/id.ts";
import type { Database, Transaction } from "../store/database.ts";
import type { Leases } from "../store/lease.ts";
import type { Log } from "../telemetry/log.ts";
import type { Mapping, SourceInput } from "./mapping.ts";
import type { SourceMetric } from "./mapping-metrics.ts";
import type { UsedResource } from "./ports.ts";

/** Of one invocation's payload: a batch is cut before it would be larger. */
export const BATCH_BYTES_MAX = 6_291_456;

/** What is asked for in one kind's stead when a mapping is made or changed. */
export interface MappedFunction {
  /** With the qualifier that the mapping names, if it names one. */
  readonly functionArn: string;
  readonly roleArn: string;
  readonly timeoutSeconds: number;
}

/** A kind of event source: SQS, Kinesis, DynamoDB Streams, Kafka, MQ. */
export interface SourceKind {
  /** As messages name it: `Amazon SQS`. */
  readonly name: string;
  /**
   * Where a mapping runs: on the one server that holds the mapping's lease, or on every server, when the source takes leases of its
   * own (for each shard, say).
   */
  readonly runsOn: "owner" | "every server";
  /** StateTransitionReason of what a user asked for, as AWS has it for this kind. */
  readonly userReason: "USER_INITIATED" | "User action";
  /** The member of a record that holds what the producer wrote, JSON or not, for filters; undefined where all of it is JSON. */
  readonly dataKey: "body" | "data" | "value" | undefined;
  /** Whether LastProcessingResult is told while all is well. */
  readonly tellsResult: boolean;
  /** Whether a mapping may read a source of another account, of which the source's own policy decides. */
  readonly crossesAccounts: boolean;
  /** Members that the request left out, as AWS has them then. */
  defaults(input: SourceInput): Partial<SourceInput>;
  /**
   * What tells mappings of one function apart; a second mapping with the same function and key is a duplicate.
   * For queues and streams the source's ARN.
   */
  sourceKey(input: SourceInput): string;
  /**
   * Whether the source is there and the function's role may read it.
   * @throws AwsError InvalidParameterValueException with AWS's text.
   */
  validate(mapping: Mapping, target: MappedFunction): Promise<void>;
  /** Begins to read. Must not throw: what goes wrong later is told by `context.processed`, and tried again by the source. */
  start(mapping: Mapping, context: SourceContext): RunningSource;
  /** Removes what the kind keeps for a mapping (checkpoints), in the transaction that deletes it. */
  forget?(tx: Transaction, mapping: Mapping): Promise<void>;
}

export interface RunningSource {
  /** Takes nothing more, and finishes or gives back what is in flight. `context.signal` has been aborted before. */
  stop(): Promise<void>;
}

/** What came of an invocation. */
export type InvokeOutcome =
  | {
      readonly kind: "ok" | "function-error";
      /** The function's answer, or its error's document. */
      readonly payload: Buffer;
      readonly statusCode: 200;
      readonly executedVersion: string;
      readonly requestId: string;
    }
  /** No concurrency was free; the function did not run. */
  | {
      readonly kind: "throttled";
      readonly reason: string;
      /** Its reserved concurrency is 0. */
      readonly isSwitchedOff: boolean;
      readonly requestId: string;
    }
  /** The function could not be run: it is gone, not active, in a recursive loop, or the platform failed. */
  | {
      readonly kind: "failed";
      /** AWS's name of the error: `ResourceNotFoundException`. */
      readonly code: string;
      readonly message: string;
      readonly requestId: string;
    };

export interface InvokeOptions {
  /** X-Amzn-Trace-Id of what the batch came from; the lineage in them stops functions that feed themselves. */
  readonly traceHeaders?: readonly string[];
}

/** A record of events that were given up, on its way to the mapping's OnFailure destination. */
export interface FailureRecord {
  /** JSON as the destination gets it. */
  readonly record: Buffer;
  /** The object's key where the destination is a bucket: see {@link failureObjectKey}. */
  readonly objectKey: string;
  /** Events that it tells of, for OnFailureDestinationDeliveredEventCount. */
  readonly events: number;
  readonly traceHeader?: string | undefined;
}

export interface SourceContext {
  /** Aborted when the mapping is stopped, changed or deleted, or its lease was lost. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly database: Database;
  readonly leases: Leases;
  /** Names this server as the owner of leases; unique to this run of it. */
  readonly owner: string;
  /** The servers that share the work now, in the same order on each of them; `owner` is one. */
  servers(): readonly string[];
  /**
   * Whether the mapping's filters let a record by; true where there are none.
   * @param record As filters see it: the JSON that the function would get, with metadata.
   * @param data What the producer wrote, decoded to text, where the kind has a `dataKey`; it stands in the record's place for that key.
   *   Undefined for bytes that are no text: patterns of that key do not match it then.
   */
  matches(record: Readonly<Record<string, unknown>>, data?: string): boolean;
  /** Whether there are filters, for sources that would prepare a record only for them. */
  readonly isFiltered: boolean;
  /** The execution role of the function now; undefined where the function, version or alias is gone. */
  target(): Promise<MappedFunction | undefined>;
  /** Whether the function's execution role may do this now. False too where the function is gone. */
  mayRole(action: string, resource: UsedResource): Promise<boolean>;
  /** Invokes synchronously with the function's own limits; counts InvokedEventCount and FailedInvokeEventCount for `events`. Never rejects. */
  invoke(payload: Buffer, events: number, options?: InvokeOptions): Promise<InvokeOutcome>;
  /** LastProcessingResult: `OK`, `No records processed`, `PROBLEM: …`. Written when it changes, and no more often than once a second. */
  processed(result: string): void;
  /** Counts a metric, where the mapping's MetricsConfig asks for its group. */
  count(metric: SourceMetric, value: number): void;
  /** What OnFailure names, by the service in its ARN; undefined where there is none. Kafka's `kafka://topic` is the source's own affair. */
  readonly failureDestination: "sqs" | "s3" | "kafka" | undefined;
  /** Hands a record to the OnFailure destination in the caller's transaction (that in which the checkpoint moves); delivered durably, with retries. */
  onFailure(tx: Transaction, record: FailureRecord): Promise<void>;
}

/** `aws/lambda/<UUID>/<part>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<random>`, as AWS names the object. @param part The shard's or partition's. @public For sources with OnFailure. */
export function failureObjectKey(uuid: string, part: string, atMs: number, random: string): string {
  const time = new Date(atMs).toISOString();
  const day = time.slice(0, 10).replaceAll("-", "/");
  return `aws/lambda/${uuid}/${part}/${day}/${time.slice(0, 19).replaceAll(":", ".")}-${random}`;
}
