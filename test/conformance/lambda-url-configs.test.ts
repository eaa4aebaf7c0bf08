/** The operations of function URLs. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CreateAliasCommand,
  CreateFunctionUrlConfigCommand,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  DeleteFunctionUrlConfigCommand,
  GetFunctionUrlConfigCommand,
  ListFunctionUrlConfigsCommand,
  PublishVersionCommand,
  UpdateFunctionUrlConfigCommand,
} from "@aws-sdk/client-lambda";
import type { CreateFunctionUrlConfigCommandInput } from "@aws-sdk/client-lambda";
import { ACCOUNT, startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";

let setting: Setting;
before(async () => {
  setting = await startSetting();
});
after(async () => setting?.server.stop());

const arnOf = (name: string) => `arn:aws:lambda:us-east-1:${ACCOUNT}:function:${name}`;
const make = () => setting.create("export const handler = async () => 1;");
const create = (FunctionName: string, more: Partial<CreateFunctionUrlConfigCommandInput> = {}) =>
  setting.lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName, AuthType: "NONE", ...more }));
const get = async (FunctionName: string, Qualifier?: string) => {
  const { $metadata: _, ...config } = await setting.lambda.send(
    new GetFunctionUrlConfigCommand({ FunctionName, Qualifier }),
  );
  return config;
};
const missing = { name: "ResourceNotFoundException", message: "The resource you requested does not exist." };

test("CreateFunctionUrlConfig gives a function a URL that stays; GetFunctionUrlConfig tells it", async () => {
  const name = await make();
  await assert.rejects(get(name), missing);
  const created = await create(name);
  assert.equal(created.$metadata.httpStatusCode, 201);
  const port = new URL(setting.server.endpoint).port;
  assert.match(
    created.FunctionUrl ?? "",
    new RegExp(`^http://[a-z0-9]{32}\\.lambda-url\\.us-east-1\\.localhost:${port}/$`),
  );
  assert.match(created.CreationTime ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  const { LastModifiedTime, ...got } = await get(name);
  assert.equal(LastModifiedTime, created.CreationTime);
  assert.deepEqual(got, {
    FunctionUrl: created.FunctionUrl,
    FunctionArn: arnOf(name),
    AuthType: "NONE",
    CreationTime: created.CreationTime,
    InvokeMode: "BUFFERED",
  });
  await assert.rejects(create(name), {
    name: "ResourceConflictException",
    message: `Failed to create function url config for [functionArn = ${arnOf(name)}]. Error message:  FunctionUrlConfig exists for this Lambda function`,
  });
});

test("an alias has a URL of its own; a version and what is not there have none", async () => {
  const FunctionName = await make();
  await setting.lambda.send(new PublishVersionCommand({ FunctionName }));
  await setting.lambda.send(new CreateAliasCommand({ FunctionName, Name: "live", FunctionVersion: "1" }));
  const own = await create(FunctionName);
  const live = await create(FunctionName, { Qualifier: "live" });
  assert.equal(live.FunctionArn, `${arnOf(FunctionName)}:live`);
  assert.notEqual(live.FunctionUrl, own.FunctionUrl);
  assert.equal((await get(`${FunctionName}:live`)).FunctionUrl, live.FunctionUrl);
  const gone = { name: "ResourceNotFoundException", message: "Function does not exist" };
  await assert.rejects(create(FunctionName, { Qualifier: "none" }), gone);
  await assert.rejects(create("nobody"), gone);
  await assert.rejects(create(FunctionName, { Qualifier: "1" }), { name: "ValidationException" });
  await setting.lambda.send(new DeleteAliasCommand({ FunctionName, Name: "live" }));
  await assert.rejects(get(FunctionName, "live"), missing);
});

test("UpdateFunctionUrlConfig changes what it names, CORS as a whole", async () => {
  const FunctionName = await make();
  const Cors = { AllowOrigins: ["https://example.com"], AllowMethods: ["GET"], MaxAge: 60 };
  const { FunctionUrl } = await create(FunctionName, { Cors });
  const update = (more: object) =>
    setting.lambda.send(new UpdateFunctionUrlConfigCommand({ FunctionName, ...more }));
  const first = await update({ AuthType: "AWS_IAM" });
  assert.deepEqual([first.AuthType, first.Cors, first.FunctionUrl], ["AWS_IAM", Cors, FunctionUrl]);
  const second = await update({ InvokeMode: "RESPONSE_STREAM", Cors: { AllowOrigins: ["*"] } });
  assert.deepEqual(
    [second.AuthType, second.InvokeMode, second.Cors],
    ["AWS_IAM", "RESPONSE_STREAM", { AllowOrigins: ["*"] }],
  );
  assert.equal((await update({ Cors: {} })).Cors, undefined);
  await assert.rejects(update({ Cors: { MaxAge: 86_401 } }), { name: "ValidationException" });
});

test("ListFunctionUrlConfigs has those of the function and its aliases, by pages", async () => {
  const FunctionName = await make();
  await setting.lambda.send(new PublishVersionCommand({ FunctionName }));
  for (const Name of ["a", "b"])
    await setting.lambda.send(new CreateAliasCommand({ FunctionName, Name, FunctionVersion: "1" }));
  await create(FunctionName);
  for (const Qualifier of ["b", "a"]) await create(FunctionName, { Qualifier });
  const list = (more: object = {}) =>
    setting.lambda.send(new ListFunctionUrlConfigsCommand({ FunctionName, ...more }));
  const arns = async (more: object = {}) =>
    (await list(more)).FunctionUrlConfigs?.map((one) => one.FunctionArn);
  const arn = arnOf(FunctionName);
  assert.deepEqual(await arns(), [arn, `${arn}:a`, `${arn}:b`]);
  const { NextMarker: Marker } = await list({ MaxItems: 2 });
  assert.deepEqual(await arns({ MaxItems: 2, Marker }), [`${arn}:b`]);
  await assert.rejects(setting.lambda.send(new ListFunctionUrlConfigsCommand({ FunctionName: "nobody" })), {
    name: "ResourceNotFoundException",
  });
});

test("DeleteFunctionUrlConfig takes the URL away, as the function's end does", async () => {
  const FunctionName = await make();
  const { FunctionUrl } = await create(FunctionName);
  const remove = () => setting.lambda.send(new DeleteFunctionUrlConfigCommand({ FunctionName }));
  assert.equal((await remove()).$metadata.httpStatusCode, 204);
  await assert.rejects(remove(), missing);
  await assert.rejects(get(FunctionName), missing);
  assert.notEqual((await create(FunctionName)).FunctionUrl, FunctionUrl);
  await setting.lambda.send(new DeleteFunctionCommand({ FunctionName }));
  await setting.create("export const handler = async () => 2;", { FunctionName });
  await assert.rejects(get(FunctionName), missing);
});
