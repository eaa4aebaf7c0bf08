/** IAM on every engine, and what its ports say of roles: who may assume them, and what they may do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Principal, RequestContext } from "../../src/aws/service.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { randomIds } from "../../src/kit/id.ts";
import { createIam } from "../../src/services/iam/index.ts";
import type { Iam } from "../../src/services/iam/index.ts";
import { onEveryEngine } from "../store/engines.ts";
import type { TestStore } from "../store/engines.ts";

const ACCOUNT = "000000000000";
const ROOT: Principal = {
  type: "root",
  account: ACCOUNT,
  arn: `arn:aws:iam::${ACCOUNT}:root`,
  userId: ACCOUNT,
  accessKeyId: undefined,
};
const CONTEXT = { account: ACCOUNT, region: "us-east-1", principal: ROOT } as RequestContext;
const ROLE = `arn:aws:iam::${ACCOUNT}:role/worker`;
const BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
const TRUST = JSON.stringify({
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Principal: { Service: "lambda.amazonaws.com", AWS: ACCOUNT },
      Action: "sts:AssumeRole",
    },
  ],
});
const allow = (Action: string | string[]) =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action, Resource: "*" }] });

function open({ store, clock }: TestStore): Promise<Iam> {
  return createIam({ clock, ids: randomIds, database: store.database, log: createLog("error") });
}

async function call(iam: Iam, operation: string, input: object): Promise<unknown> {
  return iam.service.operations.get(operation)?.(input as never, CONTEXT);
}

async function withRole(fixture: TestStore): Promise<Iam> {
  const iam = await open(fixture);
  await call(iam, "CreateRole", { RoleName: "worker", AssumeRolePolicyDocument: TRUST });
  return iam;
}

onEveryEngine("IAM", (engine) => {
  void test("a role may be assumed by the services that it trusts", async () => {
    await using fixture = await engine.fresh();
    const iam = await withRole(fixture);
    assert.equal(await iam.roles.canBeAssumedBy(ROLE, "lambda.amazonaws.com"), true);
    assert.equal(await iam.roles.canBeAssumedBy(ROLE, "events.amazonaws.com"), false);
    assert.equal(await iam.roles.canBeAssumedBy(`${ROLE}-not`, "lambda.amazonaws.com"), false);
    await assert.rejects(iam.roles.session(`${ROLE}-not`, "s", 900), /does not exist/);
    await iam.stop();
  });

  void test("a role may do what its policies say, at once after each change", async () => {
    await using fixture = await engine.fresh();
    const iam = await withRole(fixture);
    const may = (action: string) => iam.roles.allows(ROLE, action, "arn:aws:logs:us-east-1:000000000000:x");
    assert.equal(await may("logs:PutLogEvents"), false);
    await call(iam, "AttachRolePolicy", { RoleName: "worker", PolicyArn: BASIC });
    assert.equal(await may("logs:PutLogEvents"), true);
    await call(iam, "PutRolePolicy", {
      RoleName: "worker",
      PolicyName: "no",
      PolicyDocument: allow("logs:*").replace("Allow", "Deny"),
    });
    assert.equal(await may("logs:PutLogEvents"), false);
    await call(iam, "DeleteRolePolicy", { RoleName: "worker", PolicyName: "no" });
    assert.equal(await may("logs:PutLogEvents"), true);
    await call(iam, "CreatePolicy", { PolicyName: "edge", PolicyDocument: allow("s3:*") });
    const edge = `arn:aws:iam::${ACCOUNT}:policy/edge`;
    await call(iam, "PutRolePermissionsBoundary", { RoleName: "worker", PermissionsBoundary: edge });
    assert.equal(await may("logs:PutLogEvents"), false);
    await call(iam, "CreatePolicyVersion", {
      PolicyArn: edge,
      PolicyDocument: allow(["s3:*", "logs:*"]),
      SetAsDefault: true,
    });
    assert.equal(await may("logs:PutLogEvents"), true);
    assert.equal(await iam.roles.allows(`${ROLE}-not`, "s3:GetObject", "*"), false);
    await iam.stop();
  });

  void test("a session's credentials are the role's, shared while young, and known after a restart", async () => {
    await using fixture = await engine.fresh();
    const iam = await withRole(fixture);
    const session = await iam.roles.session(ROLE, "fn", 43_200);
    assert.deepEqual(await iam.roles.session(ROLE, "fn", 43_200), session);
    assert.notEqual((await iam.roles.session(ROLE, "other", 43_200)).accessKeyId, session.accessKeyId);
    await fixture.clock.advance(7 * 3_600_000);
    assert.notEqual((await iam.roles.session(ROLE, "fn", 43_200)).accessKeyId, session.accessKeyId);
    await iam.stop();
    await fixture.reopen();
    const again = await open(fixture);
    const key = await again.accessKeys.find(session.accessKeyId);
    assert.equal(key?.secretAccessKey, session.secretAccessKey);
    assert.equal(key?.sessionToken, session.sessionToken);
    assert.equal(key?.expiresAt, session.expiresAt);
    assert.equal(key?.principal.arn, `arn:aws:sts::${ACCOUNT}:assumed-role/worker/fn`);
    assert.equal(key?.principal.roleArn, ROLE);
    await call(again, "DeleteRole", { RoleName: "worker" });
    assert.equal(await again.accessKeys.find(session.accessKeyId), undefined);
    await again.stop();
  });

  void test("expired sessions are deleted", async () => {
    await using fixture = await engine.fresh();
    const iam = await withRole(fixture);
    const session = await iam.roles.session(ROLE, "fn", 900);
    await iam.sweep();
    assert.ok(await iam.accessKeys.find(session.accessKeyId));
    await fixture.clock.advance(2 * 3_600_000);
    await iam.sweep();
    assert.equal(await iam.accessKeys.find(session.accessKeyId), undefined);
    await iam.stop();
  });

  void test("the authorizer asks users' policies, sessions' policies and context, and lets the root do all", async () => {
    await using fixture = await engine.fresh();
    const iam = await withRole(fixture);
    const { authorizer } = iam;
    assert.equal(await authorizer.allows(ROOT, "s3:GetObject", "*"), true);
    const anonymous: Principal = { ...ROOT, type: "anonymous", arn: "", userId: "anonymous" };
    assert.equal(await authorizer.allows(anonymous, "s3:GetObject", "*"), false);
    await call(iam, "CreateUser", { UserName: "ann" });
    const made = (await call(iam, "CreateAccessKey", { UserName: "ann" })) as {
      AccessKey: { AccessKeyId: string };
    };
    const ann = (await iam.accessKeys.find(made.AccessKey.AccessKeyId))?.principal as Principal;
    await call(iam, "PutUserPolicy", {
      UserName: "ann",
      PolicyName: "home",
      PolicyDocument: JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Action: "s3:GetObject",
            Resource: "arn:aws:s3:::home/${aws:username}/*",
            Condition: { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } },
          },
        ],
      }),
    });
    const get = (key: string, ip: string) =>
      authorizer.allows(ann, "s3:GetObject", `arn:aws:s3:::home/${key}`, { "aws:SourceIp": ip });
    assert.equal(await get("ann/x", "10.1.1.1"), true);
    assert.equal(await get("bob/x", "10.1.1.1"), false);
    assert.equal(await get("ann/x", "11.1.1.1"), false);
    await call(iam, "PutRolePolicy", { RoleName: "worker", PolicyName: "all", PolicyDocument: allow("*") });
    const assumed = await iam.sessions.assume(ROOT, {
      roleArn: ROLE,
      sessionName: "narrow",
      durationSeconds: 900,
      externalId: undefined,
      policy: allow("s3:GetObject"),
      policyArns: [],
    });
    const narrow = (await iam.accessKeys.find(assumed.credentials.accessKeyId))?.principal as Principal;
    assert.equal(await authorizer.allows(narrow, "s3:GetObject", "*"), true);
    assert.equal(await authorizer.allows(narrow, "s3:PutObject", "*"), false);
    await call(iam, "DeleteRolePolicy", { RoleName: "worker", PolicyName: "all" });
    assert.equal((await authorizer.decide(narrow, "s3:GetObject", "*")).decision, "implicitDeny");
    await iam.stop();
  });
});
