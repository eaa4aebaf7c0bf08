/** S3ObjectStorageMode REFERENCE: code that stays in its bucket, and is read from there whenever it is to be unpacked. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import {
  CreateFunctionCommand,
  GetAccountSettingsCommand,
  GetFunctionCommand,
  LambdaClient,
  PublishLayerVersionCommand,
  PublishVersionCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import type { FunctionCode, LayerVersionContentInput } from "@aws-sdk/client-lambda";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { makeUser } from "../harness/principals.ts";
import { zipOf } from "../harness/zip.ts";
import { RUNTIME, startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";

const Bucket = "deployments";
const Key = "function.zip";
const answering = (word: string) => zipOf({ "index.mjs": `export const handler = async () => "${word}";` });

let setting: Setting;
let s3: S3Client;
before(async () => {
  // Nothing that is unpacked stays once no environment has it, so that every new one reads the bucket.
  setting = await startSetting({ codeCacheBytes: 0, logLevel: "error" });
  s3 = new S3Client(setting.server.client());
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
});
after(async () => setting?.server.stop());

const upload = async (word: string) =>
  (await s3.send(new PutObjectCommand({ Bucket, Key, Body: await answering(word) }))).VersionId ?? "";
const inPlace = (more: Partial<FunctionCode> = {}): FunctionCode => ({
  S3Bucket: Bucket,
  S3Key: Key,
  S3ObjectStorageMode: "REFERENCE",
  ...more,
});
const codeOf = async (FunctionName: string) => {
  const answer = await setting.lambda.send(new GetFunctionCommand({ FunctionName }));
  return { ...answer.Code, ...answer.Configuration };
};
const stored = async () =>
  (await setting.lambda.send(new GetAccountSettingsCommand({}))).AccountUsage?.TotalCodeSize;
const update = async (FunctionName: string, code: FunctionCode) => {
  await setting.lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ...code }));
  await setting.updated(FunctionName);
};

test("CreateFunction with REFERENCE runs the version that the object had, and stores nothing", async () => {
  const versionId = await upload("first");
  const before = await stored();
  const name = await setting.create("", { Code: inPlace() });
  assert.equal((await setting.invoke(name)).value, "first");
  assert.equal(await stored(), before);
  const zip = Buffer.from(await answering("first"));
  const code = await codeOf(name);
  assert.deepEqual(code.ResolvedS3Object, { S3Bucket: Bucket, S3Key: Key, S3ObjectVersion: versionId });
  assert.equal(code.CodeSha256, createHash("sha256").update(zip).digest("base64"));
  assert.equal(code.CodeSize, zip.length);
  const download = await fetch(code.Location ?? "");
  assert.deepEqual(Buffer.from(await download.arrayBuffer()), zip);
  const head = await fetch(code.Location ?? "", { method: "HEAD" });
  assert.equal(head.headers.get("content-length"), String(zip.length));

  await upload("second");
  await setting.lambda.send(
    new UpdateFunctionConfigurationCommand({ FunctionName: name, Description: "a new environment" }),
  );
  await setting.updated(name);
  assert.equal((await setting.invoke(name)).value, "first", "another version is another matter");
});

test("UpdateFunctionCode moves on to another version, and between REFERENCE and COPY", async () => {
  const [one, two] = [await upload("one"), await upload("two")];
  const name = await setting.create("", { Code: inPlace({ S3ObjectVersion: one }) });
  assert.equal((await setting.invoke(name)).value, "one");
  await update(name, inPlace({ S3ObjectVersion: two }));
  assert.equal((await setting.invoke(name)).value, "two");
  await update(name, { S3Bucket: Bucket, S3Key: Key, S3ObjectVersion: one });
  assert.equal((await setting.invoke(name)).value, "one");
  const copied = await codeOf(name);
  assert.equal(copied.ResolvedS3Object, undefined);
  await s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId: one }));
  await update(name, { ...inPlace(), S3ObjectStorageMode: "COPY" });
  assert.equal((await setting.invoke(name)).value, "two");
  await update(name, inPlace());
  assert.equal((await codeOf(name)).ResolvedS3Object?.S3ObjectVersion, two);
});

test("an object that is deleted is missed by the next environment, and GetFunction says so", async () => {
  const versionId = await upload("lost");
  const name = await setting.create("", { Code: inPlace() });
  assert.equal((await setting.invoke(name)).value, "lost");
  await s3.send(new DeleteObjectCommand({ Bucket, Key }));
  assert.equal((await codeOf(name)).Error, undefined, "a delete marker hides it from other readers only");
  await s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId: versionId }));
  assert.equal((await setting.invoke(name)).value, "lost", "an environment has what it has");
  const { Error: error, Location, ResolvedS3Object } = await codeOf(name);
  assert.deepEqual([error?.ErrorCode, Location], ["NoSuchVersion", undefined]);
  assert.equal(ResolvedS3Object?.S3ObjectVersion, versionId);
  const unread = await upload("never read");
  const other = await setting.create("", { Code: inPlace() });
  await setting.lambda.send(new PublishVersionCommand({ FunctionName: other }));
  await s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId: unread }));
  await assert.rejects(setting.invoke(`${other}:1`), {
    name: "InvalidZipFileException",
    message: new RegExp(`version ${unread} of s3://${Bucket}/${Key} is not there`),
  });
  await setting.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: other, Timeout: 5 }));
  const failed = await waitForFailure(other);
  assert.deepEqual(
    [failed.LastUpdateStatus, failed.LastUpdateStatusReasonCode],
    ["Failed", "InvalidZipFileException"],
  );
});

async function waitForFailure(name: string) {
  for (;;) {
    const code = await codeOf(name);
    if (code.LastUpdateStatus !== "InProgress") return code;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("PublishLayerVersion with REFERENCE: layers stay in their bucket too, alone and merged", async () => {
  const before = await stored();
  const publish = async (LayerName: string, more: Partial<LayerVersionContentInput> = {}) => {
    const Body = await zipOf({ [`${LayerName}.txt`]: LayerName });
    const put = await s3.send(new PutObjectCommand({ Bucket, Key: `${LayerName}.zip`, Body }));
    const content = {
      S3Bucket: Bucket,
      S3Key: `${LayerName}.zip`,
      S3ObjectStorageMode: "REFERENCE" as const,
    };
    const answer = await setting.lambda.send(
      new PublishLayerVersionCommand({ LayerName, Content: { ...content, ...more } }),
    );
    return { answer, versionId: put.VersionId, Body };
  };
  const one = await publish("one");
  assert.equal(await stored(), before);
  assert.deepEqual(one.answer.Content?.ResolvedS3Object, {
    S3Bucket: Bucket,
    S3Key: "one.zip",
    S3ObjectVersion: one.versionId,
  });
  assert.equal(one.answer.Content?.CodeSize, one.Body.length);
  const download = await fetch(one.answer.Content?.Location ?? "");
  assert.deepEqual(Buffer.from(await download.arrayBuffer()), Buffer.from(one.Body));
  const two = await publish("two", { S3ObjectStorageMode: "COPY" });
  const source = `import { readdirSync } from "node:fs"; export const handler = async () => readdirSync("/opt").sort();`;
  const layers = [one.answer.LayerVersionArn ?? "", two.answer.LayerVersionArn ?? ""];
  const name = await setting.create(source, { Layers: layers.slice(0, 1) });
  assert.deepEqual((await setting.invoke(name)).value, ["one.txt"]);
  await setting.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: name, Layers: layers }));
  await setting.updated(name);
  assert.deepEqual((await setting.invoke(name)).value, ["one.txt", "two.txt"]);
});

test("REFERENCE needs an object in a bucket with versions, that is a zip, and that the caller may read", async () => {
  const create = (Code: FunctionCode, lambda = setting.lambda) =>
    lambda.send(
      new CreateFunctionCommand({
        FunctionName: "refused",
        Runtime: RUNTIME,
        Role: setting.role,
        Handler: "index.handler",
        Code,
      }),
    );
  const refused = (message: RegExp) => ({ name: "InvalidParameterValueException", message });
  await assert.rejects(
    create({ ZipFile: await answering("x"), S3ObjectStorageMode: "REFERENCE" }),
    refused(/REFERENCE goes with S3Bucket and S3Key/),
  );
  await assert.rejects(create(inPlace({ S3Key: "nothing" })), refused(/NoSuchKey/));
  await assert.rejects(create(inPlace({ S3ObjectVersion: "nothing" })), refused(/NoSuchKey/));
  await s3.send(new CreateBucketCommand({ Bucket: "unversioned" }));
  await s3.send(new PutObjectCommand({ Bucket: "unversioned", Key, Body: await answering("x") }));
  await assert.rejects(create(inPlace({ S3Bucket: "unversioned" })), refused(/requires versioning/));
  await s3.send(new PutObjectCommand({ Bucket, Key: "text", Body: "no zip" }));
  await assert.rejects(create(inPlace({ S3Key: "text" })), refused(/Could not unzip/));
  const user = await makeUser(setting.server.client(), "deployer", { Action: ["lambda:*", "iam:PassRole"] });
  await assert.rejects(create(inPlace(), new LambdaClient(user.options)), /denied by S3/);
});
