/** Objects as Lambda reads them for function code, and writes them for the records of failed invocations. */
import { Readable } from "node:stream";
import { BlobNotFound } from "../../store/blobs.ts";
import { DEFAULT_ALGORITHM } from "./checksum/algorithms.ts";
import type { S3 } from "./deps.ts";
import { discardRefused } from "./discard-refused.ts";
import { newSealing } from "./encryption/requested.ts";
import { s3Error } from "./errors.ts";
import { readHeaders } from "./metadata.ts";
import { bucketArn } from "./notification/event.ts";
import { putVersionIn } from "./put-version.ts";
import { findBucket } from "./store-buckets.ts";
import { currentObject, objectVersion } from "./store-objects.ts";

/** How often a row is read anew when its content was removed between the two looks. */
const ATTEMPTS_MAX = 5;

export interface StoredObjects {
  /** An object's bytes, or undefined where the account's bucket in that region, the key or the version do not exist. */
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
  /** Whether the account has a bucket of that name, in whichever region. */
  bucketExists(account: string, bucket: string): Promise<boolean>;
  /** Writes a JSON object, durably, with the bucket's notifications. @throws NoSuchBucket, AccessDenied. */
  write(account: string, bucket: string, key: string, bytes: Buffer, writer: Writer): Promise<void>;
}

/** Who writes an object, as its event tells it. */
interface Writer {
  /** The ARN of the role that it is written with. */
  readonly principalId: string;
  readonly requestId: string;
  readonly traceHeader: string | undefined;
}

export function storedObjects(s3: S3): StoredObjects {
  const find = async (account: string, region: string, name: string, key: string, versionId?: string) => {
    const bucket = await findBucket(s3.database, name);
    if (bucket?.account !== account || bucket.region !== region) return undefined;
    const bytes = Buffer.from(key);
    const row =
      versionId === undefined
        ? await currentObject(s3.database, name, bytes)
        : await objectVersion(s3.database, name, bytes, versionId);
    return row?.is_marker === 1 ? undefined : row;
  };
  return {
    versionOf: async (...place) => (await find(...place))?.version_id,
    async read(...place) {
      for (let attempt = 1; ; attempt++) {
        const row = await find(...place);
        if (!row) return undefined;
        try {
          const content = await s3.content.read(row);
          return content instanceof Readable ? content : Readable.from([content]);
        } catch (error) {
          if (!(error instanceof BlobNotFound) || attempt === ATTEMPTS_MAX) throw error;
        }
      }
    },
    async bucketExists(account, bucket) {
      return (await findBucket(s3.database, bucket))?.account === account;
    },
    write: (account, bucket, key, bytes, writer) => write(s3, { account, bucket, key, bytes, writer }),
  };
}

interface NewObject {
  readonly account: string;
  readonly bucket: string;
  readonly key: string;
  readonly bytes: Buffer;
  readonly writer: Writer;
}

async function write(s3: S3, { account, bucket, key, bytes, writer }: NewObject): Promise<void> {
  const target = await findBucket(s3.database, bucket);
  if (target?.policy) {
    const question = { action: "s3:PutObject", resources: [`${bucketArn(bucket)}/${key}`] };
    const answer = await s3.policies.ask(target.policy, question, { account, arn: writer.principalId });
    if (answer === "denied") throw s3Error("AccessDenied");
  }
  const sealing = target && newSealing(s3, target, undefined);
  const received = await s3.content.receive(Readable.from([bytes]), DEFAULT_ALGORITHM, {
    inline: true,
    key: sealing?.key,
  });
  const value = received.checksum.toString("base64");
  const content = {
    ...received,
    etag: received.md5.toString("hex"),
    checksum: { algorithm: DEFAULT_ALGORITHM, type: "FULL_OBJECT", value } as const,
    parts: 0,
    uploadId: null,
    headers: JSON.stringify(readHeaders({ ContentType: "application/json" })),
    tags: null,
    lock: undefined,
    encryption: sealing?.stored ?? null,
  };
  const changer = {
    principal: { userId: writer.principalId },
    requestId: writer.requestId,
    headers: { "x-amzn-trace-id": writer.traceHeader },
  };
  try {
    const written = await s3.database.tx(async (tx) => {
      const row = await findBucket(tx, bucket);
      if (!row) throw s3Error("NoSuchBucket", { BucketName: bucket });
      if (row.account !== account) throw s3Error("AccessDenied");
      const put = { key: Buffer.from(key), content, conditions: {}, event: "ObjectCreated:Put" };
      return putVersionIn(s3, tx, row, put, changer);
    });
    s3.content.discard(written.garbage);
  } catch (error) {
    discardRefused(s3, error, content.blobName);
    throw error;
  }
}
