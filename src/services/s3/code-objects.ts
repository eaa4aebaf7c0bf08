/** Objects as Lambda reads them for function code. */
import { Readable } from "node:stream";
import { BlobNotFound } from "../../store/blobs.ts";
import type { S3 } from "./deps.ts";
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
}

export function storedObjects(s3: S3): StoredObjects {
  return {
    async read(account, region, bucketName, key, versionId) {
      const bucket = await findBucket(s3.database, bucketName);
      if (bucket?.account !== account || bucket.region !== region) return undefined;
      const bytes = Buffer.from(key);
      for (let attempt = 1; ; attempt++) {
        const row =
          versionId === undefined
            ? await currentObject(s3.database, bucketName, bytes)
            : await objectVersion(s3.database, bucketName, bytes, versionId);
        if (!row || row.is_marker === 1) return undefined;
        try {
          const content = await s3.content.read(row);
          return content instanceof Readable ? content : Readable.from([content]);
        } catch (error) {
          if (!(error instanceof BlobNotFound) || attempt === ATTEMPTS_MAX) throw error;
        }
      }
    },
  };
}
