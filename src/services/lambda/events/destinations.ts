/** The table of services that take records of asynchronous invocations; a further one is one more entry. */
import { AwsError } from "../../../aws/errors.ts";
import type { Ids } from "../../../kit/id.ts";
import type { Database, Transaction } from "../../../store/database.ts";
import { ASYNC_PAYLOAD_BYTES_MAX } from "../limits.ts";
import { findVersion } from "../lookup.ts";
import { functionArn, readFunctionArn } from "../names.ts";
import type { FunctionId } from "../names.ts";
import type {
  RecordBuckets,
  RecordBuses,
  RecordQueues,
  RecordTopics,
  ResourcePolicies,
  Roles,
} from "../ports.ts";
import { askFunction } from "../resource-policies.ts";
import { busDestination } from "./bus-destination.ts";
import type { EventQueue } from "./event-queue.ts";
import { queueDestination, topicDestination } from "./message-destinations.ts";

/** The function whose record is delivered, and the role that it delivers with. */
export interface Sender extends FunctionId {
  readonly roleArn: string;
}

/** One record on its way. */
export interface Delivery {
  readonly sender: Sender;
  /** The destination's ARN. */
  readonly destination: string;
  /** When the event ended, in epoch milliseconds. */
  readonly at: number;
  /** Unique, and the same in every attempt. */
  readonly id: string;
  readonly traceHeader: string | undefined;
  readonly record: Buffer;
  /** The object's in a bucket; absent for records of asynchronous invocations, whose key follows from the rest. */
  readonly objectKey?: string;
  /** What a dead letter says of its event; then the record is the event itself. */
  readonly deadLetter?: DeadLetter;
}

export interface DeadLetter {
  readonly requestId: string;
  /** An HTTP status: 200 where the function has answered with an error. */
  readonly errorCode: number;
  readonly errorMessage: string;
}

/** A record that the destination will never take. */
export class Undeliverable extends Error {}

/** One kind of destination. */
export interface Destination {
  /** Whether OnSuccess may name it too. */
  readonly takesSuccess: boolean;
  /** Largest record that it takes, in bytes. */
  readonly recordBytesMax: number;
  /** What keeps records from being delivered, as the end of a sentence; undefined when nothing does. */
  fault(sender: Sender, arn: string, keyPrefix?: string): Promise<string | undefined>;
  /** Hands the record over (@throws Undeliverable); `settle` ends the hand-over, in the transaction that it is given, and is false when it ended before. */
  deliver(delivery: Delivery, settle: (tx: Transaction) => Promise<boolean>): Promise<void>;
}

export interface DestinationDeps {
  readonly database: Database;
  readonly ids: Ids;
  readonly roles: Roles;
  readonly policies: ResourcePolicies;
  readonly recordBuckets: RecordBuckets;
  readonly recordQueues: RecordQueues;
  readonly recordBuses: RecordBuses;
  readonly recordTopics: RecordTopics;
  readonly events: EventQueue;
}

/** By the service in their ARNs. */
const DESTINATIONS: Readonly<Record<string, (deps: DestinationDeps) => Destination>> = {
  lambda: functionDestination,
  events: busDestination,
  s3: bucketDestination,
  sqs: queueDestination,
  sns: topicDestination,
};

/** The kind of an ARN; undefined for what AWS does not deliver to. */
export function destinationOf(deps: DestinationDeps, arn: string): Destination | undefined {
  return DESTINATIONS[arn.split(":")[2] ?? ""]?.(deps);
}

/** A function gets the record as its event, asynchronously. */
function functionDestination({ database, ids, roles, policies, events }: DestinationDeps): Destination {
  return {
    takesSuccess: true,
    recordBytesMax: ASYNC_PAYLOAD_BYTES_MAX,
    async fault(sender, arn) {
      const reference = readFunctionArn(arn);
      if (!reference || reference.region !== sender.region) return "it is no function of this region";
      const missing = await findVersion(database, reference).then(
        () => false,
        () => true,
      );
      if (missing) return "there is no such function";
      const caller = { account: sender.account, arn: sender.roleArn };
      const answer = await askFunction({ policies, reader: database }, reference, INVOKE, caller);
      // Another account's function needs no more; in one account, what names only the account leaves it to the role's policies.
      const isOwn = reference.account === sender.account;
      if (answer === "principal" || answer === "role" || (!isOwn && answer === "account")) return undefined;
      if (isOwn && answer !== "denied" && (await roles.allows(sender.roleArn, INVOKE, arn))) return undefined;
      return missingPermission(sender, "InvokeFunction");
    },
    async deliver({ destination, record, traceHeader }, settle) {
      const reference = readFunctionArn(destination);
      if (!reference) throw new Error(`${destination} is no function's ARN`);
      await database.tx(async (tx) => {
        if (await settle(tx))
          await events.put(tx, reference, { requestId: ids.uuid(), payload: record, traceHeader });
      });
    },
  };
}

const INVOKE = "lambda:InvokeFunction";
/** `arn:aws:s3:::name` */
const BUCKET_ARN = /^arn:aws[a-z-]*:s3:::([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])$/;
/** A record is bounded by the two payloads in it; an object by far more. */
const OBJECT_BYTES_MAX = 5 * 1024 ** 3;

/** A bucket gets an object for each failed invocation. */
function bucketDestination({ database, roles, recordBuckets }: DestinationDeps): Destination {
  return {
    takesSuccess: false,
    recordBytesMax: OBJECT_BYTES_MAX,
    async fault(sender, arn, keyPrefix = `${OBJECT_PREFIX}${sender.name}/`) {
      const bucket = BUCKET_ARN.exec(arn)?.[1];
      if (bucket === undefined) return "it is no bucket's ARN";
      if (!(await recordBuckets.bucketExists(sender.account, bucket))) return "there is no such bucket";
      if (!(await roles.allows(sender.roleArn, "s3:PutObject", `${arn}/${keyPrefix}`)))
        return missingPermission(sender, "s3:PutObject");
      if (!(await roles.allows(sender.roleArn, "s3:ListBucket", arn)))
        return missingPermission(sender, "s3:ListBucket");
      return undefined;
    },
    async deliver({ sender, destination, at, id, traceHeader, record, ...delivery }, settle) {
      const bucket = BUCKET_ARN.exec(destination)?.[1] ?? "";
      // The key is the same in every attempt, so that a repeated one replaces the object instead of adding one.
      const key = delivery.objectKey ?? objectKey(sender.name, at, id);
      const writer = { principalId: sender.roleArn, requestId: id, traceHeader };
      await recordBuckets.write(sender.account, bucket, key, record, writer).catch((error: unknown) => {
        // The bucket's own policy has the last word.
        if (error instanceof AwsError && error.code === "AccessDenied")
          throw new Undeliverable(error.message);
        throw error;
      });
      await database.tx(settle);
    },
  };
}

const OBJECT_PREFIX = "aws/lambda/async/";

/** `aws/lambda/async/NAME/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-UUID` */
function objectKey(functionName: string, at: number, id: string): string {
  const time = new Date(at).toISOString();
  const day = time.slice(0, 10).replaceAll("-", "/");
  return `${OBJECT_PREFIX}${functionName}/${day}/${time.slice(0, 19).replaceAll(":", ".")}-${id}`;
}

export function missingPermission(sender: Sender, action: string): string {
  return `the execution role ${sender.roleArn} of ${functionArn(sender)} does not have permissions to call ${action} on it`;
}
