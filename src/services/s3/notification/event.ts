/** The event that a function gets for a change of an object, in AWS's shape and order of members. */
import type { BucketRow } from "../rows.ts";

/** A change of an object. */
export interface ObjectChange {
  /** `ObjectCreated:Put` */
  readonly name: string;
  readonly key: string;
  /** Absent for removals. */
  readonly size?: number;
  /** Without quotes; absent for removals. */
  readonly etag?: string;
  readonly versionId?: string | undefined;
  readonly sequencer: string;
}

export interface EventSource {
  readonly bucket: BucketRow;
  /** The bucket owner's canonical user id. */
  readonly owner: string;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly principalId: string;
  readonly sourceIp: string;
  readonly requestId: string;
  /** x-amz-id-2 */
  readonly hostId: string;
}

/** Families whose records carry version 2.3 of the event structure. */
const VERSION_2_3 = /^(ObjectTagging|ObjectAcl|LifecycleExpiration|LifecycleTransition|IntelligentTiering):/;

/** One `Records` event, as JSON bytes. */
export function eventFor(change: ObjectChange, source: EventSource, configurationId: string): Buffer {
  const record = {
    eventVersion: VERSION_2_3.test(change.name) ? "2.3" : "2.1",
    eventSource: "aws:s3",
    awsRegion: source.bucket.region,
    eventTime: new Date(source.time).toISOString(),
    eventName: change.name,
    userIdentity: { principalId: source.principalId },
    requestParameters: { sourceIPAddress: source.sourceIp },
    responseElements: { "x-amz-request-id": source.requestId, "x-amz-id-2": source.hostId },
    s3: {
      s3SchemaVersion: "1.0",
      configurationId,
      bucket: {
        name: source.bucket.name,
        ownerIdentity: { principalId: source.owner },
        arn: bucketArn(source.bucket.name),
      },
      object: {
        key: encodeEventKey(change.key),
        size: change.size,
        eTag: change.etag,
        versionId: change.versionId,
        sequencer: change.sequencer,
      },
    },
  };
  return Buffer.from(JSON.stringify({ Records: [record] }));
}

export function bucketArn(bucket: string): string {
  return `arn:aws:s3:::${bucket}`;
}

/** Form encoding with slashes left alone: what `unquote_plus` in a function undoes. */
export function encodeEventKey(key: string): string {
  return encodeURIComponent(key)
    .replaceAll("%2F", "/")
    .replaceAll("%20", "+")
    .replace(/[!'()~]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}
