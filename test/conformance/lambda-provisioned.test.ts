/** Provisioned concurrency: the operations, what a version and an alias may have, and that it outlives the server. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CreateAliasCommand,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  DeleteProvisionedConcurrencyConfigCommand,
  GetAccountSettingsCommand,
  GetProvisionedConcurrencyConfigCommand,
  LambdaClient,
  ListProvisionedConcurrencyConfigsCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  PutProvisionedConcurrencyConfigCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  waitUntilPublishedVersionActive,
} from "@aws-sdk/client-lambda";
import type { GetProvisionedConcurrencyConfigCommandOutput } from "@aws-sdk/client-lambda";
import { spawnServer } from "../harness/process.ts";
import { clientOptions } from "../harness/server.ts";
import { zipOf } from "../harness/zip.ts";
import { ACCOUNT, WAIT, settle, startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";

const TYPE = (text: string) =>
  `export const handler = async () => ["${text}", process.env.AWS_LAMBDA_INITIALIZATION_TYPE];`;
const PROVISIONED = "provisioned-concurrency";
const UNPUBLISHED = "Provisioned Concurrency Configs cannot be applied to unpublished function versions.";

let setting: Setting;
before(async () => {
  setting = await startSetting({ sandbox: "process" });
});
after(async () => setting?.server.stop());

/** A function with versions 1 and 2 and an alias on 1. */
async function published({ lambda, ...more }: Omit<Setting, "server"> = setting): Promise<string> {
  const FunctionName = await more.create(TYPE("1"), { Publish: true });
  await waitUntilPublishedVersionActive({ client: lambda, ...WAIT }, { FunctionName, Qualifier: "1" });
  await lambda.send(
    new UpdateFunctionCodeCommand({ FunctionName, ZipFile: await zipOf({ "index.mjs": TYPE("2") }) }),
  );
  await more.updated(FunctionName);
  await lambda.send(new PublishVersionCommand({ FunctionName }));
  await waitUntilPublishedVersionActive({ client: lambda, ...WAIT }, { FunctionName, Qualifier: "2" });
  await lambda.send(new CreateAliasCommand({ FunctionName, Name: "live", FunctionVersion: "1" }));
  return FunctionName;
}

function put(
  FunctionName: string,
  Qualifier: string,
  ProvisionedConcurrentExecutions: number,
  on = setting.lambda,
) {
  return on.send(
    new PutProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier, ProvisionedConcurrentExecutions }),
  );
}

function get(FunctionName: string, Qualifier: string, on = setting.lambda) {
  return on.send(new GetProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier }));
}

function remove(FunctionName: string, Qualifier: string) {
  return setting.lambda.send(new DeleteProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier }));
}

async function settled(
  name: string,
  qualifier: string,
  on = setting.lambda,
): Promise<GetProvisionedConcurrencyConfigCommandOutput> {
  for (let tries = 0; tries < 1_000; tries++) {
    const config = await get(name, qualifier, on);
    if (config.Status !== "IN_PROGRESS") return config;
    await sleep(30);
  }
  return assert.fail(`the provisioned concurrency of ${name}:${qualifier} is not ready`);
}

test("PutProvisionedConcurrencyConfig makes environments ready, GetProvisionedConcurrencyConfig tells how far it is, DeleteProvisionedConcurrencyConfig gives them up", async () => {
  const FunctionName = await published();
  const answer = await put(FunctionName, "1", 2);
  assert.equal(answer.$metadata.httpStatusCode, 202);
  assert.equal(answer.Status, "IN_PROGRESS");
  assert.equal(answer.RequestedProvisionedConcurrentExecutions, 2);
  assert.equal(answer.AvailableProvisionedConcurrentExecutions, 0);
  assert.match(answer.LastModified ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000$/);
  const ready = await settled(FunctionName, "1");
  assert.equal(ready.Status, "READY");
  assert.equal(ready.AllocatedProvisionedConcurrentExecutions, 2);
  assert.equal(ready.AvailableProvisionedConcurrentExecutions, 2);
  assert.equal(ready.LastModified, answer.LastModified);
  assert.deepEqual((await setting.invoke(`${FunctionName}:1`)).value, ["1", PROVISIONED]);
  assert.deepEqual((await setting.invoke(`${FunctionName}:live`)).value, ["1", PROVISIONED]);
  assert.deepEqual((await setting.invoke(`${FunctionName}:2`)).value, ["2", "on-demand"]);
  assert.equal((await remove(FunctionName, "1")).$metadata.httpStatusCode, 204);
  await remove(FunctionName, "1");
  await assert.rejects(get(FunctionName, "1"), {
    name: "ProvisionedConcurrencyConfigNotFoundException",
    message: "No Provisioned Concurrency Config found for this function",
  });
});

test("ListProvisionedConcurrencyConfigs lists versions and aliases by page", async () => {
  const FunctionName = await published();
  await put(FunctionName, "2", 1);
  await put(FunctionName, "live", 1);
  const list = (Marker?: string) =>
    setting.lambda.send(new ListProvisionedConcurrencyConfigsCommand({ FunctionName, MaxItems: 1, Marker }));
  const first = await list();
  const second = await list(first.NextMarker);
  const arn = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:${FunctionName}`;
  const arns = [first, second].map(({ ProvisionedConcurrencyConfigs: [one] = [] }) => one?.FunctionArn);
  assert.deepEqual(arns, [`${arn}:2`, `${arn}:live`]);
  assert.equal(second.NextMarker, undefined);
  await setting.lambda.send(new DeleteAliasCommand({ FunctionName, Name: "live" }));
  await setting.lambda.send(new DeleteFunctionCommand({ FunctionName, Qualifier: "2" }));
  const rest = await setting.lambda.send(new ListProvisionedConcurrencyConfigsCommand({ FunctionName }));
  assert.deepEqual(rest.ProvisionedConcurrencyConfigs, []);
});

test("an alias that is pointed to another version takes its provisioned concurrency along", async () => {
  const FunctionName = await published();
  await put(FunctionName, "live", 1);
  await settled(FunctionName, "live");
  assert.deepEqual((await setting.invoke(`${FunctionName}:live`)).value, ["1", PROVISIONED]);
  const move = (FunctionVersion: string) =>
    setting.lambda.send(new UpdateAliasCommand({ FunctionName, Name: "live", FunctionVersion }));
  await move("2");
  let value;
  for (let tries = 0; tries < 200 && String(value) !== `2,${PROVISIONED}`; tries++) {
    await sleep(150);
    ({ value } = await setting.invoke(`${FunctionName}:live`));
  }
  assert.deepEqual(value, ["2", PROVISIONED]);
  assert.deepEqual((await setting.invoke(`${FunctionName}:1`)).value, ["1", "on-demand"]);
  await assert.rejects(move("$LATEST"), { name: "InvalidParameterValueException", message: UNPUBLISHED });
});

test("a version has provisioned concurrency once, and an alias that shifts traffic keeps what it has", async () => {
  const FunctionName = await published();
  await put(FunctionName, "1", 1);
  await assert.rejects(put(FunctionName, "live", 1), {
    name: "ResourceConflictException",
    message:
      "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
  });
  await remove(FunctionName, "1");
  await put(FunctionName, "live", 1);
  await assert.rejects(put(FunctionName, "1", 1), {
    name: "ResourceConflictException",
    message: "Version is pointed by a Provisioned Concurrency alias",
  });
  await put(FunctionName, "2", 1);
  const update = new UpdateAliasCommand({ FunctionName, Name: "live", FunctionVersion: "2" });
  await assert.rejects(setting.lambda.send(update), { name: "ResourceConflictException" });
  const weights = { AdditionalVersionWeights: { 2: 0.5 } };
  await setting.lambda.send(new UpdateAliasCommand({ FunctionName, Name: "live", RoutingConfig: weights }));
  for (const change of [() => put(FunctionName, "live", 2), () => remove(FunctionName, "live")])
    await assert.rejects(change(), {
      name: "InvalidParameterValueException",
      message: /^Provisioned Concurrency of the alias live cannot be changed while/,
    });
  assert.equal((await get(FunctionName, "live")).RequestedProvisionedConcurrentExecutions, 1);
});

test("PutProvisionedConcurrencyConfig refuses what is no version or alias, and more than there is", async () => {
  const FunctionName = await published();
  for (const call of [
    () => put(FunctionName, "$LATEST", 1),
    () => get(FunctionName, "$LATEST"),
    () => remove(FunctionName, "$LATEST"),
  ])
    await assert.rejects(call(), { name: "InvalidParameterValueException", message: UNPUBLISHED });
  await assert.rejects(put(FunctionName, "1", 0), { name: "ValidationException" });
  await assert.rejects(put(FunctionName, "9", 1), {
    name: "ResourceNotFoundException",
    message: `Function not found: arn:aws:lambda:us-east-1:${ACCOUNT}:function:${FunctionName}:9`,
  });
  await assert.rejects(put(FunctionName, "nobody", 1), {
    name: "ResourceNotFoundException",
    message: `Cannot find alias arn: arn:aws:lambda:us-east-1:${ACCOUNT}:function:${FunctionName}:nobody`,
  });
  await assert.rejects(put("nobody", "1", 1), { name: "ResourceNotFoundException" });
  await assert.rejects(
    put(
      `arn:aws:lambda:us-east-1:${ACCOUNT}:function:${FunctionName}`,
      "1",
      1,
      new LambdaClient(setting.server.client({ account: "111122223333" })),
    ),
    { name: "AccessDeniedException" },
  );
  await assert.rejects(put(FunctionName, "1", 901), {
    message: /^Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution/,
  });
  const reserve = (ReservedConcurrentExecutions: number) =>
    setting.lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions }));
  await reserve(2);
  await put(FunctionName, "1", 1);
  await assert.rejects(put(FunctionName, "2", 2), {
    name: "InvalidParameterValueException",
    message:
      "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function",
  });
  await assert.rejects(reserve(0), {
    name: "InvalidParameterValueException",
    message:
      "ReservedConcurrentExecutions 0 should not be lower than function's total provisioned concurrency [1].",
  });
});

test("what is provisioned without a reservation is taken from what is unreserved", async () => {
  const unreserved = async () =>
    (await setting.lambda.send(new GetAccountSettingsCommand({}))).AccountLimit
      ?.UnreservedConcurrentExecutions;
  const FunctionName = await published();
  const before = (await unreserved()) ?? 0;
  await put(FunctionName, "1", 1);
  assert.equal(await unreserved(), before - 1);
  await setting.lambda.send(new DeleteFunctionCommand({ FunctionName }));
  assert.equal(await unreserved(), before);
});

test("an init that fails is told with AWS's reason", async () => {
  const FunctionName = await setting.create(`throw new Error("never");`, { Publish: true });
  await waitUntilPublishedVersionActive(
    { client: setting.lambda, ...WAIT },
    { FunctionName, Qualifier: "1" },
  );
  await put(FunctionName, "1", 1);
  const failed = await settled(FunctionName, "1");
  assert.deepEqual([failed.Status, failed.StatusReason], ["FAILED", "FUNCTION_ERROR_INIT_FAILURE"]);
});

test("provisioned concurrency is made anew after kill -9", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-test-"));
  const flags = ["--port", "0", "--data-dir", dataDir, "--sandbox", "process"];
  const first = await spawnServer(flags);
  let second: Awaited<ReturnType<typeof spawnServer>> | undefined;
  try {
    const there = await settle(first.endpoint);
    const FunctionName = await published(there);
    await put(FunctionName, "live", 2, there.lambda);
    await first.kill();
    second = await spawnServer(flags);
    const lambda = new LambdaClient(clientOptions(second.endpoint));
    const ready = await settled(FunctionName, "live", lambda);
    assert.equal(ready.Status, "READY");
    assert.equal(ready.AvailableProvisionedConcurrentExecutions, 2);
  } finally {
    if (first.child.exitCode === null && !first.child.killed) await first.kill();
    await second?.terminate();
    await rm(dataDir, { recursive: true, force: true });
  }
});
