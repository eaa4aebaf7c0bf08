/** FunctionEventInvokeConfig: kept for a function, version or alias, and gone with it. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CreateAliasCommand,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  DeleteFunctionEventInvokeConfigCommand,
  GetFunctionEventInvokeConfigCommand,
  ListFunctionEventInvokeConfigsCommand,
  PublishVersionCommand,
  PutFunctionEventInvokeConfigCommand,
  UpdateFunctionEventInvokeConfigCommand,
} from "@aws-sdk/client-lambda";
import type { LambdaClient, PutFunctionEventInvokeConfigCommandInput } from "@aws-sdk/client-lambda";
import { MovableClock } from "../../src/index.ts";
import { ACCOUNT, ECHO, startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";

const clock = new MovableClock();
let setting: Setting;
let lambda: LambdaClient;

before(async () => {
  setting = await startSetting({ clock });
  lambda = setting.lambda;
});
after(async () => setting?.server.stop());

const put = (FunctionName: string, settings: Partial<PutFunctionEventInvokeConfigCommandInput>) =>
  lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName, ...settings }));
const get = (FunctionName: string, Qualifier?: string) =>
  lambda.send(
    new GetFunctionEventInvokeConfigCommand({ FunctionName, ...(Qualifier !== undefined && { Qualifier }) }),
  );
const arnOf = (name: string, qualifier: string) =>
  `arn:aws:lambda:us-east-1:${ACCOUNT}:function:${name}:${qualifier}`;

/** A function with version 1 and the alias `live`. */
async function published(): Promise<string> {
  const name = await setting.create(ECHO);
  await lambda.send(new PublishVersionCommand({ FunctionName: name }));
  await lambda.send(new CreateAliasCommand({ FunctionName: name, Name: "live", FunctionVersion: "1" }));
  return name;
}

test("PutFunctionEventInvokeConfig and GetFunctionEventInvokeConfig: what is named is kept, and nothing else", async () => {
  const name = await setting.create(ECHO);
  const answer = await put(name, { MaximumRetryAttempts: 0 });
  assert.equal(answer.FunctionArn, arnOf(name, "$LATEST"));
  assert.equal(answer.MaximumRetryAttempts, 0);
  assert.equal(answer.MaximumEventAgeInSeconds, undefined);
  assert.deepEqual(answer.DestinationConfig, { OnSuccess: {}, OnFailure: {} });
  assert.ok(Math.abs((answer.LastModified?.getTime() ?? 0) - clock.now()) < 60_000);
  const { $metadata: _, ...kept } = await get(name, "$LATEST");
  const { $metadata: __, ...answered } = answer;
  assert.deepEqual(kept, answered);
  await put(name, { MaximumEventAgeInSeconds: 60 });
  const replaced = await get(name);
  assert.equal(replaced.MaximumRetryAttempts, undefined, "what a put does not name is removed");
  assert.equal(replaced.MaximumEventAgeInSeconds, 60);
});

test("UpdateFunctionEventInvokeConfig changes what it names and leaves the rest", async () => {
  const name = await published();
  const update = (settings: object) =>
    lambda.send(
      new UpdateFunctionEventInvokeConfigCommand({ FunctionName: name, Qualifier: "live", ...settings }),
    );
  await assert.rejects(update({ MaximumRetryAttempts: 1 }), {
    name: "ResourceNotFoundException",
    message: `The function ${arnOf(name, "live")} doesn't have an EventInvokeConfig`,
  });
  await put(name, { Qualifier: "live", MaximumRetryAttempts: 1, MaximumEventAgeInSeconds: 21_600 });
  await clock.advance(3_600_000);
  const before = await get(name, "live");
  const updated = await update({ MaximumEventAgeInSeconds: 600 });
  assert.equal(updated.MaximumRetryAttempts, 1);
  assert.equal(updated.MaximumEventAgeInSeconds, 600);
  assert.ok((updated.LastModified?.getTime() ?? 0) - (before.LastModified?.getTime() ?? 0) >= 3_600_000);
});

test("PutFunctionEventInvokeConfig refuses values out of range, nothing at all, and what is not there", async () => {
  const name = await setting.create(ECHO);
  const out = { name: "ValidationException" };
  await assert.rejects(put(name, { MaximumRetryAttempts: 3 }), out);
  await assert.rejects(put(name, { MaximumRetryAttempts: -1 }), out);
  await assert.rejects(put(name, { MaximumEventAgeInSeconds: 59 }), out);
  await assert.rejects(put(name, { MaximumEventAgeInSeconds: 21_601 }), out);
  await assert.rejects(put(name, {}), {
    name: "InvalidParameterValueException",
    message: "You must specify at least one of error handling or destination setting.",
  });
  const missing = { name: "ResourceNotFoundException" };
  await assert.rejects(put("nobody", { MaximumRetryAttempts: 1 }), missing);
  await assert.rejects(put(name, { Qualifier: "nowhere", MaximumRetryAttempts: 1 }), missing);
  await assert.rejects(get(name), {
    name: "ResourceNotFoundException",
    message: `The function ${arnOf(name, "$LATEST")} doesn't have an EventInvokeConfig`,
  });
});

test("DeleteFunctionEventInvokeConfig removes one; deleting alias, version or function removes theirs", async () => {
  const name = await published();
  const remove = (Qualifier?: string) =>
    lambda.send(
      new DeleteFunctionEventInvokeConfigCommand({
        FunctionName: name,
        ...(Qualifier !== undefined && { Qualifier }),
      }),
    );
  for (const Qualifier of ["live", "1", "$LATEST"]) await put(name, { Qualifier, MaximumRetryAttempts: 1 });
  await remove();
  await assert.rejects(remove("$LATEST"), { name: "ResourceNotFoundException" });
  await lambda.send(new DeleteAliasCommand({ FunctionName: name, Name: "live" }));
  await lambda.send(new CreateAliasCommand({ FunctionName: name, Name: "live", FunctionVersion: "1" }));
  await assert.rejects(get(name, "live"), { name: "ResourceNotFoundException" });
  assert.equal((await get(name, "1")).MaximumRetryAttempts, 1);
  await lambda.send(new DeleteFunctionCommand({ FunctionName: name }));
  await setting.create(ECHO, { FunctionName: name });
  const { FunctionEventInvokeConfigs } = await lambda.send(
    new ListFunctionEventInvokeConfigsCommand({ FunctionName: name }),
  );
  assert.deepEqual(FunctionEventInvokeConfigs, []);
});

test("ListFunctionEventInvokeConfigs answers pages in order of qualifier", async () => {
  const name = await published();
  for (const Qualifier of ["live", "1", "$LATEST"]) await put(name, { Qualifier, MaximumRetryAttempts: 1 });
  const list = (more: object) =>
    lambda.send(new ListFunctionEventInvokeConfigsCommand({ FunctionName: name, ...more }));
  const first = await list({ MaxItems: 2 });
  const second = await list({ MaxItems: 2, Marker: first.NextMarker });
  assert.equal(second.NextMarker, undefined);
  const arns = [first, second].flatMap((one) => one.FunctionEventInvokeConfigs?.map((c) => c.FunctionArn));
  assert.deepEqual(
    arns,
    ["$LATEST", "1", "live"].map((qualifier) => arnOf(name, qualifier)),
  );
  await assert.rejects(list({ MaxItems: 51 }), { name: "ValidationException" });
  await assert.rejects(list({ FunctionName: "nobody" }), { name: "ResourceNotFoundException" });
});
