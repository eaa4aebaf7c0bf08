/** Adds up the orders that lie in a bucket, and puts a report beside them. */
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";

const s3 = new S3Client({ forcePathStyle: true });

export const handler = async ({ scheduledAt, bucket: Bucket }) => {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "orders/" }));
  let total = 0;
  for (const { Key } of Contents) {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    total += JSON.parse(await Body.transformToString()).amount;
  }
  const report = { scheduledAt, orders: Contents.length, total };
  const Key = `reports/${scheduledAt.slice(0, 10)}.json`;
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: JSON.stringify(report) }));
};
