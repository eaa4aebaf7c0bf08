/** Copies each letter that a message tells of into the archive. */
import { CopyObjectCommand, S3Client } from "@aws-sdk/client-s3";

const s3 = new S3Client({ forcePathStyle: true });

export async function handler({ Records }) {
  for (const { body } of Records)
    for (const { s3: told } of JSON.parse(body).Records ?? []) {
      const { key } = told.object;
      const CopySource = `${told.bucket.name}/${key}`;
      await s3.send(new CopyObjectCommand({ Bucket: process.env.BUCKET, Key: `archive/${key}`, CopySource }));
    }
}
