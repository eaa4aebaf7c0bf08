/** Lambda and policies: functions by name and qualifier, PassRole, functions' own policies, and what a role lets a function do. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { IAMClient, PutRolePolicyCommand, PutUserPermissionsBoundaryCommand } from "@aws-sdk/client-iam";
import {
  AddPermissionCommand,
  CreateFunctionCommand,
  GetFunctionCommand,
  InvokeCommand,
  LambdaClient,
  PublishVersionCommand,
  RemovePermissionCommand,
  TagResourceCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { deployFunction, makeRole } from "../harness/functions.ts";
import { assumeNewRole, makeUser, policyOf } from "../harness/principals.ts";
import { startServer } from "../harness/server.ts";
import type { ClientOptions, TestServer } from "../harness/server.ts";
import { zipOf } from "../harness/zip.ts";

let server: TestServer;
let root: ClientOptions;
let owner: LambdaClient;
before(async () => {
  server = await startServer();
  root = server.client();
  owner = await deployFunction(root, "target", { "index.mjs": "export const handler = async () => 'done';" });
  await owner.send(new PublishVersionCommand({ FunctionName: "target" }));
});
after(() => server.stop());

const ARN = "arn:aws:lambda:us-east-1:000000000000:function:target";

async function refusal(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    const { name, message } = error as Error;
    assert.equal(name, "AccessDeniedException", message);
    return message;
  }
}
const invoke = (options: ClientOptions, Qualifier?: string) =>
  refusal(
    new LambdaClient(options).send(
      new InvokeCommand({
        FunctionName: "target",
        InvocationType: "DryRun",
        ...(Qualifier && { Qualifier }),
      }),
    ),
  );

test("Invoke asks for lambda:InvokeFunction on the function, qualified as it is called", async () => {
  const user = await makeUser(root, "invoker", { Action: "lambda:InvokeFunction", Resource: ARN });
  assert.equal(await invoke(user.options), undefined);
  assert.equal(
    await invoke(user.options, "1"),
    `User: ${user.arn} is not authorized to perform: lambda:InvokeFunction on resource: ${ARN}:1 because no identity-based policy allows the lambda:InvokeFunction action`,
  );
  await user.may({ Action: "lambda:InvokeFunction", Resource: `${ARN}:1` });
  assert.equal(await invoke(user.options, "1"), undefined);
  assert.match((await invoke(user.options)) ?? "", /on resource: \S+:function:target because/);
  const tag = new TagResourceCommand({ Resource: ARN.replace("arn:aws:", "arn:aws-odd:"), Tags: { a: "b" } });
  assert.match(
    (await refusal(new LambdaClient(user.options).send(tag))) ?? "",
    new RegExp(`on resource: ${ARN} because`),
  );
  const get = new LambdaClient(user.options).send(new GetFunctionCommand({ FunctionName: "target" }));
  assert.match((await refusal(get)) ?? "", /lambda:GetFunction on resource/);
});

test("AddPermission lets a user or role of the account invoke, unless a policy of theirs denies it", async () => {
  const user = await makeUser(root, "guest");
  const permit = (StatementId: string, Principal: string) =>
    owner.send(
      new AddPermissionCommand({
        FunctionName: "target",
        StatementId,
        Action: "lambda:InvokeFunction",
        Principal,
      }),
    );
  await permit("account", "000000000000");
  assert.match(
    (await invoke(user.options)) ?? "",
    /no identity-based policy/,
    "the account alone gives nothing",
  );
  await permit("guest", user.arn);
  assert.equal(await invoke(user.options), undefined);
  const boundary = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
  const iam = new IAMClient(root);
  await iam.send(new PutUserPermissionsBoundaryCommand({ UserName: "guest", PermissionsBoundary: boundary }));
  assert.equal(await invoke(user.options), undefined, "boundaries do not limit what names the user");
  await user.may({ Effect: "Deny", Action: "lambda:*" });
  assert.match((await invoke(user.options)) ?? "", /with an explicit deny in an identity-based policy$/);
  await owner.send(new RemovePermissionCommand({ FunctionName: "target", StatementId: "guest" }));

  const nothing = [{ Action: "s3:ListAllMyBuckets" }];
  const role = await assumeNewRole(root, "guest-role", nothing);
  const confined = await assumeNewRole(root, "confined-role", nothing, policyOf({ Action: "s3:*" }));
  for (const name of ["guest-role", "confined-role"])
    await permit(name, `arn:aws:iam::000000000000:role/${name}`);
  assert.equal(await invoke(role), undefined);
  assert.match(
    (await invoke(confined)) ?? "",
    /no identity-based policy/,
    "session policies limit what names the role",
  );
});

test("Invoke of another account's function needs both: the caller's policies and the function's", async () => {
  const user = await makeUser(server.client({ account: "111122223333" }), "visitor");
  const call = () =>
    refusal(
      new LambdaClient(user.options).send(new InvokeCommand({ FunctionName: ARN, InvocationType: "DryRun" })),
    );
  await owner.send(
    new AddPermissionCommand({
      FunctionName: "target",
      StatementId: "visitor",
      Action: "lambda:InvokeFunction",
      Principal: user.arn,
    }),
  );
  assert.match((await call()) ?? "", /no identity-based policy/);
  await user.may({ Action: "lambda:InvokeFunction", Resource: ARN });
  assert.equal(await call(), undefined);
  await owner.send(new RemovePermissionCommand({ FunctionName: "target", StatementId: "visitor" }));
  assert.match((await call()) ?? "", /no resource-based policy/);
});

test("CreateFunction and UpdateFunctionConfiguration need iam:PassRole, and code in S3 the right to read it", async () => {
  const Role = await makeRole(root, "passed");
  const lambda = { Action: ["lambda:CreateFunction", "lambda:UpdateFunctionConfiguration"] };
  const user = await makeUser(root, "deployer", lambda);
  const client = new LambdaClient(user.options);
  const zip = await zipOf({ "index.mjs": "export const handler = async () => 1;" });
  const base = { Role, Runtime: "nodejs24.x", Handler: "index.handler" } as const;
  const create = (FunctionName: string) =>
    refusal(client.send(new CreateFunctionCommand({ ...base, FunctionName, Code: { ZipFile: zip } })));
  const pass = `User: ${user.arn} is not authorized to perform: iam:PassRole on resource: ${Role} because no identity-based policy allows the iam:PassRole action`;
  assert.equal(await create("passing"), pass);
  const passTo = (service: string) => ({
    Action: "iam:PassRole",
    Resource: Role,
    Condition: { StringEquals: { "iam:PassedToService": service } },
  });
  await user.may(lambda, passTo("ec2.amazonaws.com"));
  assert.equal(await create("passing"), pass);
  await user.may(lambda, passTo("lambda.amazonaws.com"));
  assert.equal(await create("passing"), undefined);
  await waitUntilFunctionUpdatedV2(
    { client: owner, maxWaitTime: 60, minDelay: 0.05, maxDelay: 1 },
    { FunctionName: "passing" },
  );
  const other = await makeRole(root, "not-passed");
  const update = (settings: { Role?: string; Timeout?: number }) =>
    refusal(client.send(new UpdateFunctionConfigurationCommand({ FunctionName: "passing", ...settings })));
  assert.match((await update({ Role: other })) ?? "", /iam:PassRole on resource: \S+role\/not-passed/);
  assert.equal(await update({ Timeout: 5 }), undefined);

  const s3 = new S3Client(root);
  await s3.send(new CreateBucketCommand({ Bucket: "code" }));
  await s3.send(new PutObjectCommand({ Bucket: "code", Key: "a.zip", Body: zip }));
  const Code = { S3Bucket: "code", S3Key: "a.zip" };
  const fromBucket = () =>
    refusal(client.send(new CreateFunctionCommand({ ...base, FunctionName: "from-bucket", Code })));
  assert.match((await fromBucket()) ?? "", /^Your access has been denied by S3.*GetObject for code\/a\.zip/);
  await user.may(lambda, passTo("lambda.amazonaws.com"), {
    Action: "s3:GetObject",
    Resource: "arn:aws:s3:::code/*",
  });
  assert.equal(await fromBucket(), undefined);
});

test("a function may do what its role may, from the moment the role may", async () => {
  const s3 = new S3Client(root);
  await s3.send(new CreateBucketCommand({ Bucket: "inside" }));
  await s3.send(new PutObjectCommand({ Bucket: "inside", Key: "a", Body: "content" }));
  const code = `import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
    const s3 = new S3Client({ forcePathStyle: true });
    export const handler = async () => {
      try {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: "inside", Key: "a" }));
        return await Body.transformToString();
      } catch (error) {
        return [error.name, error.message];
      }
    };`;
  await deployFunction(
    root,
    "reader",
    { "index.mjs": code },
    { Role: await makeRole(root, "reader-role"), Timeout: 30, MemorySize: 512 },
  );
  const run = async (): Promise<unknown> => {
    const { Payload } = await owner.send(new InvokeCommand({ FunctionName: "reader" }));
    return JSON.parse(Buffer.from(Payload ?? []).toString());
  };
  assert.deepEqual(await run(), [
    "AccessDenied",
    "User: arn:aws:sts::000000000000:assumed-role/reader-role/reader is not authorized to perform: s3:GetObject on resource: " +
      '"arn:aws:s3:::inside/a" because no identity-based policy allows the s3:GetObject action',
  ]);
  await new IAMClient(root).send(
    new PutRolePolicyCommand({
      RoleName: "reader-role",
      PolicyName: "read",
      PolicyDocument: policyOf({ Action: "s3:GetObject", Resource: "arn:aws:s3:::inside/*" }),
    }),
  );
  assert.equal(await run(), "content", "the same environment, the same credentials");
});
