/** Resource policies as whole documents: PutResourcePolicy, GetResourcePolicy, DeleteResourcePolicy, and what they grant and deny. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  AddPermissionCommand,
  CreateAliasCommand,
  DeleteFunctionCommand,
  DeleteResourcePolicyCommand,
  GetPolicyCommand,
  GetResourcePolicyCommand,
  InvokeCommand,
  InvokeWithResponseStreamCommand,
  LambdaClient,
  PublishVersionCommand,
  PutResourcePolicyCommand,
  RemovePermissionCommand,
} from "@aws-sdk/client-lambda";
import { makeUser } from "../harness/principals.ts";
import type { ClientOptions } from "../harness/server.ts";
import { ACCOUNT, ECHO, startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";

let setting: Setting;
let name: string;
before(async () => {
  setting = await startSetting();
  name = await setting.create(ECHO);
  await setting.lambda.send(new PublishVersionCommand({ FunctionName: name }));
  await setting.lambda.send(
    new CreateAliasCommand({ FunctionName: name, Name: "live", FunctionVersion: "1" }),
  );
});
after(async () => setting?.server.stop());

const STALE = "00000000-0000-4000-8000-000000000000";
const arnOf = (qualifier?: string) =>
  `arn:aws:lambda:us-east-1:${ACCOUNT}:function:${name}${qualifier === undefined ? "" : `:${qualifier}`}`;
const allow = (Principal: unknown, more: object = {}) => ({
  Effect: "Allow",
  Principal,
  Action: "lambda:InvokeFunction",
  Resource: arnOf(),
  ...more,
});
const documentOf = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });
const put = (Policy: string, more: { ResourceArn?: string; RevisionId?: string } = {}) =>
  setting.lambda.send(new PutResourcePolicyCommand({ ResourceArn: arnOf(), Policy, ...more }));
const get = (ResourceArn = arnOf()) => setting.lambda.send(new GetResourcePolicyCommand({ ResourceArn }));
const remove = (more: { ResourceArn?: string; RevisionId?: string } = {}) =>
  setting.lambda.send(new DeleteResourcePolicyCommand({ ResourceArn: arnOf(), ...more }));
const call = async (options: ClientOptions, Qualifier?: string) => {
  const invoke = new InvokeCommand({
    FunctionName: name,
    InvocationType: "DryRun",
    ...(Qualifier && { Qualifier }),
  });
  return new LambdaClient(options).send(invoke).then(
    () => "allowed",
    (error: Error) => error.message.replace(/^.*on resource: \S+ /, ""),
  );
};
const root = () => setting.server.client();

test("PutResourcePolicy and AddPermission write one policy; GetResourcePolicy and GetPolicy read it", async () => {
  await assert.rejects(get(), {
    name: "ResourceNotFoundException",
    message: "No policy is associated with the given resource.",
  });
  const add = (StatementId: string) =>
    setting.lambda.send(
      new AddPermissionCommand({
        FunctionName: name,
        StatementId,
        Action: "lambda:InvokeFunction",
        Principal: "s3.amazonaws.com",
      }),
    );
  await add("replaced");
  const text = JSON.stringify({
    Version: "2012-10-17",
    Id: "mine",
    Statement: [
      allow({ Service: "sns.amazonaws.com" }, { Sid: "sns" }),
      allow({ AWS: "111122223333" }, { Action: ["lambda:InvokeFunction", "lambda:GetFunction"] }),
      allow({ AWS: "111122223333" }, { Effect: "Deny", Action: "lambda:*", Resource: [arnOf("*")] }),
    ],
  });
  const answer = await put(text);
  assert.equal(answer.Policy, text);
  assert.deepEqual([(await get()).Policy, (await get()).RevisionId], [text, answer.RevisionId]);
  await add("added");
  const { Policy = "" } = await setting.lambda.send(new GetPolicyCommand({ FunctionName: name }));
  const read = JSON.parse(Policy) as { Id: string; Statement: { Sid?: string }[] };
  assert.deepEqual(
    [read.Id, ...read.Statement.map((one) => one.Sid)],
    ["mine", "sns", undefined, undefined, "added"],
  );
  await setting.lambda.send(new RemovePermissionCommand({ FunctionName: name, StatementId: "sns" }));
  assert.doesNotMatch((await get()).Policy ?? "", /sns/);
  const alone = documentOf(allow("*"));
  await put(alone);
  assert.equal((await get()).Policy, alone);
  assert.equal((await remove()).$metadata.httpStatusCode, 204);
  for (const gone of [get(), remove()]) await assert.rejects(gone, { name: "ResourceNotFoundException" });
  await add("anew");
  assert.match((await get()).Policy ?? "", /"Id":"default"/);
  await remove();
});

test("versions and aliases have policies of their own; an alias's ends with it, a function's with the function", async () => {
  for (const qualifier of ["1", "live"]) {
    const ResourceArn = arnOf(qualifier);
    const text = documentOf(allow("*", { Resource: ResourceArn }));
    await put(text, { ResourceArn });
    assert.equal((await get(ResourceArn)).Policy, text);
    await remove({ ResourceArn });
  }
  await assert.rejects(get(), { name: "ResourceNotFoundException" });
  await assert.rejects(put(documentOf(allow("*")), { ResourceArn: arnOf("$LATEST") }), {
    name: "InvalidParameterValueException",
    message: "We currently do not support adding policies for $LATEST.",
  });
  for (const ResourceArn of [arnOf("9"), arnOf("nobody"), `${arnOf()}2`]) {
    const text = documentOf(allow("*", { Resource: ResourceArn }));
    await assert.rejects(put(text, { ResourceArn }), { name: "ResourceNotFoundException" });
    await assert.rejects(get(ResourceArn), { name: "ResourceNotFoundException" });
  }
  const short = await setting.create(ECHO, { FunctionName: "short-lived" });
  const ResourceArn = arnOf().replace(name, short);
  await put(documentOf(allow("*", { Resource: ResourceArn })), { ResourceArn });
  await setting.lambda.send(new DeleteFunctionCommand({ FunctionName: short }));
  await setting.create(ECHO, { FunctionName: short });
  await assert.rejects(get(ResourceArn), { name: "ResourceNotFoundException" });
});

test("PutResourcePolicy and DeleteResourcePolicy with an old RevisionId change nothing", async () => {
  const text = documentOf(allow("*"));
  const { RevisionId } = await put(text);
  await assert.rejects(put(documentOf(allow({ AWS: ACCOUNT })), { RevisionId: STALE }), {
    name: "PreconditionFailedException",
    message: /Call the GetResourcePolicy API/,
  });
  await assert.rejects(remove({ RevisionId: STALE }), { name: "PreconditionFailedException" });
  assert.deepEqual([(await get()).Policy, (await get()).RevisionId], [text, RevisionId]);
  const second = await put(text, { RevisionId: RevisionId ?? "" });
  assert.notEqual(second.RevisionId, RevisionId);
  await remove({ RevisionId: second.RevisionId ?? "" });
});

test("what is no policy, or one of something else, is refused and says why", async () => {
  for (const [policy, message] of [
    ["not json", /The policy is not valid: Syntax errors in policy/],
    [documentOf(), /Syntax errors in policy/],
    [documentOf({ ...allow("*"), Principal: undefined }), /Missing required field Principal/],
    [documentOf(allow({ AWS: "nobody" })), /Invalid principal in policy/],
    [documentOf(allow({ AWS: "arn:aws:iam::000000000000:user/ghost" })), /Invalid principal in policy/],
    [documentOf(allow("*", { Action: "s3:GetObject" })), /s3:GetObject is no action of Lambda/],
    [documentOf(allow("*", { Resource: `${arnOf()}2` })), /the resource \S+2 is not/],
    [documentOf(allow("*", { Sid: "a" }), allow("*", { Sid: "a" })), /must be unique/],
    [documentOf(allow("*", { Condition: { Odd: { a: "b" } } })), /Syntax errors/],
  ] as const)
    await assert.rejects(put(policy), { name: "InvalidParameterValueException", message });
  const long = documentOf(allow("*", { Sid: "x".repeat(20_480) }));
  await assert.rejects(put(long), { name: "ValidationException" });
  await assert.rejects(put(documentOf(allow("*")), { ResourceArn: name }), { name: "ValidationException" });
});

test("a document grants by conditions that AddPermission cannot say, and its Deny beats what callers' policies allow", async () => {
  const user = await makeUser(root(), "named");
  const free = await makeUser(root(), "free", { Action: "lambda:*" });
  const here = { IpAddress: { "aws:SourceIp": ["127.0.0.0/8", "::1/128"] } };
  await put(documentOf(allow({ AWS: user.arn }, { Condition: here })));
  assert.equal(await call(user.options), "allowed");
  assert.match(await call(user.options, "1"), /no identity-based policy/);
  await put(documentOf(allow({ AWS: user.arn }, { Condition: here, Resource: arnOf("*") })));
  assert.deepEqual([await call(user.options, "1"), await call(user.options, "live")], ["allowed", "allowed"]);
  await put(documentOf(allow({ AWS: user.arn }), allow("*", { Effect: "Deny", Condition: here })));
  for (const options of [user.options, free.options])
    assert.equal(await call(options), "with an explicit deny in a resource-based policy");
  assert.equal(await call(free.options, "1"), "allowed");
  await remove();
  assert.equal(await call(free.options), "allowed");
});

test("a Deny holds for root too, on every way in, and root can undo it", async () => {
  assert.equal((await setting.invoke(name)).error, undefined, "it is known, and goes the direct way");
  await put(documentOf(allow("*", { Effect: "Deny", Action: "lambda:*" })));
  const refused = {
    name: "AccessDeniedException",
    message: /explicit deny in a resource-based policy$/,
  };
  await assert.rejects(setting.invoke(name), refused);
  await assert.rejects(setting.invoke(name, {}, { InvocationType: "Event" }), refused);
  const stream = new InvokeWithResponseStreamCommand({ FunctionName: name });
  await assert.rejects(setting.lambda.send(stream), refused);
  assert.equal((await setting.invoke(`${name}:1`)).error, undefined);
  assert.match((await get()).Policy ?? "", /Deny/);
  await remove();
  assert.equal((await setting.invoke(name)).error, undefined);
});

test("another account's caller is let in by a document, and kept out by its Deny", async () => {
  const visitor = await makeUser(setting.server.client({ account: "111122223333" }), "visitor", {
    Action: "lambda:*",
  });
  const callArn = () =>
    new LambdaClient(visitor.options)
      .send(new InvokeCommand({ FunctionName: arnOf(), InvocationType: "DryRun" }))
      .then(
        () => "allowed",
        (error: Error) => error.name,
      );
  const open = allow({ AWS: "111122223333" });
  await put(documentOf(open));
  assert.equal(await callArn(), "allowed");
  await put(documentOf(open, allow({ AWS: visitor.arn }, { Effect: "Deny" })));
  assert.equal(await callArn(), "AccessDeniedException");
  await remove();
  assert.equal(await callArn(), "AccessDeniedException");
});
