import assert from "node:assert/strict";
import { test } from "node:test";
import { functionArn, readFunctionArn, readFunctionName } from "./names.ts";

const here = { account: "111122223333", region: "eu-west-1" };
const id = { ...here, name: "f" };

test("a function is named by its name, with a qualifier, by partial and by full ARN", () => {
  assert.deepEqual(readFunctionName("f", undefined, here), { ...id, qualifier: undefined });
  assert.deepEqual(readFunctionName("f:7", undefined, here), { ...id, qualifier: "7" });
  assert.deepEqual(readFunctionName("f:live", "live", here), { ...id, qualifier: "live" });
  assert.deepEqual(readFunctionName("function:f", "", here), { ...id, qualifier: undefined });
  assert.deepEqual(readFunctionName("111122223333:function:f:$LATEST", undefined, here), {
    ...id,
    qualifier: "$LATEST",
  });
  assert.deepEqual(
    readFunctionName("arn:aws:lambda:eu-west-1:111122223333:function:f:live", undefined, here),
    {
      ...id,
      qualifier: "live",
    },
  );
  assert.equal(readFunctionName("999988887777:f", undefined, here).account, "999988887777");
});

test("a foreign region and two qualifiers are refused in AWS's words", () => {
  assert.throws(() => readFunctionName("arn:aws:lambda:us-east-1:111122223333:function:f", undefined, here), {
    name: "ResourceNotFoundException",
    message: "Functions from 'us-east-1' are not reachable in this region ('eu-west-1')",
  });
  assert.throws(() => readFunctionName("f:1", "2", here), {
    message: "The derived qualifier from the function name does not match the specified qualifier.",
  });
  assert.throws(() => readFunctionName("a b", undefined, here), { name: "ValidationException" });
});

test("ARNs are written and read back", () => {
  assert.deepEqual(readFunctionArn(functionArn(id, "live")), { ...id, qualifier: "live" });
  assert.deepEqual(readFunctionArn(functionArn(id)), { ...id, qualifier: undefined });
  assert.equal(readFunctionArn("arn:aws:sqs:eu-west-1:111122223333:q"), undefined);
});
