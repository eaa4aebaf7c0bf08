import assert from "node:assert/strict";
import { test } from "node:test";
import { createResourcePolicies } from "./resource-policies.ts";
import type { PolicyCaller } from "../../aws/resource-policies.ts";
import type { IamState } from "./state.ts";

const resource = "arn:aws:lambda:us-east-1:111122223333:function:f";
// Nobody who asks here is there any more, so that nothing is known of them but what they say.
const policies = createResourcePolicies({
  clock: { now: () => 0 },
  policies: { identity: async () => undefined },
} as unknown as IamState);

const document = (...statements: object[]) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: statements.map((one) => ({
      Effect: "Allow",
      Action: "lambda:InvokeFunction",
      Resource: resource,
      ...one,
    })),
  });
const question = (conditions: Record<string, string> = {}) => ({
  action: "lambda:InvokeFunction",
  resources: [resource],
  conditions,
});
const s3 = { service: "s3.amazonaws.com" };
const photos = { "aws:SourceArn": "arn:aws:s3:::photos", "aws:SourceAccount": "111122223333" };

test("a service is granted what a statement says, for the resource and account that it names and no other", async () => {
  const policy = document({
    Principal: { Service: "s3.amazonaws.com" },
    Condition: { ArnLike: { "AWS:SourceArn": "arn:aws:s3:::pho*" } },
  });
  assert.equal(await policies.ask(policy, question(photos), s3), "principal");
  const elsewhere = { ...photos, "aws:SourceArn": "arn:aws:s3:::other" };
  assert.equal(await policies.ask(policy, question(elsewhere), s3), "none");
  assert.equal(await policies.ask(policy, question(photos), { service: "sns.amazonaws.com" }), "none");
  assert.equal(await policies.ask(policy, { ...question(photos), action: "lambda:GetFunction" }, s3), "none");
  assert.equal(await policies.ask(policy, { ...question(photos), resources: [`${resource}:1`] }, s3), "none");
  const account = document({
    Principal: "*",
    Condition: { StringEquals: { "AWS:SourceAccount": "999988887777" } },
  });
  assert.equal(await policies.ask(account, question(photos), s3), "none");
});

test("a caller is granted as whom the statement names; the most counts", async () => {
  const user: PolicyCaller = { account: "444455556666", arn: "arn:aws:iam::444455556666:user/u" };
  const roleArn = "arn:aws:iam::444455556666:role/r";
  // A session of a role that is no longer there.
  const session: PolicyCaller = {
    type: "assumed-role",
    userId: "AROAGONE:s",
    accessKeyId: undefined,
    account: "444455556666",
    arn: "arn:aws:sts::444455556666:assumed-role/r/s",
    roleArn,
  };
  const grant = (caller: PolicyCaller, ...principals: unknown[]) =>
    policies.ask(document(...principals.map((Principal) => ({ Principal }))), question(), caller);
  assert.equal(await grant(user, { AWS: "444455556666" }), "account");
  assert.equal(await grant(user, { AWS: "arn:aws:iam::444455556666:root" }, { AWS: user.arn }), "principal");
  assert.equal(await grant(user, { AWS: "arn:aws:iam::444455556666:user/v" }), "none");
  assert.equal(await grant(session, { AWS: roleArn }), "role");
  assert.equal(await grant(session, { AWS: session.arn }), "principal");
  for (const everyone of ["*", { AWS: "*" }]) {
    assert.equal(await grant({ account: "", arn: "" }, everyone), "principal");
    assert.equal(await grant(s3, everyone), "principal");
  }
  assert.equal(await grant(s3, { AWS: "444455556666" }), "none");
  assert.equal(await grant({ account: "", arn: "" }, { AWS: "444455556666" }), "none");
});

test("what is denied stays denied, whoever else is named; facts that are not there satisfy no condition", async () => {
  const user: PolicyCaller = { account: "444455556666", arn: "arn:aws:iam::444455556666:user/u" };
  const deny = { Effect: "Deny", Principal: "*", Condition: { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } } };
  const policy = document({ Principal: { AWS: user.arn } }, deny);
  assert.equal(await policies.ask(policy, question({ "aws:sourceip": "10.1.2.3" }), user), "denied");
  assert.equal(await policies.ask(policy, question({ "aws:sourceip": "192.0.2.1" }), user), "principal");
  const org = document({
    Principal: "*",
    Condition: { StringEquals: { "aws:PrincipalOrgID": "o-abcdefghij" } },
  });
  assert.equal(await policies.ask(org, question(), user), "none");
  const others = document(
    { Principal: "*" },
    { Effect: "Deny", NotPrincipal: { AWS: [user.arn, "444455556666"] } },
  );
  assert.equal(await policies.ask(others, question(), user), "principal");
  assert.equal(await policies.ask(others, question(), s3), "denied");
});

test("a document is refused for what is not in the language of resource policies", () => {
  const refused = (statement: object, message: RegExp) =>
    assert.throws(() => policies.parse(document(statement)), message);
  refused({}, /Missing required field Principal$/);
  refused({ NotPrincipal: { AWS: "444455556666" } }, /NotPrincipal is not supported/);
  refused({ Principal: { AWS: "nobody" } }, /Invalid principal in policy: "AWS":"nobody"/);
  refused({ Principal: "*", Action: [] }, /must contain actions/);
  refused({ Principal: "*", Resource: "f" }, /must be in ARN format/);
  refused({ Principal: "*", Condition: { Odd: { a: "b" } } }, /Syntax errors/);
  refused({ Principal: "*", Odd: 1 }, /Syntax errors/);
  assert.throws(() => policies.parse("{"), /Syntax errors/);
  assert.throws(
    () => policies.parse(document({ Principal: "*", Sid: "a" }, { Principal: "*", Sid: "a" })),
    /unique/,
  );
  policies.parse(document({ Principal: "*", Sid: "with-dashes_1" }));
});
