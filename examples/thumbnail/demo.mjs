/** `node demo.mjs ENDPOINT [--check]`: deploys, uploads, waits, shows; with --check also asserts and says what it saw. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { FUNCTION, PHOTO_BUCKET, TABLE, THUMBNAIL_BUCKET, deploy } from "./deploy.mjs";

const WAIT_MS = 60_000;
const [endpoint, flag] = process.argv.slice(2);
const check = flag === "--check";
const options = {
  endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: "000000000000", secretAccessKey: "demo" },
  forcePathStyle: true,
};
const s3 = new S3Client(options);
const dynamodb = new DynamoDBClient(options);
const logs = new CloudWatchLogsClient(options);

const photo = await readFile(new URL("nuthatch.jpg", import.meta.url));
await step("Deployed: two buckets, a table, a role, the function, the notification", () => deploy(options));

const cold = await step("Photograph in, row out (the first run: cold)", () =>
  uploadAndWait("nuthatch.jpg", photo),
);
await step("The same again (warm)", () => uploadAndWait("nuthatch-again.jpg", photo));
const thumbnail = await s3.send(new GetObjectCommand({ Bucket: THUMBNAIL_BUCKET, Key: "nuthatch.jpg" }));
const thumbnailBytes = Buffer.from(await thumbnail.Body.transformToByteArray());

console.log(`\nPhotograph  ${endpoint}/${PHOTO_BUCKET}/nuthatch.jpg  (${photo.length} bytes)`);
console.log(`Thumbnail   ${endpoint}/${THUMBNAIL_BUCKET}/nuthatch.jpg  (${thumbnailBytes.length} bytes)`);
console.log(`Row         ${JSON.stringify(flat(cold))}`);
const lines = await waitForReports(2);
console.log(`Log         /aws/lambda/${FUNCTION}`);
for (const line of lines) console.log(`            ${line.trimEnd()}`);

await step("A text file, a truncated JPEG and a 60-megapixel picture leave error rows", badPictures);
if (check) await assertEverything();

async function assertEverything() {
  const sharp = createRequire(new URL("function/", import.meta.url))("sharp");
  const { width, height, format } = await sharp(thumbnailBytes).metadata();
  const original = await sharp(photo).metadata();
  assert.equal(format, "jpeg");
  assert.equal(width, 320);
  assert.ok(
    Math.abs(width / height - original.width / original.height) < 0.01,
    `aspect ratio ${width}:${height}`,
  );
  assert.deepEqual(
    [flat(cold).width, flat(cold).height, flat(cold).bytes],
    [String(original.width), String(original.height), String(photo.length)],
  );
  assert.equal(flat(cold).thumbnail, `s3://${THUMBNAIL_BUCKET}/nuthatch.jpg`);
  assert.ok(lines.some((line) => line.startsWith("START RequestId: ")));
  assert.ok(
    lines.some((line) => line.includes("Init Duration: ")),
    "the first run reports its init",
  );
  assert.ok(
    lines.some((line) => line.includes("nuthatch.jpg: thumbnail of")),
    "the function's own line is logged",
  );
  console.log(
    `\nChecked: a ${width}x${height} thumbnail of ${original.width}x${original.height}, its row, its log.`,
  );
}

async function badPictures() {
  const huge = await hugePicture();
  const rows = await Promise.all([
    uploadAndWait("notes.txt", Buffer.from("This is not a picture.\n")),
    uploadAndWait("truncated.jpg", photo.subarray(0, photo.length / 3)),
    uploadAndWait("huge.png", huge),
  ]);
  for (const row of rows) {
    assert.ok(row.error, `${row.key.S} has an error row`);
    console.log(`            ${row.key.S}: ${row.error.S}`);
  }
}

/** 60 megapixels of grey: small as a file, large once decoded. */
async function hugePicture() {
  const sharp = createRequire(new URL("function/", import.meta.url))("sharp");
  const create = { width: 10_000, height: 6_000, channels: 3, background: "#777777" };
  return sharp({ create, limitInputPixels: false }).png().toBuffer();
}

async function uploadAndWait(key, body) {
  await s3.send(new PutObjectCommand({ Bucket: PHOTO_BUCKET, Key: key, Body: body }));
  for (const end = Date.now() + WAIT_MS; Date.now() < end; await sleep(20)) {
    const { Item } = await dynamodb.send(new GetItemCommand({ TableName: TABLE, Key: { key: { S: key } } }));
    if (Item) return Item;
  }
  throw new Error(`No row for ${key} after ${WAIT_MS / 1_000} s; see the log group /aws/lambda/${FUNCTION}`);
}

/** The function's log, once `count` runs have been reported: logs are stored a moment after the run. */
async function waitForReports(count) {
  for (const end = Date.now() + WAIT_MS; Date.now() < end; await sleep(50)) {
    const { events } = await logs
      .send(new FilterLogEventsCommand({ logGroupName: `/aws/lambda/${FUNCTION}` }))
      .catch((error) => {
        if (error.name === "ResourceNotFoundException") return { events: [] };
        throw error;
      });
    const messages = events.map((event) => event.message);
    if (messages.filter((line) => line.startsWith("REPORT ")).length >= count) return messages;
  }
  throw new Error(`The log group has fewer than ${count} REPORT lines after ${WAIT_MS / 1_000} s`);
}

async function step(what, work) {
  const begun = performance.now();
  const result = await work();
  console.log(`${what}  [${Math.round(performance.now() - begun)} ms]`);
  return result;
}

function flat(item) {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, Object.values(value)[0]]));
}
