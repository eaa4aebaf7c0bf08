/**
 * The serverless thumbnail: a photograph put in S3 becomes a thumbnail in S3 and a row in DynamoDB.
 * What cannot become a thumbnail leaves a row that says why, so that nobody waits for a picture that will not come.
 */
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import sharp from "sharp";

const { TABLE, THUMBNAIL_BUCKET } = process.env;
const WIDTH_PX = 320;
/** Larger pictures are refused before they are decoded: 60 megapixels are 180 MB of memory. */
const PIXELS_MAX = 50_000_000;

const s3 = new S3Client({ forcePathStyle: true });
const dynamodb = new DynamoDBClient({});

export async function handler(event) {
  for (const record of event.Records) {
    const bucket = record.s3.bucket.name;
    const key = decodeURIComponent(record.s3.object.key.replaceAll("+", " "));
    const row = await describe(bucket, key);
    await dynamodb.send(new PutItemCommand({ TableName: TABLE, Item: row }));
    console.log(row.error ? `${key}: ${row.error.S}` : `${key}: thumbnail of ${row.width.N}x${row.height.N}`);
  }
}

async function describe(bucket, key) {
  const photo = { key: { S: key }, bucket: { S: bucket }, madeAt: { S: new Date().toISOString() } };
  try {
    const { metadata, thumbnail } = await makeThumbnail(bucket, key);
    const thumbnailKey = `${key.replace(/\.[^./]+$/, "")}.jpg`;
    await s3.send(
      new PutObjectCommand({
        Bucket: THUMBNAIL_BUCKET,
        Key: thumbnailKey,
        Body: thumbnail.data,
        ContentType: "image/jpeg",
      }),
    );
    return {
      ...photo,
      format: { S: metadata.format },
      width: { N: String(metadata.width) },
      height: { N: String(metadata.height) },
      bytes: { N: String(metadata.size) },
      thumbnail: { S: `s3://${THUMBNAIL_BUCKET}/${thumbnailKey}` },
      thumbnailWidth: { N: String(thumbnail.info.width) },
      thumbnailHeight: { N: String(thumbnail.info.height) },
    };
  } catch (error) {
    if (error.$metadata) throw error; // AWS failed, not the picture: Lambda tries again
    return { ...photo, error: { S: error.message } };
  }
}

async function makeThumbnail(bucket, key) {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  const bytes = await Body.transformToByteArray();
  const picture = sharp(bytes, { failOn: "error", limitInputPixels: PIXELS_MAX });
  const metadata = { size: bytes.length, ...(await picture.metadata()) };
  if (metadata.width * metadata.height > PIXELS_MAX)
    throw new Error(`Picture has ${metadata.width * metadata.height} pixels; the limit is ${PIXELS_MAX}`);
  const thumbnail = await picture
    .rotate()
    .resize({ width: WIDTH_PX })
    .jpeg({ quality: 80 })
    .toBuffer({ resolveWithObject: true });
  return { metadata, thumbnail };
}
