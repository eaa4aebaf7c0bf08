/** The AWS CLI, whose codec is not the SDK's: create, invoke, update and delete with a zip. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { zipOf } from "../harness/zip.ts";
import { ECHO, RUNTIME, startSetting } from "./lambda-setting.ts";

const run = promisify(execFile);
const CLI = [
  "/usr/bin/aws",
  ...(process.env["PATH"] ?? "").split(":").map((folder) => join(folder, "aws")),
].find((file) => existsSync(file));

test("CreateFunction, Invoke, PublishVersion, CreateAlias, AddPermission and DeleteFunction by the AWS CLI", async (t) => {
  if (!CLI) return t.skip("no AWS CLI on this machine: apt-get install awscli");
  const setting = await startSetting();
  const folder = await mkdtemp(join(tmpdir(), "lambent-cli-"));
  const aws = async (...argv: string[]) => {
    const env = {
      ...process.env,
      AWS_ACCESS_KEY_ID: "000000000000",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_DEFAULT_REGION: "us-east-1",
      AWS_CONFIG_FILE: join(folder, "none"),
      AWS_PAGER: "",
    };
    const argument = ["--endpoint-url", setting.server.endpoint, "--output", "json", "lambda", ...argv];
    const { stdout } = await run(CLI, argument, { env });
    return stdout.trim() === "" ? {} : (JSON.parse(stdout) as Record<string, unknown>);
  };
  try {
    await writeFile(join(folder, "function.zip"), await zipOf({ "index.mjs": ECHO }));
    const zip = `fileb://${join(folder, "function.zip")}`;
    const name = ["--function-name", "by-cli"];
    // The CLI's own list of runtimes is older than ours: it does not check.
    const create = [
      "--runtime",
      RUNTIME,
      "--role",
      setting.role,
      "--handler",
      "index.handler",
      "--zip-file",
      zip,
    ];
    assert.equal((await aws("create-function", ...name, ...create))["State"], "Pending");
    await aws("wait", "function-active-v2", ...name).catch(() => aws("wait", "function-active", ...name));
    const out = join(folder, "out.json");
    const invoke = ["invoke", ...name, "--cli-binary-format", "raw-in-base64-out"];
    const answer = await aws(...invoke, "--payload", '{"a": 1}', "--log-type", "Tail", out);
    assert.deepEqual([answer["StatusCode"], answer["ExecutedVersion"]], [200, "$LATEST"]);
    assert.match(Buffer.from(String(answer["LogResult"]), "base64").toString(), /REPORT RequestId/);
    assert.deepEqual((JSON.parse(await readFile(out, "utf8")) as { event: unknown }).event, { a: 1 });
    assert.equal((await aws(...invoke, "--invocation-type", "Event", out))["StatusCode"], 202);
    assert.equal((await aws("publish-version", ...name))["Version"], "1");
    const alias = ["--name", "live", "--function-version", "1"];
    assert.match(String((await aws("create-alias", ...name, ...alias))["AliasArn"]), /:by-cli:live$/);
    const permission = [
      "--statement-id",
      "s",
      "--action",
      "lambda:InvokeFunction",
      "--principal",
      "s3.amazonaws.com",
    ];
    assert.match(
      String((await aws("add-permission", ...name, ...permission))["Statement"]),
      /s3\.amazonaws\.com/,
    );
    await assert.rejects(
      aws("get-function", "--function-name", "nobody"),
      /\(ResourceNotFoundException\).*Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody/,
    );
    await aws("delete-function", ...name);
    assert.deepEqual((await aws("list-functions"))["Functions"], []);
  } finally {
    await rm(folder, { recursive: true, force: true });
    await setting.server.stop();
  }
});
