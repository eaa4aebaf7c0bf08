/** What Lambda needs from other parts; satisfied in server/compose.ts. */
import type { Architecture, ImageDefaults } from "../../sandbox/index.ts";
import type { Readable } from "node:stream";
import type { Credentials, LogLine } from "../../invoke/index.ts";

export interface Roles {
  /** Whether the role exists and its trust policy lets the service assume it. */
  canBeAssumedBy(roleArn: string, servicePrincipal: string): Promise<boolean>;
  /** Temporary credentials of the role, as sts:AssumeRole gives them to Lambda. */
  session(roleArn: string, sessionName: string, durationSeconds: number): Promise<Credentials>;
  /** Whether the role's policies allow the action on the resource. */
  allows(roleArn: string, action: string, resourceArn: string): Promise<boolean>;
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

export interface FunctionLogs {
  /** Creates group and stream when missing and appends. */
  append(
    account: string,
    region: string,
    group: string,
    stream: string,
    lines: readonly LogLine[],
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
