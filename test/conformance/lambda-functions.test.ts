/** Functions: created, read, listed, updated and deleted. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { DeleteRoleCommand, DeleteRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetAccountSettingsCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  LambdaClient,
  ListFunctionsCommand,
  ListVersionsByFunctionCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionExists,
} from "@aws-sdk/client-lambda";
import type { CreateFunctionCommandInput, LambdaServiceException } from "@aws-sdk/client-lambda";
import { zipOf } from "../harness/zip.ts";
import { ACCOUNT, ECHO, RUNTIME, WAIT, makeRole, startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";

let setting: Setting;
let zip: Uint8Array;
let input: Omit<CreateFunctionCommandInput, "FunctionName">;

before(async () => {
  setting = await startSetting();
  zip = await zipOf({ "index.mjs": ECHO });
  input = { Runtime: RUNTIME, Role: setting.role, Handler: "index.handler", Code: { ZipFile: zip } };
});
after(async () => setting?.server.stop());

const send = (more: Partial<CreateFunctionCommandInput>) =>
  setting.lambda.send(new CreateFunctionCommand({ FunctionName: "refused", ...input, ...more }));

const refuses = async (more: Partial<CreateFunctionCommandInput>, name: string, message: RegExp | string) =>
  assert.rejects(send(more), { name, message });

test("CreateFunction answers Pending with every default, and the waiters see it Active", async () => {
  const answer = await send({ FunctionName: "first", Tags: { team: "a" }, Description: "d" });
  assert.equal(answer.$metadata.httpStatusCode, 201);
  assert.equal(answer.State, "Pending");
  assert.equal(answer.StateReasonCode, "Creating");
  assert.equal(answer.StateReason, "The function is being created.");
  assert.equal(answer.FunctionArn, `arn:aws:lambda:us-east-1:${ACCOUNT}:function:first`);
  assert.match(answer.LastModified ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/);
  assert.match(answer.RevisionId ?? "", /^[0-9a-f-]{36}$/);
  const {
    $metadata: _,
    FunctionArn: _a,
    LastModified: _l,
    RevisionId: _r,
    ConfigSha256: _c,
    RuntimeVersionConfig: _v,
    ...rest
  } = answer;
  assert.deepEqual(rest, {
    FunctionName: "first",
    Runtime: RUNTIME,
    Role: setting.role,
    Handler: "index.handler",
    CodeSize: zip.length,
    Description: "d",
    Timeout: 3,
    MemorySize: 128,
    CodeSha256: createHash("sha256").update(zip).digest("base64"),
    Version: "$LATEST",
    TracingConfig: { Mode: "PassThrough" },
    State: "Pending",
    StateReason: "The function is being created.",
    StateReasonCode: "Creating",
    PackageType: "Zip",
    Architectures: [process.arch === "arm64" ? "arm64" : "x86_64"],
    EphemeralStorage: { Size: 512 },
    SnapStart: { ApplyOn: "None", OptimizationStatus: "Off" },
    LoggingConfig: { LogFormat: "Text", LogGroup: "/aws/lambda/first" },
  });
  await waitUntilFunctionExists({ client: setting.lambda, ...WAIT }, { FunctionName: "first" });
  await waitUntilFunctionActiveV2({ client: setting.lambda, ...WAIT }, { FunctionName: "first" });
  const { Configuration } = await setting.lambda.send(new GetFunctionCommand({ FunctionName: "first" }));
  assert.equal(Configuration?.State, "Active");
  assert.equal(Configuration?.StateReasonCode, undefined);
  assert.equal(Configuration?.LastUpdateStatus, "Successful");
  await refuses({ FunctionName: "first" }, "ResourceConflictException", "Function already exist: first");
});

test("CreateFunction accepts defaults said aloud", async () => {
  const answer = await send({
    FunctionName: "aloud",
    PackageType: "Zip",
    TracingConfig: { Mode: "PassThrough" },
    SnapStart: { ApplyOn: "None" },
    Layers: [],
    DeadLetterConfig: { TargetArn: "" },
    VpcConfig: { SubnetIds: [], SecurityGroupIds: [] },
    EphemeralStorage: { Size: 512 },
    Environment: { Variables: { GREETING: "hello" } },
    LoggingConfig: { LogFormat: "JSON", LogGroup: "/mine", SystemLogLevel: "WARN" },
    Publish: true,
  });
  assert.equal(answer.Version, "1");
  assert.equal(answer.FunctionArn, `arn:aws:lambda:us-east-1:${ACCOUNT}:function:aloud:1`);
  assert.deepEqual(answer.Environment, { Variables: { GREETING: "hello" } });
  assert.deepEqual(answer.LoggingConfig, {
    LogFormat: "JSON",
    ApplicationLogLevel: "INFO",
    SystemLogLevel: "WARN",
    LogGroup: "/mine",
  });
});

test("CreateFunction refuses what Lambent does not do, by name", async () => {
  const unimplemented: [Partial<CreateFunctionCommandInput>, RegExp][] = [
    [{ VpcConfig: { SubnetIds: ["subnet-1"], SecurityGroupIds: ["sg-1"] } }, /VpcConfig/],
    [{ KMSKeyArn: `arn:aws:kms:us-east-1:${ACCOUNT}:key/k` }, /KMSKeyArn/],
    [{ TracingConfig: { Mode: "Active" } }, /TracingConfig/],
    [{ TenancyConfig: { TenantIsolationMode: "PER_TENANT" } }, /TenancyConfig/],
    [{ DurableConfig: { ExecutionTimeout: 60 } }, /DurableConfig/],
    [{ PublishTo: "LATEST_PUBLISHED" }, /PublishTo/],
    [{ Architectures: [process.arch === "arm64" ? "x86_64" : "arm64"] }, /Architectures/],
    [
      { Code: { ZipFile: zip, SourceKMSKeyArn: `arn:aws:kms:us-east-1:${ACCOUNT}:key/k` } },
      /SourceKMSKeyArn/,
    ],
  ];
  for (const [more, message] of unimplemented) await refuses(more, "NotImplemented", message);
});

test("CreateFunction refuses bad values in AWS's words", async () => {
  const invalid = "InvalidParameterValueException";
  await refuses(
    { Timeout: 901 },
    invalid,
    "'Timeout' value failed to satisfy constraint: Member must have value less than or equal to 900",
  );
  await refuses({ MemorySize: 10_241 }, invalid, /'MemorySize' value failed.*less than or equal to 10240/);
  await refuses(
    { MemorySize: 127 },
    "ValidationException",
    /'127' at 'memorySize' failed to satisfy constraint/,
  );
  await refuses({ EphemeralStorage: { Size: 10_241 } }, invalid, /'EphemeralStorage' value failed/);
  await refuses(
    { Description: "d".repeat(257) },
    "ValidationException",
    /at 'description' failed.*length less than or equal to 256/,
  );
  await refuses(
    { Handler: "h".repeat(129) },
    "ValidationException",
    /at 'handler' failed.*length less than or equal to 128/,
  );
  await refuses({ FunctionName: "n".repeat(65) }, "ValidationException", /length less than or equal to 64/);
  await refuses({ FunctionName: "a b" }, "ValidationException", /functionName/);
  await refuses({ Handler: undefined }, invalid, /Runtime and Handler are mandatory parameters/);
  await refuses({ Runtime: undefined }, invalid, /Runtime and Handler are mandatory parameters/);
  await refuses(
    { Runtime: "nodejs12.x" },
    invalid,
    /The runtime parameter of nodejs12\.x is no longer supported/,
  );
  await refuses({ Runtime: "dotnet6" }, invalid, /The runtime parameter of dotnet6 is no longer supported/);
  await refuses(
    { LoggingConfig: { LogFormat: "Text", SystemLogLevel: "WARN" } },
    invalid,
    /only be set when LogFormat is JSON/,
  );
  await refuses({ Tags: Object.fromEntries(range(51).map((n) => [`k${n}`, "v"])) }, invalid, /tag limit/);
});

test("CreateFunction refuses environment variables that are reserved or too many", async () => {
  await refuses(
    { Environment: { Variables: { AWS_REGION: "x", LAMBDA_TASK_ROOT: "y", FINE: "z" } } },
    "InvalidParameterValueException",
    /contains reserved keys.*Reserved keys used in this request: AWS_REGION, LAMBDA_TASK_ROOT$/,
  );
  await refuses(
    { Environment: { Variables: { BIG: "x".repeat(4_096) } } },
    "InvalidParameterValueException",
    /exceeded the 4KB limit\. String measured: \{"BIG":"x+"\}$/,
  );
});

test("CreateFunction refuses a role that is missing, does not trust Lambda, or is another account's", async () => {
  const text = "The role defined for the function cannot be assumed by Lambda.";
  const invalid = "InvalidParameterValueException";
  await refuses({ Role: `arn:aws:iam::${ACCOUNT}:role/nobody` }, invalid, text);
  await refuses({ Role: await makeRole(setting.iam, "for-ec2", "ec2.amazonaws.com") }, invalid, text);
  await refuses(
    { Role: "arn:aws:iam::111122223333:role/x" },
    "AccessDeniedException",
    /Cross-account pass role/,
  );
});

test("GetFunction answers a working URL of the code, and the tags", async () => {
  const { Code, Tags } = await setting.lambda.send(new GetFunctionCommand({ FunctionName: "first" }));
  assert.equal(Code?.RepositoryType, "S3");
  const response = await fetch(Code?.Location ?? "");
  assert.equal(response.status, 200);
  assert.deepEqual(Buffer.from(await response.arrayBuffer()), Buffer.from(zip));
  assert.deepEqual(Tags, { team: "a" });
  const longer = (Code?.Location ?? "").replace(/\.(\d{13})\./, ".9$1.");
  assert.notEqual(longer, Code?.Location);
  assert.equal((await fetch(longer)).status, 403);
  assert.equal((await fetch(Code?.Location ?? "", { method: "POST" })).status, 405);
});

test("GetFunction and GetFunctionConfiguration find a function by every form of its name", async () => {
  const forms = [
    "first",
    "function:first",
    `${ACCOUNT}:function:first`,
    `arn:aws:lambda:us-east-1:${ACCOUNT}:function:first`,
  ];
  for (const FunctionName of forms) {
    const answer = await setting.lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
    assert.equal(answer.FunctionName, "first");
  }
  const qualified = await setting.lambda.send(new GetFunctionCommand({ FunctionName: "first:$LATEST" }));
  assert.match(qualified.Configuration?.FunctionArn ?? "", /:function:first:\$LATEST$/);
  const get = (FunctionName: string, Qualifier?: string) =>
    setting.lambda.send(new GetFunctionCommand({ FunctionName, ...(Qualifier ? { Qualifier } : {}) }));
  await assert.rejects(get("nobody"), {
    name: "ResourceNotFoundException",
    message: `Function not found: arn:aws:lambda:us-east-1:${ACCOUNT}:function:nobody`,
  });
  await assert.rejects(get("first", "7"), /Function not found: .*:function:first:7$/);
  await assert.rejects(get("first:1", "2"), /derived qualifier from the function name does not match/);
  await assert.rejects(get(`arn:aws:lambda:eu-west-1:${ACCOUNT}:function:first`), {
    name: "ResourceNotFoundException",
    message: "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
  });
  await assert.rejects(get("arn:aws:lambda:us-east-1:111122223333:function:first"), {
    name: "AccessDeniedException",
    message:
      /not authorized to perform: lambda:GetFunction on resource: arn:aws:lambda:us-east-1:111122223333/,
  });
});

test("functions of other accounts and regions are apart", async () => {
  for (const options of [{ account: "111122223333" }, { region: "eu-west-1" }]) {
    const client = new LambdaClient(setting.server.client(options));
    assert.deepEqual((await client.send(new ListFunctionsCommand({}))).Functions, []);
    await assert.rejects(client.send(new GetFunctionCommand({ FunctionName: "first" })), {
      name: "ResourceNotFoundException",
    });
  }
});

test("ListFunctions pages in order of name, and lists every version on request", async () => {
  for (const name of ["list-a", "list-b", "list-c"])
    await setting.create(ECHO, { FunctionName: name, Publish: true });
  const seen: string[] = [];
  let Marker: string | undefined;
  do {
    const answer = await setting.lambda.send(
      new ListFunctionsCommand({ MaxItems: 2, ...(Marker ? { Marker } : {}) }),
    );
    assert.ok((answer.Functions?.length ?? 0) <= 2);
    seen.push(...(answer.Functions ?? []).map((one) => one.FunctionName ?? ""));
    for (const one of answer.Functions ?? []) assert.equal(one.State, undefined);
    Marker = answer.NextMarker;
  } while (Marker);
  assert.deepEqual(seen, [...seen].sort());
  assert.deepEqual(
    seen.filter((name) => name.startsWith("list-")),
    ["list-a", "list-b", "list-c"],
  );
  const all = await setting.lambda.send(new ListFunctionsCommand({ FunctionVersion: "ALL" }));
  const arns = (all.Functions ?? []).map((one) => one.FunctionArn?.split(":function:")[1]);
  assert.deepEqual(
    arns.filter((arn) => arn?.startsWith("list-a")),
    ["list-a:$LATEST", "list-a:1"],
  );
  await assert.rejects(setting.lambda.send(new ListFunctionsCommand({ Marker: "nonsense" })), {
    name: "InvalidParameterValueException",
  });
  await assert.rejects(
    setting.lambda.send(new ListFunctionsCommand({ MasterRegion: "ALL" })),
    /MasterRegion/,
  );
});

test("UpdateFunctionCode replaces the code: the old one serves until the new one does", async () => {
  const name = await setting.create("export const handler = async () => 'old';");
  assert.equal((await setting.invoke(name)).value, "old");
  const next = await zipOf({ "index.mjs": "export const handler = async () => 'new';" });
  const dry = await setting.lambda.send(
    new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile: next, DryRun: true }),
  );
  assert.equal(dry.CodeSha256, createHash("sha256").update(next).digest("base64"));
  assert.equal((await setting.invoke(name)).value, "old");
  const answer = await setting.lambda.send(
    new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile: next }),
  );
  assert.equal(answer.LastUpdateStatus, "InProgress");
  assert.equal(answer.State, "Active");
  await setting.updated(name);
  assert.equal((await setting.invoke(name)).value, "new");
  await assert.rejects(
    setting.lambda.send(
      new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile: next, RevisionId: answer.RevisionId }),
    ),
    {
      name: "PreconditionFailedException",
      message: /The Revision Id provided does not match the latest Revision Id/,
    },
  );
  const published = await setting.lambda.send(
    new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile: zip, Publish: true }),
  );
  assert.equal(published.Version, "1");
  await assert.rejects(setting.lambda.send(new UpdateFunctionCodeCommand({ FunctionName: name })), {
    message: "Please provide a source for function code.",
  });
  await assert.rejects(
    setting.lambda.send(new UpdateFunctionCodeCommand({ FunctionName: "nobody", ZipFile: zip })),
    { name: "ResourceNotFoundException" },
  );
});

test("UpdateFunctionCode under load never fails an invocation, and never goes back to older code", async () => {
  const name = await setting.create("export const handler = async () => 0;");
  let newest = 0;
  const done = new AbortController();
  const caller = async () => {
    let runs = 0;
    for (let least = 0; !done.signal.aborted; runs++) {
      const active = newest;
      const { value, error } = await setting.invoke(name);
      assert.equal(error, undefined);
      assert.ok(
        (value as number) >= Math.max(least, active),
        `${String(value)} after ${least}, ${active} being active`,
      );
      least = value as number;
    }
    return runs;
  };
  const callers = [caller(), caller(), caller()];
  const updating = (async () => {
    for (let version = 1; version <= 5; version++) {
      const ZipFile = await zipOf({ "index.mjs": `export const handler = async () => ${version};` });
      await setting.lambda.send(new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile }));
      await setting.updated(name);
      newest = version;
    }
  })().finally(() => done.abort());
  const [, ...runs] = await Promise.all([updating, ...callers]);
  for (const count of runs) assert.ok(count > 0);
});

test("Invoke and UpdateFunctionConfiguration of a function whose role is gone are refused", async () => {
  const RoleName = "short-lived";
  const name = await setting.create(ECHO, { Role: await makeRole(setting.iam, RoleName) });
  await setting.iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: "logs" }));
  await setting.iam.send(new DeleteRoleCommand({ RoleName }));
  const message = "The role defined for the function cannot be assumed by Lambda.";
  await assert.rejects(setting.invoke(name), { name: "AccessDeniedException", message });
  await assert.rejects(
    setting.lambda.send(
      new UpdateFunctionConfigurationCommand({
        FunctionName: name,
        Role: `arn:aws:iam::${ACCOUNT}:role/${RoleName}`,
      }),
    ),
    { name: "InvalidParameterValueException", message },
  );
});

test("UpdateFunctionConfiguration changes what it names and nothing else", async () => {
  const name = await setting.create(ECHO, { Description: "kept", Timeout: 9 });
  const answer = await setting.lambda.send(
    new UpdateFunctionConfigurationCommand({
      FunctionName: name,
      MemorySize: 256,
      Environment: { Variables: { GREETING: "good day" } },
    }),
  );
  assert.equal(answer.LastUpdateStatus, "InProgress");
  await setting.updated(name);
  const now = await setting.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
  assert.deepEqual([now.MemorySize, now.Description, now.Timeout], [256, "kept", 9]);
  assert.equal(((await setting.invoke(name)).value as { greeting: string }).greeting, "good day");
  await assert.rejects(
    setting.lambda.send(
      new UpdateFunctionConfigurationCommand({
        FunctionName: name,
        Timeout: 4,
        RevisionId: "00000000-0000-4000-8000-000000000000",
      }),
    ),
    (error: LambdaServiceException) =>
      error.name === "PreconditionFailedException" && error.$metadata.httpStatusCode === 412,
  );
  for (const more of [
    { TracingConfig: { Mode: "Active" as const } },
    { KMSKeyArn: "arn:aws:kms:us-east-1:1:key/k" },
  ])
    await assert.rejects(
      setting.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: name, ...more })),
      { name: "NotImplemented" },
    );
  await setting.lambda.send(
    new UpdateFunctionConfigurationCommand({ FunctionName: name, Environment: { Variables: {} } }),
  );
  await setting.updated(name);
  const cleared = await setting.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
  assert.equal(cleared.Environment, undefined);
});

test("DeleteFunction removes the function with everything on it, and its code", async () => {
  const name = await setting.create("export const handler = async () => 'unique to the deleted function';", {
    Publish: true,
  });
  await setting.invoke(name);
  const folder = join(setting.server.dataDir, "code");
  const before = (await readdir(folder)).length;
  const answer = await setting.lambda.send(new DeleteFunctionCommand({ FunctionName: name }));
  assert.equal(answer.$metadata.httpStatusCode, 204);
  await assert.rejects(setting.invoke(name), { name: "ResourceNotFoundException" });
  await assert.rejects(setting.lambda.send(new ListVersionsByFunctionCommand({ FunctionName: name })), {
    name: "ResourceNotFoundException",
  });
  await assert.rejects(setting.lambda.send(new DeleteFunctionCommand({ FunctionName: name })), {
    name: "ResourceNotFoundException",
  });
  for (let tries = 0; (await readdir(folder)).length >= before; tries++) {
    assert.ok(tries < 200, "the code's folder is still there");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});

test("GetAccountSettings counts functions and code", async () => {
  const answer = await setting.lambda.send(new GetAccountSettingsCommand({}));
  assert.equal(answer.AccountLimit?.CodeSizeUnzipped, 262_144_000);
  assert.equal(answer.AccountLimit?.CodeSizeZipped, 52_428_800);
  assert.equal(answer.AccountLimit?.ConcurrentExecutions, 1_000);
  const { Functions } = await setting.lambda.send(new ListFunctionsCommand({}));
  assert.equal(answer.AccountUsage?.FunctionCount, Functions?.length);
  assert.ok((answer.AccountUsage?.TotalCodeSize ?? 0) > 0);
});

function range(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at);
}
