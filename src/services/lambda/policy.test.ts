import assert from "node:assert/strict";
import { test } from "node:test";
import { newStatement, policyDocument, readDocument } from "./policy.ts";

const resource = "arn:aws:lambda:us-east-1:111122223333:function:f";
const base = { FunctionName: "f", StatementId: "s3", Action: "lambda:InvokeFunction" };

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
  assert.deepEqual(newStatement({ ...base, Principal: "444455556666" }, resource)["Principal"], {
    AWS: "arn:aws:iam::444455556666:root",
  });
  assert.equal(newStatement({ ...base, Principal: "*" }, resource)["Principal"], "*");
  assert.throws(
    () => newStatement({ ...base, Principal: "nobody" }, resource),
    /provided principal was invalid/,
  );
});

test("a document speaks of its own function, its versions and aliases, or of patterns that may mean them", () => {
  const read = (...resources: string[]) =>
    readDocument(
      '{"Statement":[]}',
      { parse: () => ({ statements: [{ effect: "Allow", resources, conditions: [] }] }) },
      resource,
    );
  for (const mine of ["*", resource, `${resource}:*`, `${resource}:live`, "arn:aws:lambda:*", `${resource}*`])
    assert.deepEqual(read(mine).head, { Version: "2008-10-17" }, mine);
  for (const foreign of [
    `${resource}2`,
    "arn:aws:s3:::b",
    "arn:aws:lambda:us-east-1:111122223333:function:g*",
  ])
    assert.throws(() => read(resource, foreign), /resource \S+ is not arn/, foreign);
});
