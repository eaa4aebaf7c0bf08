/** The events of EventBridge that tell changes of objects. https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html */
import type { BucketRow } from "../rows.ts";
import type { ObjectChange } from "./event.ts";

export interface BusEventSource {
  readonly bucket: BucketRow;
  /** The account, or the principal of the service, that did it. */
  readonly requester: string;
  readonly sourceIp: string;
  readonly requestId: string;
}

interface Kind {
  readonly detailType: string;
  readonly facts: Readonly<Record<string, string>>;
}

const REASONS: Readonly<Record<string, string>> = {
  Put: "PutObject",
  Post: "POST Object",
  Copy: "CopyObject",
  CompleteMultipartUpload: "CompleteMultipartUpload",
};

const TAG_TYPES: Readonly<Record<string, string>> = {
  Put: "Object Tags Added",
  Delete: "Object Tags Deleted",
};

/** Undefined for changes that EventBridge is not told. */
export function busEvent(
  change: ObjectChange,
  { bucket, requester, sourceIp, requestId }: BusEventSource,
): { readonly detailType: string; readonly text: string } | undefined {
  const kind = kindOf(change.name);
  if (!kind) return undefined;
  const detail = {
    version: "0",
    bucket: { name: bucket.name },
    object: {
      key: change.key,
      size: change.size,
      etag: change.etag,
      "version-id": change.versionId,
      sequencer: change.sequencer,
    },
    "request-id": requestId,
    requester,
    "source-ip-address": sourceIp,
    ...kind.facts,
  };
  return { detailType: kind.detailType, text: JSON.stringify(detail) };
}

/** @param name `ObjectCreated:Put` */
function kindOf(name: string): Kind | undefined {
  const [family = "", what = ""] = name.split(":");
  switch (family) {
    case "ObjectCreated":
      return { detailType: "Object Created", facts: { reason: REASONS[what] ?? what } };
    case "ObjectRemoved":
    case "LifecycleExpiration": {
      const reason = family === "ObjectRemoved" ? "DeleteObject" : "Lifecycle Expiration";
      const deletion = what === "Delete" ? "Permanently Deleted" : "Delete Marker Created";
      return { detailType: "Object Deleted", facts: { reason, "deletion-type": deletion } };
    }
    case "ObjectTagging": {
      const detailType = TAG_TYPES[what];
      return detailType === undefined ? undefined : { detailType, facts: {} };
    }
    default:
      return undefined;
  }
}
