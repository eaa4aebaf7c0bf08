/** IAM managed policies: the account's own with their versions, and AWS's. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateRoleCommand,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  DetachRolePolicyCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  IAMClient,
  ListPoliciesCommand,
  ListPolicyTagsCommand,
  ListPolicyVersionsCommand,
  SetDefaultPolicyVersionCommand,
  TagPolicyCommand,
  UntagPolicyCommand,
} from "@aws-sdk/client-iam";
import { startServer } from "../harness/server.ts";
import type { TestServer } from "../harness/server.ts";

let server: TestServer;
let iam: IAMClient;
before(async () => {
  server = await startServer();
  iam = new IAMClient(server.client());
});
after(async () => {
  iam.destroy();
  await server.stop();
});

const allow = (action: string) =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: action, Resource: "*" }] });
const fails = (work: Promise<unknown>, name: string, message: string | RegExp) =>
  assert.rejects(work, { name, message });
async function makePolicy(PolicyName: string, more: object = {}): Promise<string> {
  const made = await iam.send(
    new CreatePolicyCommand({ PolicyName, PolicyDocument: allow("s3:GetObject"), ...more }),
  );
  return made.Policy?.Arn ?? "";
}

test("CreatePolicy answers the policy, and GetPolicy the same again", async () => {
  const arn = await makePolicy("reader", {
    Path: "/team/",
    Description: "reads",
    Tags: [{ Key: "a", Value: "b" }],
  });
  assert.equal(arn, "arn:aws:iam::000000000000:policy/team/reader");
  const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn: arn }));
  assert.match(Policy?.PolicyId ?? "", /^ANPA[A-Z2-7]{17}$/);
  assert.equal(Policy?.DefaultVersionId, "v1");
  assert.equal(Policy?.Description, "reads");
  assert.equal(Policy?.AttachmentCount, 0);
  assert.deepEqual(Policy?.Tags, [{ Key: "a", Value: "b" }]);
  await fails(
    makePolicy("Reader"),
    "EntityAlreadyExistsException",
    "A policy called Reader already exists. Duplicate names are not allowed.",
  );
});

test("CreatePolicy refuses malformed and oversized documents", async () => {
  await fails(
    makePolicy("bad", { PolicyDocument: "nonsense" }),
    "MalformedPolicyDocumentException",
    "Syntax errors in policy.",
  );
  await fails(
    makePolicy("long", { PolicyDocument: allow(`s3:${"x".repeat(6_144)}`) }),
    "LimitExceededException",
    "Cannot exceed quota for PolicySize: 6144",
  );
});

test("CreatePolicyVersion, ListPolicyVersions, SetDefaultPolicyVersion, DeletePolicyVersion, GetPolicyVersion", async () => {
  const PolicyArn = await makePolicy("versioned");
  for (let n = 2; n <= 5; n++)
    await iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: allow(`s3:Put${n}`) }));
  await fails(
    iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: allow("s3:x") })),
    "LimitExceededException",
    /^A managed policy can have up to 5 versions\./,
  );
  await iam.send(new SetDefaultPolicyVersionCommand({ PolicyArn, VersionId: "v3" }));
  const { Versions } = await iam.send(new ListPolicyVersionsCommand({ PolicyArn }));
  assert.deepEqual(
    Versions?.map((version) => [version.VersionId, version.IsDefaultVersion]),
    [
      ["v5", false],
      ["v4", false],
      ["v3", true],
      ["v2", false],
      ["v1", false],
    ],
  );
  await fails(
    iam.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId: "v3" })),
    "DeleteConflictException",
    "Cannot delete the default version of a policy.",
  );
  await iam.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId: "v5" }));
  const made = await iam.send(
    new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: allow("s3:Six"), SetAsDefault: true }),
  );
  assert.equal(made.PolicyVersion?.VersionId, "v6");
  const got = await iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId: "v6" }));
  assert.equal(decodeURIComponent(got.PolicyVersion?.Document ?? ""), allow("s3:Six"));
  await fails(
    iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId: "v5" })),
    "NoSuchEntityException",
    `Policy ${PolicyArn} version v5 does not exist or is not attachable.`,
  );
});

test("DeletePolicy wants attachments and other versions gone first", async () => {
  const PolicyArn = await makePolicy("ending");
  await iam.send(
    new CreateRoleCommand({
      RoleName: "user-of-it",
      AssumeRolePolicyDocument: JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" },
        ],
      }),
    }),
  );
  await iam.send(new AttachRolePolicyCommand({ RoleName: "user-of-it", PolicyArn }));
  const remove = () => iam.send(new DeletePolicyCommand({ PolicyArn }));
  await fails(remove(), "DeleteConflictException", "Cannot delete a policy attached to entities.");
  await iam.send(new DetachRolePolicyCommand({ RoleName: "user-of-it", PolicyArn }));
  await iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: allow("s3:x") }));
  await fails(remove(), "DeleteConflictException", /^This policy has more than one version\./);
  await iam.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId: "v2" }));
  await remove();
  await fails(remove(), "NoSuchEntityException", `Policy ${PolicyArn} was not found.`);
});

test("GetPolicyVersion answers AWS's own documents", async () => {
  const PolicyArn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
  const { PolicyVersion } = await iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId: "v1" }));
  assert.deepEqual(JSON.parse(decodeURIComponent(PolicyVersion?.Document ?? "")), {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
        Resource: "*",
      },
    ],
  });
  await fails(
    iam.send(new DeletePolicyCommand({ PolicyArn })),
    "NoSuchEntityException",
    `Policy ${PolicyArn} was not found.`,
  );
});

test("ListPolicies keeps to a scope, to attached ones, and to a path", async () => {
  await makePolicy("local-one", { Path: "/local/" });
  const local = await iam.send(new ListPoliciesCommand({ Scope: "Local", PathPrefix: "/local/" }));
  assert.deepEqual(
    local.Policies?.map((policy) => policy.PolicyName),
    ["local-one"],
  );
  const aws = await iam.send(new ListPoliciesCommand({ Scope: "AWS", MaxItems: 1_000 }));
  const names = aws.Policies?.map((policy) => policy.PolicyName) ?? [];
  for (const name of ["AdministratorAccess", "AWSLambdaSQSQueueExecutionRole", "AmazonS3FullAccess"])
    assert.ok(names.includes(name), name);
  const attached = await iam.send(new ListPoliciesCommand({ Scope: "Local", OnlyAttached: true }));
  assert.deepEqual(attached.Policies, []);
});

test("TagPolicy, UntagPolicy and ListPolicyTags", async () => {
  const PolicyArn = await makePolicy("tagged");
  await iam.send(new TagPolicyCommand({ PolicyArn, Tags: [{ Key: "k", Value: "v" }] }));
  assert.deepEqual((await iam.send(new ListPolicyTagsCommand({ PolicyArn }))).Tags, [
    { Key: "k", Value: "v" },
  ]);
  await iam.send(new UntagPolicyCommand({ PolicyArn, TagKeys: ["k"] }));
  assert.deepEqual((await iam.send(new ListPolicyTagsCommand({ PolicyArn }))).Tags, []);
});
