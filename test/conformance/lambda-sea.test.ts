/** A function that is one executable: a Node.js single executable application on provided.al2023, which brings its own Node.js. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { zipOf } from "../harness/zip.ts";
import { startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";

/** Speaks the Runtime API by fetch. */
const MAIN = `const { isSea, getAsset } = require("node:sea");
const base = "http://" + process.env.AWS_LAMBDA_RUNTIME_API + "/2018-06-01/runtime/invocation/";
async function main() {
  for (;;) {
    const next = await fetch(base + "next");
    const id = next.headers.get("lambda-runtime-aws-request-id");
    const event = await next.json();
    console.log("event", event.name);
    if (event.name === "fail") {
      const body = JSON.stringify({ errorType: "Own", errorMessage: "told to" });
      await fetch(base + id + "/error", { method: "POST", body });
      continue;
    }
    const answer = { sea: isSea(), greeting: getAsset("greeting", "utf8") + event.name, version: process.version, id };
    await fetch(base + id + "/response", { method: "POST", body: JSON.stringify(answer) });
  }
}
main();
`;

let setting: Setting;
let name: string;
before(async () => {
  setting = await startSetting();
  const s3 = new S3Client(setting.server.client());
  await s3.send(new CreateBucketCommand({ Bucket: "executables" }));
  // Larger than what a request may carry.
  const stored = { Bucket: "executables", Key: "function.zip" };
  await s3.send(new PutObjectCommand({ ...stored, Body: await build() }));
  name = await setting.create("", {
    Runtime: "provided.al2023",
    Handler: "none",
    MemorySize: 256,
    Code: { S3Bucket: stored.Bucket, S3Key: stored.Key },
  });
});
after(async () => setting?.server.stop());

async function build(): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), "lambent-sea-"));
  try {
    await writeFile(join(folder, "main.cjs"), MAIN);
    await writeFile(join(folder, "greeting.txt"), "Hello, ");
    const config = {
      main: "main.cjs",
      output: "bootstrap",
      disableExperimentalSEAWarning: true,
      assets: { greeting: "greeting.txt" },
    };
    await writeFile(join(folder, "sea.json"), JSON.stringify(config));
    await promisify(execFile)(process.execPath, ["--build-sea", "sea.json"], { cwd: folder });
    return await zipOf({ bootstrap: await readFile(join(folder, "bootstrap")) }, { compress: false });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test("a single executable answers and fails by the Runtime API", async () => {
  const { value, error, log } = await setting.invoke(name, { name: "you" }, { LogType: "Tail" });
  assert.equal(error, undefined, JSON.stringify(value));
  const { id, ...rest } = value as { id: string };
  assert.deepEqual(rest, { sea: true, greeting: "Hello, you", version: process.version });
  assert.match(log, new RegExp(`START RequestId: ${id} .*\\nevent you\\nEND RequestId: ${id}\\n`));
  const failed = await setting.invoke(name, { name: "fail" });
  assert.equal(failed.error, "Unhandled");
  assert.deepEqual(failed.value, { errorType: "Own", errorMessage: "told to" });
});
