/** Resource policies and tags. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  AddPermissionCommand,
  CreateAliasCommand,
  DeleteAliasCommand,
  GetFunctionCommand,
  GetPolicyCommand,
  ListTagsCommand,
  PublishVersionCommand,
  RemovePermissionCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from "@aws-sdk/client-lambda";
import type { AddPermissionCommandInput } from "@aws-sdk/client-lambda";
import { ACCOUNT, ECHO, startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";

let setting: Setting;
before(async () => {
  setting = await startSetting();
});
after(async () => setting?.server.stop());

const arnOf = (name: string) => `arn:aws:lambda:us-east-1:${ACCOUNT}:function:${name}`;

const add = (FunctionName: string, more: Partial<AddPermissionCommandInput> = {}) =>
  setting.lambda.send(
    new AddPermissionCommand({
      FunctionName,
      StatementId: "s3",
      Action: "lambda:InvokeFunction",
      Principal: "s3.amazonaws.com",
      ...more,
    }),
  );

const policy = async (FunctionName: string, Qualifier?: string) => {
  const answer = await setting.lambda.send(
    new GetPolicyCommand({ FunctionName, ...(Qualifier ? { Qualifier } : {}) }),
  );
  return { ...answer, document: JSON.parse(answer.Policy ?? "") as { Statement: { Sid: string }[] } };
};

test("AddPermission answers the statement, and GetPolicy the document", async () => {
  const name = await setting.create(ECHO);
  const answer = await add(name, { SourceArn: "arn:aws:s3:::bucket", SourceAccount: ACCOUNT });
  assert.equal(answer.$metadata.httpStatusCode, 201);
  const statement = {
    Sid: "s3",
    Effect: "Allow",
    Principal: { Service: "s3.amazonaws.com" },
    Action: "lambda:InvokeFunction",
    Resource: arnOf(name),
    Condition: {
      StringEquals: { "AWS:SourceAccount": ACCOUNT },
      ArnLike: { "AWS:SourceArn": "arn:aws:s3:::bucket" },
    },
  };
  assert.equal(answer.Statement, JSON.stringify(statement));
  await add(name, { StatementId: "account", Principal: "111122223333" });
  const read = await policy(name);
  assert.equal(
    read.Policy,
    JSON.stringify({
      Version: "2012-10-17",
      Id: "default",
      Statement: [
        statement,
        {
          Sid: "account",
          Effect: "Allow",
          Principal: { AWS: "arn:aws:iam::111122223333:root" },
          Action: "lambda:InvokeFunction",
          Resource: arnOf(name),
        },
      ],
    }),
  );
  const { Configuration } = await setting.lambda.send(new GetFunctionCommand({ FunctionName: name }));
  assert.equal(read.RevisionId, Configuration?.RevisionId);
});

test("AddPermission refuses a taken id, a bad principal, $LATEST, an old revision, and too long a policy", async () => {
  const name = await setting.create(ECHO);
  await add(name);
  await assert.rejects(add(name), {
    name: "ResourceConflictException",
    message: /^The statement id \(s3\) provided already exists\. Please provide a new statement id/,
  });
  for (const Principal of ["nobody", "arn:aws:iam::000000000000:role/ghost"])
    await assert.rejects(add(name, { StatementId: "x", Principal }), {
      name: "InvalidParameterValueException",
      message: "The provided principal was invalid. Please check the principal and try again.",
    });
  await assert.rejects(add(name, { StatementId: "x", Action: "s3:GetObject" }), {
    name: "ValidationException",
  });
  await assert.rejects(add(name, { StatementId: "x", Qualifier: "$LATEST" }), {
    name: "InvalidParameterValueException",
    message: "We currently do not support adding policies for $LATEST.",
  });
  await assert.rejects(add(name, { StatementId: "x", RevisionId: "00000000-0000-4000-8000-000000000000" }), {
    name: "PreconditionFailedException",
    message: /Call the GetPolicy API/,
  });
  await assert.rejects(add("nobody"), { name: "ResourceNotFoundException" });
  await assert.rejects(add(name, { Qualifier: "9" }), /Function not found: .*:9$/);
  const { RevisionId } = await policy(name);
  await add(name, { StatementId: "with-revision", RevisionId });
  let added = 0;
  await assert.rejects(
    async () => {
      for (; added < 200; added++)
        await add(name, {
          StatementId: `long-${added}`,
          SourceArn: `arn:aws:s3:::${"b".repeat(200)}-${added}`,
        });
    },
    { name: "PolicyLengthExceededException", message: /is bigger than the limit \(20480\)/ },
  );
  assert.equal((await policy(name)).document.Statement.length, added + 2);
});

test("policies of versions and aliases are their own", async () => {
  const name = await setting.create(ECHO);
  await setting.lambda.send(new PublishVersionCommand({ FunctionName: name }));
  await setting.lambda.send(
    new CreateAliasCommand({ FunctionName: name, Name: "live", FunctionVersion: "1" }),
  );
  await add(name, { StatementId: "whole" });
  await add(name, { StatementId: "version", Qualifier: "1" });
  await add(`${name}:live`, { StatementId: "alias" });
  for (const [qualifier, sid] of [
    [undefined, "whole"],
    ["1", "version"],
    ["live", "alias"],
  ] as const) {
    const { document } = await policy(name, qualifier);
    assert.deepEqual(
      document.Statement.map((one) => [one.Sid, (one as unknown as { Resource: string }).Resource]),
      [[sid, qualifier ? `${arnOf(name)}:${qualifier}` : arnOf(name)]],
    );
  }
  await setting.lambda.send(new DeleteAliasCommand({ FunctionName: name, Name: "live" }));
  await setting.lambda.send(
    new CreateAliasCommand({ FunctionName: name, Name: "live", FunctionVersion: "1" }),
  );
  await assert.rejects(policy(name, "live"), { name: "ResourceNotFoundException" });
});

test("RemovePermission removes one statement; the last takes the policy with it", async () => {
  const name = await setting.create(ECHO);
  const remove = (StatementId: string, more: object = {}) =>
    setting.lambda.send(new RemovePermissionCommand({ FunctionName: name, StatementId, ...more }));
  await assert.rejects(remove("s3"), {
    name: "ResourceNotFoundException",
    message: "No policy is associated with the given resource.",
  });
  await add(name);
  await add(name, { StatementId: "second" });
  await assert.rejects(remove("nobody"), { message: "Statement nobody is not found in resource policy." });
  await assert.rejects(remove("s3", { RevisionId: "00000000-0000-4000-8000-000000000000" }), {
    name: "PreconditionFailedException",
  });
  assert.equal((await remove("s3")).$metadata.httpStatusCode, 204);
  assert.deepEqual(
    (await policy(name)).document.Statement.map((one) => one.Sid),
    ["second"],
  );
  await remove("second");
  await assert.rejects(policy(name), {
    name: "ResourceNotFoundException",
    message: "The resource you requested does not exist.",
  });
});

test("TagResource, ListTags and UntagResource", async () => {
  const name = await setting.create(ECHO, { Tags: { a: "1" } });
  const Resource = arnOf(name);
  const tags = async () => (await setting.lambda.send(new ListTagsCommand({ Resource }))).Tags;
  const answer = await setting.lambda.send(
    new TagResourceCommand({ Resource, Tags: { a: "2", b: "x y+z" } }),
  );
  assert.equal(answer.$metadata.httpStatusCode, 204);
  assert.deepEqual(await tags(), { a: "2", b: "x y+z" });
  await setting.lambda.send(new UntagResourceCommand({ Resource, TagKeys: ["a", "nobody"] }));
  assert.deepEqual(await tags(), { b: "x y+z" });
  const many = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`k${at}`, "v"]));
  await assert.rejects(setting.lambda.send(new TagResourceCommand({ Resource, Tags: many })), /tag limit/);
  await assert.rejects(
    setting.lambda.send(new TagResourceCommand({ Resource, Tags: { "aws:x": "v" } })),
    /reserved/,
  );
  await assert.rejects(
    setting.lambda.send(new TagResourceCommand({ Resource: `${Resource}:1`, Tags: { a: "b" } })),
    {
      name: "InvalidParameterValueException",
      message: "Tags on function aliases and versions are not supported. Please specify a function ARN.",
    },
  );
  await assert.rejects(setting.lambda.send(new ListTagsCommand({ Resource: arnOf("nobody") })), {
    name: "ResourceNotFoundException",
  });
  const mapping = `arn:aws:lambda:us-east-1:${ACCOUNT}:event-source-mapping:00000000-0000-4000-8000-000000000000`;
  await assert.rejects(setting.lambda.send(new ListTagsCommand({ Resource: mapping })), {
    name: "ResourceNotFoundException",
  });
  const provider = `arn:aws:lambda:us-east-1:${ACCOUNT}:capacity-provider:p`;
  await assert.rejects(setting.lambda.send(new ListTagsCommand({ Resource: provider })), {
    name: "NotImplemented",
  });
});
