/** Counts the words of each letter that a message tells of. */
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";

const s3 = new S3Client({ forcePathStyle: true });

export async function handler({ Records }) {
  for (const { body } of Records)
    for (const { s3: told } of JSON.parse(body).Records ?? []) {
      const { key } = told.object;
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: told.bucket.name, Key: key }));
      const words = (await Body.transformToString()).split(/\s+/).filter(Boolean).length;
      const counted = { Bucket: process.env.BUCKET, Key: `words/${key}`, Body: JSON.stringify({ words }) };
      await s3.send(new PutObjectCommand(counted));
    }
}
