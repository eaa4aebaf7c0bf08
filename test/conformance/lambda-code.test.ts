/** Function code: what a zip may be, where it comes from, and what becomes of it. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { crc32 } from "node:zlib";
import { CreateFunctionCommand, GetFunctionCommand, UpdateFunctionCodeCommand } from "@aws-sdk/client-lambda";
import type { FunctionCode, LambdaServiceException } from "@aws-sdk/client-lambda";
import {
  CreateBucketCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { ZipFile } from "yazl";
import { zipOf } from "../harness/zip.ts";
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

interface RawEntry {
  readonly name: string;
  readonly content?: string;
  readonly unixMode?: number;
  /** Declared instead of the real ones. */
  readonly size?: number;
  readonly crc?: number;
}

/** A zip written by hand (stored, not compressed), for archives that no zip library would write. */
function rawZip(entries: readonly RawEntry[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content = "", unixMode = 0o100644, size, crc } of entries) {
    const [nameBytes, data] = [Buffer.from(name), Buffer.from(content)];
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc ?? crc32(data), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(size ?? data.length, 18);
    common.writeUInt16LE(nameBytes.length, 22);
    const local = Buffer.concat([Buffer.from("PK\u0003\u0004"), common, nameBytes, data]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE((unixMode << 16) >>> 0, 6);
    rest.writeUInt32LE(offset, 10);
    directory.push(
      Buffer.concat([Buffer.from("PK\u0001\u0002"), Buffer.from([20, 3]), common, rest, nameBytes]),
    );
    files.push(local);
    offset += local.length;
  }
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(Buffer.concat(directory).length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...files, ...directory, Buffer.from("PK\u0005\u0006"), end]);
}

const link = (name: string, content: string): RawEntry => ({ name, content, unixMode: 0o120777 });
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
  const escapes: RawEntry[][] = [
    [index, { name: "../outside", content: "x" }],
    [index, { name: "a/../../outside", content: "x" }],
    [index, { name: "/etc/outside", content: "x" }],
    [index, link("out", "../..")],
    [index, link("out", "/etc/passwd")],
    [index, link("a/b/c", "../../../x")],
    // Each link alone stays inside; followed through the other, it does not.
    [index, { name: "p/q/x", content: "x" }, link("p/q/up", "../.."), link("out", "p/q/up/../x")],
    [index, link("loop", "loop")],
    // A link made inside a link would be written outside before anybody saw where it leads.
    [
      index,
      link("here", "."),
      link("up", "here/.."),
      link("higher", "up/.."),
      link("higher/escaped/out", "x"),
    ],
    [
      index,
      link("here", "."),
      link("./up", "here/.."),
      link("high", "up/.."),
      link("high//escaped/out", "x"),
    ],
    [index, { name: "device", unixMode: 0o020666 }],
  ];
  for (const entries of escapes) await refusesZip(rawZip(entries), UNREADABLE);
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
  const bomb = new ZipFile();
  const block = Buffer.alloc(64 * 1024 * 1024);
  for (let at = 0; at < 4; at++) bomb.addBuffer(block, `zeros-${at}`);
  bomb.end();
  const honest = await buffer(bomb.outputStream);
  assert.ok(honest.length < 1_000_000);
  await refusesZip(honest, "Unzipped size must be smaller than 262144000 bytes");
  // The same archive with each size declared as one byte, in both headers.
  const liar = Buffer.from(honest);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(block.length);
  for (let at = liar.indexOf(size); at !== -1; at = liar.indexOf(size, at + 1)) liar.writeUInt32LE(1, at);
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
