/** The policies of forms: what is no policy, which condition does not hold, and what a form may have beside. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AwsError } from "../../../aws/errors.ts";
import { readFields } from "./fields.ts";
import { checkPostPolicy, parsePostPolicy } from "./post-policy.ts";

const NOW = Date.parse("2026-11-30T00:00:00Z");
const LATER = "2026-11-30T00:00:01Z";

const encode = (document: unknown) =>
  Buffer.from(typeof document === "string" ? document : JSON.stringify(document)).toString("base64");

function fault(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof AwsError, String(error));
    return `${error.code}: ${error.message}`;
  }
  return "none";
}

function check(conditions: unknown, given: Record<string, string>, expiration: string = LATER) {
  const fields = readFields({ fields: Object.entries(given), filename: "dir\\a.txt" });
  const policy = parsePostPolicy(encode({ expiration, conditions }));
  return checkPostPolicy(policy, fields, "the-bucket", NOW);
}

describe("form policies", () => {
  test("what is no policy is told by what is wrong", () => {
    for (const [document, text] of [
      ["{", "Invalid JSON."],
      ["[]", "Invalid JSON."],
      [{ conditions: [] }, "Policy missing expiration."],
      [{ expiration: LATER }, "Policy missing conditions."],
      [{ EXPIRATION: LATER, conditions: [] }, "Unexpected: 'expiration'"],
      [{ expiration: LATER, conditions: {} }, "Invalid 'conditions' value: must be a List."],
      [
        { expiration: "2026-11-30T00:00:01+02:00", conditions: [] },
        "Invalid 'expiration' value: '2026-11-30T00:00:01+02:00'",
      ],
      [{ expiration: LATER, conditions: [[]] }, "Invalid Condition: missing operation identifier."],
      [
        { expiration: LATER, conditions: [["in", "$key", "a"]] },
        "Invalid Condition: unknown operation 'in'.",
      ],
      [{ expiration: LATER, conditions: [["eq", "$key"]] }, "Invalid eq: wrong number of arguments."],
      [{ expiration: LATER, conditions: [["content-length-range", 0, 0.5]] }, "Invalid JSON."],
      [
        { expiration: LATER, conditions: [{ length: 5 }] },
        "Invalid Simple-Condition: value must be a string.",
      ],
      [
        { expiration: LATER, conditions: [{ a: "1", b: "2" }] },
        "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.",
      ],
    ] as const)
      assert.equal(
        fault(() => parsePostPolicy(encode(document))),
        `InvalidPolicyDocument: Invalid Policy: ${text}`,
      );
    assert.match(
      fault(() => parsePostPolicy("%%%")),
      /invalid Base64/,
    );
  });

  test("a form has what its policy names, and nothing else", () => {
    const key = ["starts-with", "$Key", "user/"];
    const given = { KEY: "user/${filename}", policy: "p", "x-ignore-this": "1" };
    assert.deepEqual(check([key, { bucket: "the-bucket" }], given), { min: 0, max: Infinity });
    assert.equal(
      fault(() => check([["eq", "$key", "user/a.txt"]], given)),
      "none",
    );
    const denied = (text: string) => `AccessDenied: Invalid according to Policy: ${text}`;
    assert.equal(
      fault(() => check([key], given, "2026-11-29T23:59:59Z")),
      denied("Policy expired."),
    );
    assert.equal(
      fault(() => check([key, { bucket: "another" }], given)),
      denied('Policy Condition failed: ["eq", "$bucket", "another"]'),
    );
    assert.equal(
      fault(() => check([["starts-with", "key", ""]], given)),
      denied('Policy Condition failed: ["starts-with", "key", ""]'),
    );
    // A field that is named has to be there, whatever it may hold.
    assert.equal(
      fault(() => check([key, ["starts-with", "$acl", ""]], given)),
      denied('Policy Condition failed: ["starts-with", "$acl", ""]'),
    );
    assert.equal(
      fault(() => check([key], { ...given, "X-Amz-Meta-A": "1", other: "2" })),
      denied("Extra input fields: X-Amz-Meta-A, other"),
    );
  });

  test("each of several content types has to be as the policy says", () => {
    const all = [
      ["starts-with", "$key", ""],
      ["starts-with", "$Content-Type", "image/"],
    ];
    const form = (type: string) => ({ key: "k", "content-type": type });
    assert.equal(
      fault(() => check(all, form("image/png,image/gif"))),
      "none",
    );
    assert.match(
      fault(() => check(all, form("image/png,text/plain"))),
      /^AccessDenied/,
    );
  });

  test("sizes may be texts; what is no number fails", () => {
    const sizes = (min: unknown, max: unknown) =>
      check(
        [
          ["starts-with", "$key", ""],
          ["content-length-range", min, max],
        ],
        { key: "k" },
      );
    assert.deepEqual(sizes("5", 10), { min: 5, max: 10 });
    assert.equal(
      fault(() => sizes("test", "10")),
      'AccessDenied: Invalid according to Policy: Policy Condition failed: ["content-length-range", "test", "10"]',
    );
  });
});
