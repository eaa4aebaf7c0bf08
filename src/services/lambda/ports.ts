/** What Lambda needs from other parts; satisfied in server/compose.ts. */
import type { ResourcePolicies as Policies } from "../../aws/resource-policies.ts";
import type { Architecture, ImageDefaults } from "../../sandbox/index.ts";
import type { Readable } from "node:stream";
import type { Input, Output, RequestContext } from "../../aws/service.ts";
import type { Credentials, LogLine } from "../../invoke/index.ts";
import type { Reader, Transaction } from "../../store/database.ts";

type Client = typeof import("@aws-sdk/client-lambda");

export interface Roles {
  /** Whether the role exists and its trust policy lets the service assume it. */
  canBeAssumedBy(roleArn: string, servicePrincipal: string): Promise<boolean>;
  /** Temporary credentials of the role, as sts:AssumeRole gives them to Lambda. */
  session(roleArn: string, sessionName: string, durationSeconds: number): Promise<Credentials>;
  /** Whether the role's policies allow the action on the resource. */
  allows(roleArn: string, action: string, resourceArn: string): Promise<boolean>;
}

/** What policies on resources say: the documents are this service's, the language is IAM's. */
export type ResourcePolicies = Pick<Policies, "parse" | "principalFault" | "ask">;

/** Queues that get records and dead letters, sent with a function's role. */
export interface RecordQueues {
  /** Whether the queue exists, and the role may send to it. */
  check(queueArn: string, sender: QueueSender): Promise<"ok" | "missing" | "denied">;
  /** Adds a message in the caller's transaction. @throws AwsError for one that the queue refuses for another reason than its size */
  send(tx: Transaction, message: QueuedRecord): Promise<"sent" | "missing" | "too-large">;
}

/** Event buses that get records, put with a function's role. */
export interface RecordBuses {
  /** Whether the bus exists, and the role may put such events on it. */
  check(
    busArn: string,
    sender: QueueSender,
    event: { readonly source: string; readonly detailType: string },
  ): Promise<"ok" | "missing" | "denied">;
  /** Puts an event in the caller's transaction, with all that follows from it. @param event Its `text` is the detail, JSON. */
  put(
    tx: Transaction,
    event: {
      readonly busArn: string;
      readonly text: string;
      readonly source: string;
      readonly detailType: string;
      readonly resources: readonly string[];
      readonly account: string;
      readonly region: string;
      readonly traceHeader?: string;
    },
  ): Promise<"put" | "missing" | "invalid">;
}

interface QueueSender {
  readonly roleArn: string;
}

export type QueueAttributes = Readonly<
  Record<string, { readonly DataType: string; readonly StringValue: string }>
>;

export interface QueuedRecord {
  readonly queueArn: string;
  readonly body: string;
  readonly attributes?: QueueAttributes;
  readonly traceHeader?: string;
  readonly sender: QueueSender;
}

/** Topics that get records and dead letters, published with a function's role. */
export interface RecordTopics {
  /** Whether the topic exists, and the role may publish to it. */
  check(topicArn: string, sender: QueueSender): Promise<"ok" | "missing" | "denied">;
  /** Publishes in the caller's transaction. @throws AwsError for a message that is refused for another reason than its size */
  publish(
    tx: Transaction,
    message: {
      readonly topicArn: string;
      readonly message: string;
      readonly attributes?: QueueAttributes;
      readonly traceHeader?: string;
    },
  ): Promise<"published" | "missing" | "too-large">;
}

export interface CodeObjects {
  /** An object's bytes, or undefined where bucket, key or version do not exist. */
  read(
    account: string,
    region: string,
    bucket: string,
    key: string,
    versionId: string | undefined,
  ): Promise<Readable | undefined>;
  /** The version that such a read would have: `null` where the bucket has none; undefined where there is nothing to read. */
  versionOf(
    account: string,
    region: string,
    bucket: string,
    key: string,
    versionId: string | undefined,
  ): Promise<string | undefined>;
}

/** A version of an object in S3. */
export interface ObjectVersion {
  readonly account: string;
  readonly region: string;
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string;
}

/** Container images on this machine. */
export interface FunctionImages {
  /** The digest of the manifest that a reference names now. @throws ImageError */
  resolve(uri: string, architecture: Architecture): Promise<string>;
  /** Pulls it where it is not here, and keeps it at `root` until the answer is called. @throws ImageError */
  hold(uri: string, digest: string): Promise<() => void>;
  root(digest: string): string;
  /** How the image says that it is run, while it is held. */
  defaults(digest: string): ImageDefaults;
  /** No version refers to it any more. */
  remove(digest: string): Promise<void>;
  /** Removes all others. */
  keepOnly(digests: ReadonlySet<string>): Promise<void>;
}

/** The server's own registry, as functions have images of it. */
export interface OwnRegistry {
  /**
   * The repository that a reference names, and whether Lambda may read it for a function that the caller makes or changes; undefined
   * for another registry's.
   */
  repositoryFor(
    reference: { readonly registry: string; readonly repository: string },
    functionArn: string,
    context: RequestContext,
  ): Promise<OwnRepository | undefined>;
}

export interface OwnRepository {
  /** By which the image store knows its registry, whoever asks. */
  readonly host: string;
  readonly region: string;
  /** Why the image may not be read. */
  readonly refusal?: string | undefined;
}

export interface FunctionLogs {
  /**
   * Creates group and stream when missing and appends.
   * @param traceHeader X-Amzn-Trace-Id of the invocation that wrote the lines: what they cause belongs to its chain
   */
  append(
    account: string,
    region: string,
    group: string,
    stream: string,
    lines: readonly LogLine[],
    traceHeader?: string,
  ): Promise<void>;
  groupExists(account: string, region: string, group: string): Promise<boolean>;
}

/** Buckets that get the records of failed asynchronous invocations. */
export interface RecordBuckets {
  /** Whether the account has a bucket of that name. */
  bucketExists(account: string, bucket: string): Promise<boolean>;
  /** Writes an object, durably, with the bucket's notifications; replaces one of that key. */
  write(
    account: string,
    bucket: string,
    key: string,
    bytes: Buffer,
    writer: { principalId: string; requestId: string; traceHeader: string | undefined },
  ): Promise<void>;
}

/** The function, version or alias that an event source mapping names, as it is now. */
export interface MappedFunction {
  /** With the qualifier that the mapping names. */
  readonly functionArn: string;
  readonly roleArn: string;
  readonly timeoutSeconds: number;
}

type MappingDescription = Output<Client, "GetEventSourceMapping">;

interface MappingPlace {
  readonly account: string;
  readonly region: string;
}

/** What reads event sources and calls functions. Every method throws AWS's errors. */
export interface EventSourceMappings {
  /** What the request itself says, before its function is looked for. */
  check(input: Input<Client, "CreateEventSourceMapping">): void;
  create(
    here: MappingPlace,
    input: Input<Client, "CreateEventSourceMapping">,
    target: MappedFunction,
  ): Promise<MappingDescription>;
  get(here: MappingPlace, uuid: string): Promise<MappingDescription>;
  /** So many mappings, by UUID, after one. */
  list(
    here: MappingPlace,
    by: {
      readonly functionArn: string | undefined;
      readonly eventSourceArn: string | undefined;
      readonly after: string;
      readonly limit: number;
    },
  ): Promise<MappingDescription[]>;
  /** @param target The function that the request names, if it names one. */
  update(
    here: MappingPlace,
    uuid: string,
    input: Omit<Input<Client, "UpdateEventSourceMapping">, "UUID">,
    target: MappedFunction | undefined,
  ): Promise<MappingDescription>;
  delete(here: MappingPlace, uuid: string): Promise<MappingDescription>;
  readTags(reader: Reader, here: MappingPlace, uuid: string): Promise<Record<string, string>>;
  saveTags(tx: Transaction, uuid: string, tags: Readonly<Record<string, string>>): Promise<void>;
}
