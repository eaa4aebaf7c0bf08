import assert from "node:assert/strict";
import { test } from "node:test";
import { allowsInvoke, arnLike, newStatement, policyDocument } from "./policy.ts";

const resource = "arn:aws:lambda:us-east-1:111122223333:function:f";
const base = { FunctionName: "f", StatementId: "s3", Action: "lambda:InvokeFunction" };
const s3 = { service: "s3.amazonaws.com", sourceArn: "arn:aws:s3:::photos", sourceAccount: "111122223333" };

test("a statement has AWS's shape", () => {
  const statement = newStatement(
    {
      ...base,
      Principal: "s3.amazonaws.com",
      SourceArn: "arn:aws:s3:::photos",
      SourceAccount: "111122223333",
    },
    resource,
  );
  assert.equal(
    policyDocument([statement]),
    '{"Version":"2012-10-17","Id":"default","Statement":[{"Sid":"s3","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},' +
      `"Action":"lambda:InvokeFunction","Resource":"${resource}",` +
      '"Condition":{"StringEquals":{"AWS:SourceAccount":"111122223333"},"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::photos"}}}]}',
  );
  assert.deepEqual(newStatement({ ...base, Principal: "444455556666" }, resource).Principal, {
    AWS: "arn:aws:iam::444455556666:root",
  });
  assert.equal(newStatement({ ...base, Principal: "*" }, resource).Principal, "*");
  assert.throws(
    () => newStatement({ ...base, Principal: "nobody" }, resource),
    /provided principal was invalid/,
  );
});

test("a service may invoke for the resource and account that the statement names, and no other", () => {
  const statements = [
    newStatement({ ...base, Principal: "s3.amazonaws.com", SourceArn: "arn:aws:s3:::pho*" }, resource),
  ];
  assert.equal(allowsInvoke(statements, s3), true);
  assert.equal(allowsInvoke(statements, { ...s3, sourceArn: "arn:aws:s3:::other" }), false);
  assert.equal(allowsInvoke(statements, { ...s3, service: "sns.amazonaws.com" }), false);
  const account = [
    newStatement({ ...base, Principal: "s3.amazonaws.com", SourceAccount: "999988887777" }, resource),
  ];
  assert.equal(allowsInvoke(account, s3), false);
  const other = [
    newStatement({ ...base, Action: "lambda:GetFunction", Principal: "s3.amazonaws.com" }, resource),
  ];
  assert.equal(allowsInvoke(other, s3), false);
});

test("an account may invoke where its root or its own ARN is named", () => {
  const caller = { account: "444455556666", arn: "arn:aws:iam::444455556666:user/u" };
  const allowed = (Principal: string) =>
    allowsInvoke([newStatement({ ...base, Principal }, resource)], caller);
  assert.equal(allowed("444455556666"), true);
  assert.equal(allowed("arn:aws:iam::444455556666:user/u"), true);
  assert.equal(allowed("arn:aws:iam::444455556666:user/v"), false);
  assert.equal(allowed("s3.amazonaws.com"), false);
});

test("conditions that nothing can satisfy here do not hold", () => {
  const statement = newStatement({ ...base, Principal: "*", PrincipalOrgID: "o-abcdefghij" }, resource);
  assert.equal(allowsInvoke([statement], s3), false);
});

test("ArnLike matches part by part, and no pattern is slow", () => {
  assert.equal(arnLike("arn:aws:s3:::a*", "arn:aws:s3:::abc"), true);
  assert.equal(arnLike("arn:aws:*:::abc", "arn:aws:s3:::abc"), true);
  assert.equal(arnLike("arn:aws:s3:::a?c", "arn:aws:s3:::abc"), true);
  assert.equal(arnLike("arn:*", "arn:aws:s3:::abc"), false);
  assert.equal(arnLike("arn:aws:execute-api:r:a:id/*/GET/x", "arn:aws:execute-api:r:a:id/prod/GET/x"), true);
  assert.equal(arnLike(`arn:aws:s3:::${"*a".repeat(1_000)}b`, `arn:aws:s3:::${"a".repeat(5_000)}`), false);
});
