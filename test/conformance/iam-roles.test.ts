/** IAM roles: their life, trust policies, inline and attached policies, boundaries and tags. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePermissionsBoundaryCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  IAMClient,
  ListAttachedRolePoliciesCommand,
  ListEntitiesForPolicyCommand,
  ListInstanceProfilesForRoleCommand,
  ListRolePoliciesCommand,
  ListRolesCommand,
  ListRoleTagsCommand,
  paginateListRoles,
  PutRolePermissionsBoundaryCommand,
  PutRolePolicyCommand,
  TagRoleCommand,
  UntagRoleCommand,
  UpdateAssumeRolePolicyCommand,
  UpdateRoleCommand,
  UpdateRoleDescriptionCommand,
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

const TRUST = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
});
const LOGS = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "logs:*", Resource: "*" }],
});
const BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";

const makeRole = (RoleName: string, more: object = {}) =>
  iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: TRUST, ...more }));
const fails = (work: Promise<unknown>, name: string, message: string | RegExp) =>
  assert.rejects(work, { name, message });

test("CreateRole answers the role, and GetRole the same again", async () => {
  const { Role } = await makeRole("maker", {
    Path: "/team/",
    Description: "makes",
    MaxSessionDuration: 7_200,
    Tags: [{ Key: "stage", Value: "dev" }],
  });
  assert.equal(Role?.Arn, "arn:aws:iam::000000000000:role/team/maker");
  assert.match(Role?.RoleId ?? "", /^AROA[A-Z2-7]{17}$/);
  assert.ok(Math.abs(Date.now() - (Role?.CreateDate?.getTime() ?? 0)) < 60_000);
  const got = await iam.send(new GetRoleCommand({ RoleName: "maker" }));
  assert.equal(decodeURIComponent(got.Role?.AssumeRolePolicyDocument ?? ""), TRUST);
  assert.equal(got.Role?.Description, "makes");
  assert.equal(got.Role?.MaxSessionDuration, 7_200);
  assert.deepEqual(got.Role?.Tags, [{ Key: "stage", Value: "dev" }]);
});

test("CreateRole refuses a name that is taken, in any case", async () => {
  await makeRole("taken");
  await fails(makeRole("taken"), "EntityAlreadyExistsException", "Role with name taken already exists.");
  await fails(makeRole("TAKEN"), "EntityAlreadyExistsException", "Role with name TAKEN already exists.");
});

test("CreateRole refuses what is no trust policy, in AWS's words", async () => {
  const statement = {
    Effect: "Allow",
    Principal: { Service: "lambda.amazonaws.com" },
    Action: "sts:AssumeRole",
  };
  const cases: [document: string | object, message: string][] = [
    ["{", "This policy contains invalid Json"],
    [{ ...statement, Resource: "*" }, "Has prohibited field Resource"],
    [{ Effect: "Allow", Action: "sts:AssumeRole" }, "Missing required field Principal"],
    [{ Effect: "Allow", Principal: "*" }, "Missing required field Action"],
    [{ ...statement, Action: "s3:GetObject" }, "AssumeRole policy may only specify STS AssumeRole actions."],
    [{ ...statement, Principal: { AWS: "nobody" } }, 'Invalid principal in policy: "AWS":"nobody"'],
    [
      { ...statement, Principal: { AWS: "arn:aws:iam::000000000000:role/ghost" } },
      'Invalid principal in policy: "AWS":"arn:aws:iam::000000000000:role/ghost"',
    ],
    [{ ...statement, Effect: "Maybe" }, "Syntax errors in policy."],
  ];
  for (const [document, message] of cases) {
    const text =
      typeof document === "string"
        ? document
        : JSON.stringify({ Version: "2012-10-17", Statement: document });
    await fails(
      makeRole("bad", { AssumeRolePolicyDocument: text }),
      "MalformedPolicyDocumentException",
      message,
    );
  }
  await fails(
    makeRole("bad", { AssumeRolePolicyDocument: TRUST.replace("{", `{${" ".repeat(2_100)}`) }),
    "LimitExceededException",
    "Cannot exceed quota for ACLSizePerRole: 2048",
  );
});

test("CreateRole keeps accounts apart", async () => {
  await makeRole("mine");
  const other = new IAMClient(server.client({ account: "111122223333" }));
  await fails(
    other.send(new GetRoleCommand({ RoleName: "mine" })),
    "NoSuchEntityException",
    "The role with name mine cannot be found.",
  );
  other.destroy();
});

test("ListRoles pages through roles and keeps to a path", async () => {
  for (const name of ["p1", "p2", "p3"]) await makeRole(name, { Path: "/paged/" });
  const names: (string | undefined)[] = [];
  let pages = 0;
  for await (const page of paginateListRoles({ client: iam, pageSize: 2 }, { PathPrefix: "/paged/" })) {
    pages++;
    names.push(...(page.Roles ?? []).map((role) => role.RoleName));
  }
  assert.deepEqual([names, pages], [["p1", "p2", "p3"], 2]);
  await fails(iam.send(new ListRolesCommand({ Marker: "nonsense" })), "ValidationError", "Invalid Marker.");
});

test("UpdateRole, UpdateRoleDescription and UpdateAssumeRolePolicy change a role", async () => {
  await makeRole("changing");
  await iam.send(
    new UpdateRoleCommand({ RoleName: "changing", Description: "a", MaxSessionDuration: 43_200 }),
  );
  const described = await iam.send(
    new UpdateRoleDescriptionCommand({ RoleName: "changing", Description: "b" }),
  );
  assert.equal(described.Role?.Description, "b");
  const trust = TRUST.replace("lambda", "events");
  await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: "changing", PolicyDocument: trust }));
  const { Role } = await iam.send(new GetRoleCommand({ RoleName: "changing" }));
  assert.equal(Role?.MaxSessionDuration, 43_200);
  assert.equal(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ""), trust);
  await fails(
    iam.send(new UpdateRoleCommand({ RoleName: "ghost" })),
    "NoSuchEntityException",
    "The role with name ghost cannot be found.",
  );
});

test("DeleteRole wants policies gone first, and ListInstanceProfilesForRole has none", async () => {
  await makeRole("ending");
  await iam.send(new AttachRolePolicyCommand({ RoleName: "ending", PolicyArn: BASIC }));
  const remove = () => iam.send(new DeleteRoleCommand({ RoleName: "ending" }));
  await fails(remove(), "DeleteConflictException", "Cannot delete entity, must detach all policies first.");
  await iam.send(new DetachRolePolicyCommand({ RoleName: "ending", PolicyArn: BASIC }));
  await iam.send(new PutRolePolicyCommand({ RoleName: "ending", PolicyName: "in", PolicyDocument: LOGS }));
  await fails(remove(), "DeleteConflictException", "Cannot delete entity, must delete policies first.");
  await iam.send(new DeleteRolePolicyCommand({ RoleName: "ending", PolicyName: "in" }));
  assert.deepEqual(
    (await iam.send(new ListInstanceProfilesForRoleCommand({ RoleName: "ending" }))).InstanceProfiles,
    [],
  );
  await remove();
  await fails(remove(), "NoSuchEntityException", "The role with name ending cannot be found.");
});

test("PutRolePolicy, GetRolePolicy, ListRolePolicies and DeleteRolePolicy keep inline policies", async () => {
  await makeRole("inline");
  const put = (PolicyName: string, PolicyDocument: string) =>
    iam.send(new PutRolePolicyCommand({ RoleName: "inline", PolicyName, PolicyDocument }));
  await put("b", LOGS);
  await put("a", LOGS);
  const got = await iam.send(new GetRolePolicyCommand({ RoleName: "inline", PolicyName: "a" }));
  assert.equal(decodeURIComponent(got.PolicyDocument ?? ""), LOGS);
  const listed = await iam.send(new ListRolePoliciesCommand({ RoleName: "inline" }));
  assert.deepEqual(listed.PolicyNames, ["a", "b"]);
  await iam.send(new DeleteRolePolicyCommand({ RoleName: "inline", PolicyName: "a" }));
  await fails(
    iam.send(new GetRolePolicyCommand({ RoleName: "inline", PolicyName: "a" })),
    "NoSuchEntityException",
    "The role policy with name a cannot be found.",
  );
  const long = JSON.parse(LOGS) as { Statement: { Resource: unknown }[] };
  for (const one of long.Statement)
    one.Resource = Array.from(
      { length: 300 },
      (_, n) => `arn:aws:logs:eu-west-1:000000000000:log-group:${n}`,
    );
  await fails(
    put("long", JSON.stringify(long)),
    "LimitExceededException",
    "Maximum policy size of 10240 bytes exceeded for role inline",
  );
});

test("PutRolePolicy refuses malformed documents, in AWS's words", async () => {
  await makeRole("strict");
  const allow = { Effect: "Allow", Action: "s3:GetObject", Resource: "*" };
  const cases: [statement: object, version: string | undefined, message: string][] = [
    [allow, "2008-10-17", "Policy document must be version 2012-10-17 or greater."],
    [allow, undefined, "Policy document must be version 2012-10-17 or greater."],
    [{ ...allow, Action: undefined }, "2012-10-17", "Policy statement must contain actions."],
    [{ ...allow, Resource: undefined }, "2012-10-17", "Policy statement must contain resources."],
    [{ ...allow, Resource: "bucket" }, "2012-10-17", 'Resource bucket must be in ARN format or "*".'],
    [
      { ...allow, Action: "GetObject" },
      "2012-10-17",
      "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
    ],
    [{ ...allow, Principal: "*" }, "2012-10-17", "Policy document should not specify a principal."],
    [
      { ...allow, Condition: { StringMaybe: { "aws:username": "x" } } },
      "2012-10-17",
      "Syntax errors in policy.",
    ],
    [{ ...allow, Extra: 1 }, "2012-10-17", "Syntax errors in policy."],
  ];
  for (const [statement, Version, message] of cases)
    await fails(
      iam.send(
        new PutRolePolicyCommand({
          RoleName: "strict",
          PolicyName: "p",
          PolicyDocument: JSON.stringify({ Version, Statement: [statement] }),
        }),
      ),
      "MalformedPolicyDocumentException",
      message,
    );
});

test("AttachRolePolicy, ListAttachedRolePolicies, ListEntitiesForPolicy and DetachRolePolicy", async () => {
  await makeRole("attached");
  const attach = (PolicyArn: string) =>
    iam.send(new AttachRolePolicyCommand({ RoleName: "attached", PolicyArn }));
  await attach(BASIC);
  await attach(BASIC);
  const listed = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName: "attached" }));
  assert.deepEqual(listed.AttachedPolicies, [
    { PolicyName: "AWSLambdaBasicExecutionRole", PolicyArn: BASIC },
  ]);
  const entities = await iam.send(new ListEntitiesForPolicyCommand({ PolicyArn: BASIC }));
  assert.deepEqual(
    entities.PolicyRoles?.map((role) => role.RoleName),
    ["attached"],
  );
  const ghost = "arn:aws:iam::aws:policy/NoSuchPolicy";
  await fails(attach(ghost), "NoSuchEntityException", `Policy ${ghost} does not exist or is not attachable.`);
  await iam.send(new DetachRolePolicyCommand({ RoleName: "attached", PolicyArn: BASIC }));
  await fails(
    iam.send(new DetachRolePolicyCommand({ RoleName: "attached", PolicyArn: BASIC })),
    "NoSuchEntityException",
    `Policy ${BASIC} was not found.`,
  );
});

test("AttachRolePolicy allows ten policies", async () => {
  await makeRole("full");
  for (let n = 0; n < 11; n++) {
    const { Policy } = await iam.send(
      new CreatePolicyCommand({ PolicyName: `full-${n}`, PolicyDocument: LOGS }),
    );
    const attached = iam.send(new AttachRolePolicyCommand({ RoleName: "full", PolicyArn: Policy?.Arn }));
    if (n < 10) await attached;
    else await fails(attached, "LimitExceededException", "Cannot exceed quota for PoliciesPerRole: 10");
  }
});

test("PutRolePermissionsBoundary and DeleteRolePermissionsBoundary", async () => {
  await makeRole("bounded");
  await iam.send(new PutRolePermissionsBoundaryCommand({ RoleName: "bounded", PermissionsBoundary: BASIC }));
  const { Role } = await iam.send(new GetRoleCommand({ RoleName: "bounded" }));
  assert.equal(Role?.PermissionsBoundary?.PermissionsBoundaryArn, BASIC);
  await iam.send(new DeleteRolePermissionsBoundaryCommand({ RoleName: "bounded" }));
  const free = await iam.send(new GetRoleCommand({ RoleName: "bounded" }));
  assert.equal(free.Role?.PermissionsBoundary, undefined);
  await fails(
    iam.send(
      new PutRolePermissionsBoundaryCommand({
        RoleName: "bounded",
        PermissionsBoundary: "arn:aws:iam::aws:policy/NoSuchPolicy",
      }),
    ),
    "NoSuchEntityException",
    /does not exist or is not attachable/,
  );
});

test("TagRole, UntagRole and ListRoleTags", async () => {
  await makeRole("tagged");
  const tag = (Tags: { Key: string; Value: string }[]) =>
    iam.send(new TagRoleCommand({ RoleName: "tagged", Tags }));
  await tag([
    { Key: "a", Value: "1" },
    { Key: "b", Value: "2" },
  ]);
  await tag([{ Key: "A", Value: "3" }]);
  const listed = await iam.send(new ListRoleTagsCommand({ RoleName: "tagged" }));
  assert.deepEqual(listed.Tags, [
    { Key: "A", Value: "3" },
    { Key: "b", Value: "2" },
  ]);
  await iam.send(new UntagRoleCommand({ RoleName: "tagged", TagKeys: ["b", "never"] }));
  assert.equal((await iam.send(new ListRoleTagsCommand({ RoleName: "tagged" }))).Tags?.length, 1);
  await fails(
    tag([
      { Key: "x", Value: "1" },
      { Key: "X", Value: "2" },
    ]),
    "InvalidInputException",
    "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
  );
  await fails(
    tag(Array.from({ length: 50 }, (_, n) => ({ Key: `k${n}`, Value: "v" }))),
    "LimitExceededException",
    "The number of tags has reached the maximum limit.",
  );
});
