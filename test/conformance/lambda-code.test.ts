/** Function code: what a zip may be, where it comes from, and what becomes of it. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { CreateFunctionCommand, GetFunctionCommand, UpdateFunctionCodeCommand } from "@aws-sdk/client-lambda";
import type { FunctionCode, LambdaServiceException } from "@aws-sdk/client-lambda";
import {
  CreateBucketCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { ESCAPES, linkEntry as link, rawZip, zipBomb, zipOf } from "../harness/zip.ts";
import type { RawEntry } from "../harness/zip.ts";
import { RUNTIME, settle, startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";
import { startServer } from "../harness/server.ts";

const UNREADABLE = "Could not unzip uploaded file. Please check your file, then try to upload again.";
const INDEX = "export const handler = async () => 'ran';";

let setting: Setting;
before(async () => {
  setting = await startSetting();
});
after(async () => setting?.server.stop());

const create = (Code: FunctionCode, FunctionName = "refused") =>
  setting.lambda.send(
    new CreateFunctionCommand({
      FunctionName,
      Runtime: RUNTIME,
      Role: setting.role,
      Handler: "index.handler",
      Code,
    }),
  );

async function refusesZip(ZipFile: Uint8Array, message: string) {
  await assert.rejects(create({ ZipFile }), { name: "InvalidParameterValueException", message });
}

const index: RawEntry = { name: "index.mjs", content: INDEX };

test("CreateFunction refuses what is no zip, is broken or is empty", async () => {
  await refusesZip(Buffer.from("not a zip"), UNREADABLE);
  await refusesZip(rawZip([]), "Uploaded file must be a non-empty zip");
  const whole = Buffer.from(await zipOf({ "index.mjs": INDEX.repeat(50) }));
  await refusesZip(whole.subarray(0, whole.length - 30), UNREADABLE);
  await refusesZip(rawZip([{ ...index, crc: 1 }]), UNREADABLE);
  await refusesZip(rawZip([{ ...index, size: 5 }]), UNREADABLE);
});

test("CreateFunction refuses names and links that leave the function's folder", async () => {
  for (const entries of ESCAPES) await refusesZip(rawZip([index, ...entries]), UNREADABLE);
  assert.deepEqual(
    (await readdir(join(setting.server.dataDir, "code"))).filter((name) => name !== ".boot"),
    [],
    "nothing of a refused zip is left",
  );
});

test("CreateFunction keeps links that stay inside, folders and executable bits", async () => {
  const ZipFile = rawZip([
    {
      name: "index.mjs",
      content: `import { readFileSync } from "node:fs"; import { statSync } from "node:fs";
      export const handler = async () => [readFileSync("lib/link.txt", "utf8"), statSync("run").mode & 0o111, statSync("plain").mode & 0o777];`,
    },
    { name: "lib/", unixMode: 0o040755 },
    { name: "data/text.txt", content: "through the link" },
    link("lib/link.txt", "../data/text.txt"),
    { name: "run", content: "#!", unixMode: 0o100700 },
    { name: "plain", content: "", unixMode: 0o100600 },
  ]);
  const name = await setting.create("", { Code: { ZipFile } });
  assert.deepEqual((await setting.invoke(name)).value, ["through the link", 0o111, 0o644]);
});

test("CreateFunction refuses more than 250 MB unzipped, whatever the zip declares", async () => {
  const { honest, liar } = await zipBomb();
  await refusesZip(honest, "Unzipped size must be smaller than 262144000 bytes");
  await refusesZip(liar, UNREADABLE);
});

test("CreateFunction refuses a zip of more than 50 MB in the request", async () => {
  const zip = rawZip([index, { name: "filler", content: "x".repeat(52_428_800) }]);
  await refusesZip(zip, "Zipped size must be smaller than 52428800 bytes");
  await assert.rejects(
    create({ ZipFile: Buffer.alloc(53_000_000) }),
    (error: LambdaServiceException) =>
      error.$metadata.httpStatusCode === 413 &&
      error.message.startsWith("Request must be smaller than 70167211 bytes"),
  );
});

test("CreateFunction and UpdateFunctionCode take code from S3, of a version where one is named", async () => {
  const s3 = new S3Client(setting.server.client());
  await s3.send(new CreateBucketCommand({ Bucket: "code-bucket" }));
  await s3.send(
    new PutBucketVersioningCommand({ Bucket: "code-bucket", VersioningConfiguration: { Status: "Enabled" } }),
  );
  const put = async (text: string) =>
    (
      await s3.send(
        new PutObjectCommand({
          Bucket: "code-bucket",
          Key: "function.zip",
          Body: await zipOf({ "index.mjs": `export const handler = async () => "${text}";` }),
        }),
      )
    ).VersionId;
  const first = await put("first");
  await put("second");
  const object = { S3Bucket: "code-bucket", S3Key: "function.zip" };
  const name = await setting.create("", { Code: { ...object, S3ObjectVersion: first } });
  assert.equal((await setting.invoke(name)).value, "first");
  await setting.lambda.send(new UpdateFunctionCodeCommand({ FunctionName: name, ...object }));
  await setting.updated(name);
  assert.equal((await setting.invoke(name)).value, "second");
  for (const missing of [{ S3Key: "nobody" }, { S3Bucket: "no-such-bucket-anywhere" }])
    await assert.rejects(create({ ...object, ...missing }), {
      name: "InvalidParameterValueException",
      message: /^Error occurred while GetObject\. S3 Error Code: NoSuch/,
    });
  await assert.rejects(create({ ...object, ZipFile: await zipOf({ a: "b" }) }), {
    message: "Please do not provide other FunctionCode parameters when providing a ZipFile.",
  });
  await assert.rejects(create({ S3Bucket: "code-bucket" }), {
    message: "Please provide a source for function code.",
  });
});

test("functions with the same code share it, and it stays until the last is gone", async () => {
  const names = [await setting.create(`${INDEX} // shared`), await setting.create(`${INDEX} // shared`)];
  const shas = await Promise.all(
    names.map(async (FunctionName) => {
      const { Configuration } = await setting.lambda.send(new GetFunctionCommand({ FunctionName }));
      return Configuration?.CodeSha256;
    }),
  );
  assert.equal(shas[0], shas[1]);
  await setting.lambda.send(
    new UpdateFunctionCodeCommand({ FunctionName: names[0], ZipFile: await zipOf({ "index.mjs": INDEX }) }),
  );
  await setting.updated(names[0] ?? "");
  assert.equal((await setting.invoke(names[1] ?? "")).value, "ran");
});

test("code is unpacked again where its folder is gone, and functions survive a restart", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-test-"));
  try {
    const first = await startServer({ dataDir });
    const before = await settle(first.endpoint);
    const name = await before.create(INDEX);
    await first.stop();
    await rm(join(dataDir, "code"), { recursive: true });
    await mkdir(join(dataDir, "code", ".staging-left-over"), { recursive: true });
    const second = await startServer({ dataDir });
    try {
      const { lambda } = before;
      const { LambdaClient, InvokeCommand } = await import("@aws-sdk/client-lambda");
      lambda.destroy();
      const client = new LambdaClient(second.client());
      const answer = await client.send(new InvokeCommand({ FunctionName: name }));
      assert.equal(answer.Payload?.transformToString(), '"ran"');
      await assert.rejects(stat(join(dataDir, "code", ".staging-left-over")), { code: "ENOENT" });
    } finally {
      await second.stop();
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});
