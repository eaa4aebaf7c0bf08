/** Functions that run from a folder of this machine and follow its changes: `S3Bucket: lambent-local`. */
import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  GetFunctionCommand,
  PublishLayerVersionCommand,
  PublishVersionCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import { zipOf } from "../harness/zip.ts";
import { startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";

let root: string;
let allowed: string;
let setting: Setting;
before(async () => {
  root = await mkdtemp(join(tmpdir(), "lambent-local-"));
  await chmod(root, 0o755);
  allowed = join(root, "project");
  await mkdir(allowed);
  setting = await startSetting({ localCode: allowed });
});
after(async () => {
  await setting?.server.stop();
  await rm(root, { recursive: true, force: true });
});

const answering = (value: string) =>
  `import { text } from "./lib/text.mjs"; let n = 0; export const handler = async () => [${JSON.stringify(value)}, text, ++n];`;

async function folderWith(name: string): Promise<string> {
  const folder = join(allowed, name);
  await mkdir(join(folder, "lib"), { recursive: true });
  await writeFile(join(folder, "index.mjs"), answering("first"));
  await writeFile(join(folder, "lib/text.mjs"), 'export const text = "one";');
  return folder;
}

const from = (folder: string) => ({ Code: { S3Bucket: "lambent-local", S3Key: folder } });
const call = async (name: string) => (await setting.invoke(name)).value;
const invalid = (message: RegExp) => ({ name: "InvalidParameterValueException", message });

test("a function runs from its folder, and an invocation has what stands there, in whichever file", async () => {
  const folder = await folderWith("follows");
  const name = await setting.create("", from(folder));
  assert.deepEqual(await call(name), ["first", "one", 1]);
  assert.deepEqual(await call(name), ["first", "one", 2], "one environment, as long as nothing changes");
  await writeFile(join(folder, "index.mjs"), answering("second"));
  assert.deepEqual(await call(name), ["second", "one", 1]);
  await writeFile(join(folder, "lib/text.mjs"), 'export const text = "two";');
  assert.deepEqual(await call(name), ["second", "two", 1]);
  // As editors save: another file takes the name.
  await writeFile(join(folder, "lib/.new"), 'export const text = "six";');
  await rename(join(folder, "lib/.new"), join(folder, "lib/text.mjs"));
  assert.deepEqual(await call(name), ["second", "six", 1]);
  await unlink(join(folder, "lib/text.mjs"));
  assert.match(JSON.stringify(await call(name)), /Cannot find module/);
  await writeFile(join(folder, "lib/text.mjs"), 'export const text = "back";');
  assert.deepEqual(await call(name), ["second", "back", 1]);
  assert.deepEqual(await call(name), ["second", "back", 2]);
});

test("asynchronous invocations follow it too", async () => {
  const folder = await folderWith("events");
  const name = await setting.create("", from(folder));
  await call(name);
  await writeFile(join(folder, "index.mjs"), `export const handler = async () => console.log("changed");`);
  await setting.invoke(name, {}, { InvocationType: "Event" });
  const logs = new CloudWatchLogsClient(setting.server.client());
  const query = { logGroupName: `/aws/lambda/${name}`, filterPattern: '"changed"' };
  const found = async () => (await logs.send(new FilterLogEventsCommand(query))).events?.length;
  // There is no group before the first line.
  for (let tries = 0; (await found().catch(() => 0)) !== 1; tries++) {
    assert.ok(tries < 200, "what the event ran was not the changed code");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});

test("what runs while the folder changes ends as it began", async () => {
  const folder = await folderWith("running");
  await writeFile(
    join(folder, "index.mjs"),
    `export const handler = async () => { await new Promise((r) => setTimeout(r, 1_000)); return "old"; };`,
  );
  const name = await setting.create("", from(folder));
  const running = call(name);
  await new Promise((resolve) => setTimeout(resolve, 400));
  await writeFile(join(folder, "index.mjs"), `export const handler = async () => "new";`);
  assert.equal(await call(name), "new");
  assert.equal(await running, "old");
});

test("UpdateFunctionCode moves a function to a folder and away again; its configuration changes as ever", async () => {
  const folder = await folderWith("moves");
  const FunctionName = await setting.create(`export const handler = async () => "zip";`);
  await setting.lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ...from(folder).Code }));
  await setting.updated(FunctionName);
  assert.deepEqual(await call(FunctionName), ["first", "one", 1]);
  const { Code, Configuration } = await setting.lambda.send(new GetFunctionCommand({ FunctionName }));
  assert.equal(Code?.Location, `file://${folder}`);
  assert.equal(Configuration?.CodeSize, 0);
  assert.match(Configuration?.CodeSha256 ?? "", /^[A-Za-z0-9+/]{43}=$/);
  await setting.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, MemorySize: 256 }));
  await setting.updated(FunctionName);
  assert.deepEqual(await call(FunctionName), ["first", "one", 1]);
  await assert.rejects(
    setting.lambda.send(new PublishVersionCommand({ FunctionName })),
    invalid(/cannot be published of code that runs from a folder/),
  );
  const ZipFile = await zipOf({ "index.mjs": `export const handler = async () => "zip again";` });
  await setting.lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile }));
  await setting.updated(FunctionName);
  assert.equal(await call(FunctionName), "zip again");
  assert.equal((await setting.lambda.send(new PublishVersionCommand({ FunctionName }))).Version, "1");
});

test("folders that are not there, or in none that may be used, are refused, also by way of links; layers have none", async () => {
  const create = (folder: string) => setting.create("", from(folder));
  await assert.rejects(
    create(join(allowed, "missing")),
    invalid(/There is no folder .*missing on this machine/),
  );
  await assert.rejects(create("relative/path"), invalid(/absolute path/));
  for (const folder of ["/etc", root, join(allowed, "../other")]) {
    await mkdir(join(root, "other"), { recursive: true });
    await assert.rejects(create(folder), invalid(/in none of those of --local-code/));
  }
  await symlink("/etc", join(allowed, "link"));
  await assert.rejects(create(join(allowed, "link")), invalid(/in none of those of --local-code/));
  const file = join(allowed, "file");
  await writeFile(file, "x");
  await assert.rejects(create(file), invalid(/There is no folder/));
  await assert.rejects(
    setting.lambda.send(new PublishLayerVersionCommand({ LayerName: "local", Content: from(allowed).Code })),
    { name: "NotImplemented", message: /lambent-local/ },
  );
  const folder = await folderWith("gone");
  const name = await setting.create("", from(folder));
  await rm(folder, { recursive: true });
  await assert.rejects(setting.invoke(name), invalid(/There is no folder/));
});

test("without --local-code no folder may be used, and the refusal says how it may", async () => {
  const other = await startSetting();
  try {
    await assert.rejects(other.create("", from(allowed)), invalid(/start Lambent with --local-code FOLDER/));
  } finally {
    await other.server.stop();
  }
});
