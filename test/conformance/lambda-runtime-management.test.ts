/** When functions get newer runtimes, and the deprecated InvokeAsync. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  GetFunctionConfigurationCommand,
  ListFunctionsCommand,
  GetRuntimeManagementConfigCommand,
  InvokeAsyncCommand,
  PublishVersionCommand,
  PutRuntimeManagementConfigCommand,
} from "@aws-sdk/client-lambda";
import { ACCOUNT, startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";

let setting: Setting;
let FunctionName: string;
before(async () => {
  setting = await startSetting();
  FunctionName = await setting.create(
    `export const handler = async (event) => console.log("got", event.text);`,
  );
});
after(async () => setting?.server.stop());

const arn = (qualifier: string) =>
  `arn:aws:lambda:us-east-1:${ACCOUNT}:function:${FunctionName}:${qualifier}`;

/** The lines of the function's log with a word in them, as soon as there are any. */
async function logged(word: string): Promise<string[]> {
  const logs = new CloudWatchLogsClient(setting.server.client());
  const logGroupName = `/aws/lambda/${FunctionName}`;
  for (let tries = 0; tries < 200; tries++) {
    const { events = [] } = await logs
      .send(new FilterLogEventsCommand({ logGroupName, filterPattern: `"${word}"` }))
      .catch(() => ({ events: [] }));
    if (events.length > 0) return events.map(({ message = "" }) => message);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return assert.fail(`the function has logged no ${word}`);
}

test("GetRuntimeManagementConfig and PutRuntimeManagementConfig: functions have the server's runtimes, and no other way is taken", async () => {
  const get = async (more: object = {}) => {
    const { $metadata: _, ...config } = await setting.lambda.send(
      new GetRuntimeManagementConfigCommand({ FunctionName, ...more }),
    );
    return config;
  };
  assert.deepEqual(await get(), { UpdateRuntimeOn: "Auto", FunctionArn: arn("$LATEST") });
  await setting.lambda.send(new PublishVersionCommand({ FunctionName }));
  assert.deepEqual(await get({ Qualifier: "1" }), { UpdateRuntimeOn: "Auto", FunctionArn: arn("1") });
  const put = (UpdateRuntimeOn: "Auto" | "FunctionUpdate" | "Manual", more: object = {}) =>
    setting.lambda.send(new PutRuntimeManagementConfigCommand({ FunctionName, UpdateRuntimeOn, ...more }));
  assert.equal((await put("Auto")).FunctionArn, arn("$LATEST"));
  await assert.rejects(put("FunctionUpdate"), {
    name: "NotImplemented",
    message: /UpdateRuntimeOn FunctionUpdate/,
  });
  const RuntimeVersionArn = `arn:aws:lambda:us-east-1::runtime:${"0".repeat(64)}`;
  await assert.rejects(put("Manual", { RuntimeVersionArn }), {
    name: "NotImplemented",
    message: /RuntimeVersionArn/,
  });
  await assert.rejects(get({ Qualifier: "7" }), { name: "ResourceNotFoundException" });
});

test("GetFunctionConfiguration tells the version of the runtime, the same that the function's log has", async () => {
  await setting.invoke(FunctionName, {});
  const answer = await setting.lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
  const version = answer.RuntimeVersionConfig?.RuntimeVersionArn ?? "";
  assert.match(version, /^arn:aws:lambda:us-east-1::runtime:[0-9a-f]{64}$/);
  const [line] = await logged("INIT_START");
  assert.match(line ?? "", new RegExp(`\\tRuntime Version ARN: ${version}\\s*$`));
  const listed = await setting.lambda.send(new ListFunctionsCommand({}));
  assert.equal(listed.Functions?.[0]?.RuntimeVersionConfig, undefined);
});

test("InvokeAsync answers 202 and runs the function; it takes 256 KB of JSON", async () => {
  const invoke = (InvokeArgs: string) =>
    setting.lambda.send(new InvokeAsyncCommand({ FunctionName, InvokeArgs }));
  const answer = await invoke(JSON.stringify({ text: "later" }));
  assert.equal(answer.$metadata.httpStatusCode, 202);
  assert.equal(answer.Status, 202);
  await logged("later");
  await assert.rejects(invoke("no JSON"), { name: "InvalidRequestContentException" });
  const text = "x".repeat(262_144);
  await assert.rejects(invoke(JSON.stringify({ text })), { name: "RequestTooLargeException" });
  await assert.rejects(
    setting.lambda.send(new InvokeAsyncCommand({ FunctionName: "nobody", InvokeArgs: "{}" })),
    { name: "ResourceNotFoundException" },
  );
});
