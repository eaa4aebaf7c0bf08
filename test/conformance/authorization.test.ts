/** Each request is held against the caller's policies, in both modes of authentication; refusals are the services' own. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CreateLogGroupCommand,
  CloudWatchLogsClient,
  DescribeLogGroupsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { DynamoDBClient, ListTablesCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import {
  AttachUserPolicyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  GetUserCommand,
  IAMClient,
  ListPoliciesCommand,
  ListUsersCommand,
  PutUserPermissionsBoundaryCommand,
  SetDefaultPolicyVersionCommand,
  CreatePolicyVersionCommand,
} from "@aws-sdk/client-iam";
import { GetAccountSettingsCommand, InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { ListBucketsCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import {
  AssumeRoleCommand,
  GetAccessKeyInfoCommand,
  GetCallerIdentityCommand,
  GetSessionTokenCommand,
  STSClient,
} from "@aws-sdk/client-sts";
import { start } from "../../src/index.ts";
import type { Running } from "../../src/index.ts";
import { assumeNewRole, makeUser, policyOf } from "../harness/principals.ts";
import { rootOptions, startServer } from "../harness/server.ts";
import type { ClientOptions, TestServer } from "../harness/server.ts";

let open: TestServer;
let closed: Running;
let roots: readonly ClientOptions[];

before(async () => {
  open = await startServer();
  closed = await start({ auth: "on" });
  roots = [open.client(), await rootOptions(closed)];
});
after(async () => {
  await open.stop();
  await closed.stop();
});

interface Refusal extends Error {
  readonly $metadata: { readonly httpStatusCode: number };
}

/** The refusal's code, status and text; `undefined` when nothing refused. */
async function refusal(work: Promise<unknown>): Promise<readonly [string, number, string] | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    const { name, message, $metadata } = error as Refusal;
    return [name, $metadata.httpStatusCode, message];
  }
}

const ACCOUNT = "arn:aws:iam::000000000000";

test("a user without policies is refused in each service's own code and words, with authentication on and off", async () => {
  for (const root of roots) {
    const { options, arn } = await makeUser(root, "nobody");
    const may = (action: string, resource: string) =>
      `User: ${arn} is not authorized to perform: ${action}${resource} because no identity-based policy allows the ${action} action`;
    const logs = "arn:aws:logs:us-east-1:000000000000:log-group";
    const cases = [
      [
        () => new S3Client(options).send(new ListBucketsCommand({})),
        "AccessDenied",
        403,
        may("s3:ListAllMyBuckets", ""),
      ],
      [
        () => new S3Client(options).send(new ListObjectsV2Command({ Bucket: "any-bucket" })),
        "AccessDenied",
        403,
        may("s3:ListBucket", ' on resource: "arn:aws:s3:::any-bucket"'),
      ],
      [
        () => new LambdaClient(options).send(new InvokeCommand({ FunctionName: "any", Qualifier: "live" })),
        "AccessDeniedException",
        403,
        may("lambda:InvokeFunction", " on resource: arn:aws:lambda:us-east-1:000000000000:function:any:live"),
      ],
      [
        () => new LambdaClient(options).send(new GetAccountSettingsCommand({})),
        "AccessDeniedException",
        403,
        may("lambda:GetAccountSettings", " on resource: *"),
      ],
      [
        () =>
          new DynamoDBClient(options).send(
            new PutItemCommand({ TableName: "Any", Item: { id: { S: "1" } } }),
          ),
        "AccessDeniedException",
        400,
        may("dynamodb:PutItem", " on resource: arn:aws:dynamodb:us-east-1:000000000000:table/Any"),
      ],
      [
        () => new IAMClient(options).send(new ListUsersCommand({})),
        "AccessDenied",
        403,
        may("iam:ListUsers", ` on resource: ${ACCOUNT}:user/`),
      ],
      [
        () => new IAMClient(options).send(new ListPoliciesCommand({})),
        "AccessDenied",
        403,
        may("iam:ListPolicies", " on resource: policy path /"),
      ],
      [
        () =>
          new STSClient(options).send(new GetAccessKeyInfoCommand({ AccessKeyId: "AKIAIOSFODNN7EXAMPLE" })),
        "AccessDenied",
        403,
        may("sts:GetAccessKeyInfo", " on resource: *"),
      ],
      [
        () => new CloudWatchLogsClient(options).send(new DescribeLogGroupsCommand({})),
        "AccessDeniedException",
        400,
        may("logs:DescribeLogGroups", ` on resource: ${logs}::log-stream:`),
      ],
      [
        () => new CloudWatchLogsClient(options).send(new CreateLogGroupCommand({ logGroupName: "/a/b" })),
        "AccessDeniedException",
        400,
        may("logs:CreateLogGroup", ` on resource: ${logs}:/a/b:log-stream:`),
      ],
    ] as const;
    for (const [work, ...expected] of cases) assert.deepEqual(await refusal(work()), expected);
  }
});

test("GetCallerIdentity and GetSessionToken need no permission; the session may do what its user may", async () => {
  const user = await makeUser(open.client(), "self-knowing");
  const sts = new STSClient(user.options);
  assert.equal((await sts.send(new GetCallerIdentityCommand({}))).Arn, user.arn);
  const { Credentials } = await sts.send(new GetSessionTokenCommand({}));
  const session = {
    ...user.options,
    credentials: {
      accessKeyId: Credentials?.AccessKeyId ?? "",
      secretAccessKey: Credentials?.SecretAccessKey ?? "",
      sessionToken: Credentials?.SessionToken ?? "",
    },
  };
  const list = () => refusal(new DynamoDBClient(session).send(new ListTablesCommand({})));
  assert.equal((await list())?.[0], "AccessDeniedException");
  await user.may({ Action: "dynamodb:ListTables" });
  assert.equal(await list(), undefined);
});

test("root may do everything, and so may an unknown key where nothing is verified", async () => {
  for (const root of roots) await new S3Client(root).send(new ListBucketsCommand({}));
  const stranger = { ...open.client(), credentials: { accessKeyId: "whoever", secretAccessKey: "x" } };
  await new S3Client(stranger).send(new ListBucketsCommand({}));
});

test("an explicit deny wins, and says so", async () => {
  for (const root of roots) {
    const user = await makeUser(
      root,
      "restrained",
      { Action: "*" },
      { Effect: "Deny", Action: "iam:*", Resource: `${ACCOUNT}:user/staff/*` },
    );
    const iam = new IAMClient(user.options);
    await iam.send(new ListUsersCommand({}));
    await makeUser(root, "plain");
    await iam.send(new GetUserCommand({ UserName: "plain" }));
    assert.deepEqual(await refusal(iam.send(new ListUsersCommand({ PathPrefix: "/staff/" }))), [
      "AccessDenied",
      403,
      `User: ${user.arn} is not authorized to perform: iam:ListUsers on resource: ${ACCOUNT}:user/staff/ with an explicit deny in an identity-based policy`,
    ]);
  }
});

test("what IAM is told holds for the next request, in every kind of policy", async () => {
  const root = open.client();
  const iam = new IAMClient(root);
  const user = await makeUser(root, "changing");
  const list = async () =>
    (await refusal(new DynamoDBClient(user.options).send(new ListTablesCommand({}))))?.[2];
  const lacking = /because no identity-based policy allows the dynamodb:ListTables action$/;
  assert.match((await list()) ?? "", lacking);
  const { Policy } = await iam.send(
    new CreatePolicyCommand({
      PolicyName: "listing",
      PolicyDocument: policyOf({ Action: "dynamodb:List*" }),
    }),
  );
  const PolicyArn = Policy?.Arn ?? "";
  await iam.send(new AttachUserPolicyCommand({ UserName: "changing", PolicyArn }));
  assert.equal(await list(), undefined);
  await iam.send(
    new CreatePolicyVersionCommand({
      PolicyArn,
      PolicyDocument: policyOf({ Action: "s3:*" }),
      SetAsDefault: true,
    }),
  );
  assert.match((await list()) ?? "", lacking);
  await iam.send(new SetDefaultPolicyVersionCommand({ PolicyArn, VersionId: "v1" }));
  assert.equal(await list(), undefined);
  await iam.send(
    new PutUserPermissionsBoundaryCommand({
      UserName: "changing",
      PermissionsBoundary: "arn:aws:iam::aws:policy/AmazonS3FullAccess",
    }),
  );
  assert.match(
    (await list()) ?? "",
    /because no permissions boundary allows the dynamodb:ListTables action$/,
  );
});

test("a role's session is held to the role's policies and to its own", async () => {
  for (const root of roots) {
    const everything = [{ Action: "*" }];
    const whole = await assumeNewRole(root, "whole", everything);
    await new DynamoDBClient(whole).send(new ListTablesCommand({}));
    const part = await assumeNewRole(root, "part", everything, policyOf({ Action: "s3:*" }));
    await new S3Client(part).send(new ListBucketsCommand({}));
    assert.deepEqual(await refusal(new DynamoDBClient(part).send(new ListTablesCommand({}))), [
      "AccessDeniedException",
      400,
      "User: arn:aws:sts::000000000000:assumed-role/part/session is not authorized to perform: dynamodb:ListTables on resource: " +
        "arn:aws:dynamodb:us-east-1:000000000000:table/* because no session policy allows the dynamodb:ListTables action",
    ]);
  }
});

test("AssumeRole within an account is decided by the trust policy where it names the user", async () => {
  const root = open.client();
  const user = await makeUser(root, "trusted");
  const trust = { Effect: "Allow", Principal: { AWS: user.arn }, Action: "sts:AssumeRole" };
  const { Role } = await new IAMClient(root).send(
    new CreateRoleCommand({
      RoleName: "trusting",
      AssumeRolePolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: [trust] }),
    }),
  );
  const assume = () =>
    refusal(
      new STSClient(user.options).send(new AssumeRoleCommand({ RoleArn: Role?.Arn, RoleSessionName: "me" })),
    );
  assert.equal(await assume(), undefined);
  await user.may({ Effect: "Deny", Action: "sts:AssumeRole" });
  assert.equal((await assume())?.[0], "AccessDenied");
});

test("conditions know who calls, from where, when, and in which region", async () => {
  const user = await makeUser(open.client(), "conditional");
  const list = async (Condition: object, region = "us-east-1") => {
    await user.may({ Action: "dynamodb:ListTables", Condition });
    const client = new DynamoDBClient({ ...user.options, region });
    return (await refusal(client.send(new ListTablesCommand({})))) === undefined;
  };
  const holds = [
    { StringEquals: { "aws:username": "conditional", "aws:PrincipalAccount": "000000000000" } },
    { ArnEquals: { "aws:PrincipalArn": user.arn } },
    { StringLike: { "aws:userid": "AIDA*", "aws:UserAgent": "aws-sdk-js/*" } },
    { IpAddress: { "aws:SourceIp": ["127.0.0.0/8", "::1/128"] } },
    { DateGreaterThan: { "aws:CurrentTime": "2020-01-01T00:00:00Z" } },
    { NumericGreaterThan: { "aws:EpochTime": "1600000000" } },
    { StringEquals: { "aws:RequestedRegion": "us-east-1" } },
    { Bool: { "aws:SecureTransport": "false" } },
    { StringEquals: { "aws:ResourceAccount": "000000000000" } },
  ];
  const fails = [
    { StringEquals: { "aws:username": "other" } },
    { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } },
    { DateLessThan: { "aws:CurrentTime": "2020-01-01T00:00:00Z" } },
    { StringEquals: { "aws:RequestedRegion": "eu-west-1" } },
    { Bool: { "aws:SecureTransport": "true" } },
  ];
  for (const one of holds) assert.equal(await list(one), true, JSON.stringify(one));
  for (const one of fails) assert.equal(await list(one), false, JSON.stringify(one));
  assert.equal(await list({ StringEquals: { "aws:RequestedRegion": "eu-west-1" } }, "eu-west-1"), true);
});

test("a condition on a key that is not told never widens what is allowed", async () => {
  const user = await makeUser(open.client(), "tagged-only");
  const list = async (Effect: "Allow" | "Deny", Condition: object) => {
    await user.may(
      { Action: "dynamodb:ListTables", Effect, Condition },
      ...(Effect === "Deny" ? [{ Action: "*" }] : []),
    );
    return (await refusal(new DynamoDBClient(user.options).send(new ListTablesCommand({})))) === undefined;
  };
  const absent = { "ForAllValues:StringEquals": { "aws:ResourceTag/team": "blue" } };
  assert.equal(await list("Allow", absent), false);
  assert.equal(await list("Allow", { StringNotEquals: { "aws:ResourceTag/team": "red" } }), false);
  assert.equal(await list("Deny", { StringEquals: { "aws:ResourceTag/team": "red" } }), false);
});
