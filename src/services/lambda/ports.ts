/** What Lambda needs from other parts; satisfied in server/compose.ts. */
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
