/** The AWS CLI and boto3, whose codec and signer have nothing to do with the SDK for JavaScript, over every protocol, signatures verified. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import type { Principal } from "../../src/aws/service.ts";
import { doubles } from "./cli-doubles.ts";
import { startDoor } from "./door.ts";
import type { Door } from "./door.ts";

const run = promisify(execFile);
const BIG_BYTES = 9_000_000;
/** The end record of an archive without files; the CLI looks whether it is one. */
const EMPTY_ZIP = Buffer.concat([Buffer.from("PK\x05\x06"), Buffer.alloc(18)]);
const arn = "arn:aws:iam::111122223333:user/cli";
const principal: Principal = {
  type: "user",
  account: "111122223333",
  arn,
  userId: "u",
  accessKeyId: "AKIACLI",
};

let door: Door;
let folder: string;
before(async () => {
  const keys = { AKIACLI: { secretAccessKey: "secret", principal, active: true } };
  door = await startDoor({ services: doubles, authentication: "on", keys });
  folder = await mkdtemp(join(tmpdir(), "lambent-cli-"));
});
after(async () => {
  await door.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The system's, and the first on the path where that is another. */
function programs(name: string): string[] {
  const onPath = (process.env["PATH"] ?? "").split(delimiter).map((directory) => join(directory, name));
  const first = onPath.find((file) => existsSync(file) && !file.startsWith("/usr/bin/"));
  return [`/usr/bin/${name}`, ...(first === undefined ? [] : [first])];
}

const environment = {
  PATH: process.env["PATH"],
  HOME: process.env["HOME"],
  AWS_ACCESS_KEY_ID: "AKIACLI",
  AWS_SECRET_ACCESS_KEY: "secret",
  AWS_DEFAULT_REGION: "us-east-1",
  AWS_EC2_METADATA_DISABLED: "true",
  AWS_MAX_ATTEMPTS: "1",
  AWS_PAGER: "",
  AWS_CONFIG_FILE: "/nonexistent",
  AWS_SHARED_CREDENTIALS_FILE: "/nonexistent",
};

type Aws = (...args: string[]) => Promise<string>;

/** Version 2 takes binary values as base64 unless told otherwise; version 1 takes them as they are. */
function awsCommand(program: string, version: string): Aws {
  const raw = version.startsWith("aws-cli/2") ? ["--cli-binary-format", "raw-in-base64-out"] : [];
  return async (...args) => {
    const options = { env: environment, cwd: folder };
    const common = ["--endpoint-url", door.endpoint, "--output", "json", ...raw];
    const { stdout } = await run(program, [...common, ...args], options);
    return stdout.trim();
  };
}

for (const program of programs("aws"))
  test(`${program} over every protocol`, async (t) => {
    if (!existsSync(program)) return t.skip(`${program} is not installed`);
    const { stdout } = await run(program, ["--version"], { env: environment });
    t.diagnostic(stdout.trim());
    const aws = awsCommand(program, stdout);
    await t.test("restJson1: lambda", () => lambdaCommands(aws));
    await t.test("restXml: s3", () => s3Commands(aws));
    await t.test("awsJson and query: the others", () => otherCommands(aws));
  });

async function lambdaCommands(aws: Aws): Promise<void> {
  await writeFile(join(folder, "f.zip"), EMPTY_ZIP);
  const created = JSON.parse(
    await aws(
      "lambda",
      "create-function",
      "--function-name",
      "f",
      "--role",
      "arn:aws:iam::111122223333:role/r",
      "--runtime",
      "nodejs24.x",
      "--handler",
      "i.h",
      "--zip-file",
      "fileb://f.zip",
      "--environment",
      "Variables={NAME=b c}",
    ),
  ) as Record<string, unknown>;
  assert.equal(created["CodeSize"], EMPTY_ZIP.length);
  assert.deepEqual(created["Environment"], { Variables: { NAME: "b c" } });
  await aws("lambda", "invoke", "--function-name", "f", "--payload", '{"a":"é"}', "out.json");
  assert.equal(await readFile(join(folder, "out.json"), "utf8"), '{"a":"é"}');
  await assert.rejects(
    aws("lambda", "get-function", "--function-name", "nope"),
    /\(ResourceNotFoundException\).*Function not found: nope/,
  );
  await assert.rejects(
    aws("lambda", "list-layers"),
    /\(NotImplemented\).*Lambent does not implement Lambda ListLayers/,
  );
}

async function s3Commands(aws: Aws): Promise<void> {
  await writeFile(join(folder, "small"), "small content");
  await writeFile(join(folder, "big"), Buffer.alloc(BIG_BYTES, "0123456789"));
  const put = await aws(
    "s3api",
    "put-object",
    "--bucket",
    "bucket",
    "--key",
    "a b+é(x)",
    "--body",
    "small",
    "--metadata",
    "k=v",
  );
  assert.equal((JSON.parse(put) as { ETag: string }).ETag, '"k=v"');
  await aws("s3", "cp", "big", "s3://bucket/d/big", "--no-progress");
  await aws("s3", "cp", "s3://bucket/d/big", "back", "--no-progress");
  assert.ok((await readFile(join(folder, "back"))).equals(await readFile(join(folder, "big"))));
  assert.match(await aws("s3", "ls", "s3://bucket/", "--recursive"), new RegExp(`${BIG_BYTES} d/big`));
  assert.match(await aws("s3api", "get-bucket-location", "--bucket", "bucket"), /eu-central-1/);
  const deleted = await aws(
    "s3api",
    "delete-objects",
    "--bucket",
    "bucket",
    "--delete",
    "Objects=[{Key=x & y}]",
  );
  assert.deepEqual(JSON.parse(deleted), { Deleted: [{ Key: "x & y" }] });
  await assert.rejects(
    aws("s3api", "get-object", "--bucket", "bucket", "--key", "none", "x"),
    /\(NoSuchKey\)/,
  );
  const url = await aws("s3", "presign", "s3://bucket/a b+é(x)");
  assert.equal(await (await fetch(url)).text(), "small content");
  assert.equal((await fetch(url.replace("/a", "/b"))).status, 403);
}

async function otherCommands(aws: Aws): Promise<void> {
  const queue = `${door.endpoint}/000000000000/q`;
  const [item, records, message, publish, alarms, role, stacks] = await Promise.all([
    aws("dynamodb", "put-item", "--table-name", "table", "--item", '{"b":{"B":"AP8"},"s":{"S":"é"}}'),
    aws(
      "kinesis",
      "put-records",
      "--stream-name",
      "s",
      "--records",
      "Data=QUJD,PartitionKey=p",
      "--query",
      "Records[].ShardId",
    ),
    aws("sqs", "send-message", "--queue-url", queue, "--message-body", "hi & <b>", "--query", "MessageId"),
    aws(
      "sns",
      "publish",
      "--topic-arn",
      "arn:aws:sns:us-east-1:000000000000:t",
      "--message",
      "m",
      "--message-attributes",
      '{"a":{"DataType":"String","StringValue":"x y"}}',
      "--query",
      "MessageId",
    ),
    aws(
      "cloudwatch",
      "describe-alarms",
      "--query",
      "MetricAlarms[].[AlarmName,Threshold,AlarmConfigurationUpdatedTimestamp]",
    ),
    aws(
      "iam",
      "create-role",
      "--role-name",
      "r",
      "--assume-role-policy-document",
      "{}",
      "--tags",
      "Key=a,Value=b c",
      "--query",
      "Role.Tags",
    ),
    aws("cloudformation", "describe-stacks", "--query", "Stacks[].[StackName,Parameters[0].ParameterValue]"),
  ]);
  assert.deepEqual(JSON.parse(item), {
    Attributes: { b: { B: Buffer.from("AP8").toString("base64") }, s: { S: "é" } },
  });
  assert.deepEqual(JSON.parse(records), ["p"]);
  assert.equal(JSON.parse(message), "hi & <b>");
  assert.equal(JSON.parse(publish), "m/x y");
  const [alarm] = JSON.parse(alarms) as [string, number, string | number][];
  assert.deepEqual(alarm?.slice(0, 2), ["a", 2.5]);
  // Over JSON version 1 shows the number of seconds that came.
  const updated = typeof alarm?.[2] === "number" ? alarm[2] * 1_000 : (alarm?.[2] ?? "");
  assert.equal(new Date(updated).toISOString(), "2026-11-23T10:00:00.000Z");
  assert.deepEqual(JSON.parse(role), [{ Key: "a", Value: "b c" }]);
  assert.deepEqual(JSON.parse(stacks), [["s", "<v>"]]);
  await aws(
    "cloudwatch",
    "put-metric-data",
    "--namespace",
    "N",
    "--metric-name",
    "m",
    "--value",
    "2.5",
    "--dimensions",
    "a=b",
  );
  assert.equal((JSON.parse(await aws("sts", "get-caller-identity")) as { Arn: string }).Arn, arn);
  await assert.rejects(
    aws("sqs", "get-queue-url", "--queue-name", "zz"),
    /\(AWS\.SimpleQueueService\.NonExistentQueue\)/,
  );
  await assert.rejects(
    aws("iam", "get-role", "--role-name", "zz"),
    /\(NoSuchEntity\).*The role with name zz cannot be found/,
  );
  await assert.rejects(
    aws("cloudformation", "describe-stacks", "--stack-name", "nope"),
    /\(ValidationError\).*Stack with id nope/,
  );
}

for (const program of programs("python3"))
  test(`boto3 of ${program} over every protocol`, async (t) => {
    const options = { env: environment, cwd: folder };
    const importable = await run(program, ["-c", "import boto3"], options).then(
      () => true,
      () => false,
    );
    if (!importable) return t.skip(`${program} has no boto3`);
    const script = join(import.meta.dirname, "boto.py");
    const { stdout } = await run(program, ["-W", "ignore", script, door.endpoint], options);
    const { version, sqsError, ...result } = JSON.parse(stdout) as Record<string, unknown>;
    t.diagnostic(`boto3 ${String(version)}`);
    const [code, text] = sqsError as [string, string];
    assert.equal(code, "AWS.SimpleQueueService.NonExistentQueue");
    // Older ones speak the query protocol.
    assert.match(text, /^The specified queue does not exist( for this wsdl version)?\.$/);
    assert.deepEqual(result, {
      lambda: ["7", '{"a":1}'],
      lambdaError: ["ResourceNotFoundException", "Function not found: nope"],
      s3: '"k=v"',
      s3Get: "boto",
      s3Error: ["NoSuchKey", "The specified key does not exist."],
      s3Location: "eu-central-1",
      "presigned s3": "boto",
      "presigned s3v4": "boto",
      "presigned put s3": 200,
      "presigned put s3v4": 200,
      dynamodb: ["00ff", "1"],
      kinesis: [{ SequenceNumber: "3", ShardId: "p" }],
      logs: [{ message: "g <&> [a]", timestamp: 1_700_000_000_123 }],
      sqs: "hi & <b>",
      sns: "m/x y",
      cloudwatch: ["a", 2.5, "2026-11-23T10:00:00+00:00"],
      iam: [{ Key: "a", Value: "b c" }],
      iamError: ["NoSuchEntity", "The role with name nope cannot be found."],
      sts: arn,
      cloudformationError: ["ValidationError", "Stack with id nope does not exist"],
      apigateway: result["apigateway"],
    });
    assert.equal(new Date(String(result["apigateway"])).toISOString(), "2026-11-23T10:00:00.000Z");
  });
