/** The policy engine, by table: what is allowed, denied, and not said. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decide, evaluate, parseIdentityPolicy, parseTrustPolicy, PolicySyntaxError } from "./index.ts";
import type { DecisionKind } from "./index.ts";
import { parsePolicy } from "./parse.ts";

const policy = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });
const S3 = "arn:aws:s3:::box/";

/** One statement against one request. */
function decideOne(
  statement: object,
  action: string,
  resource: string,
  context: Record<string, string | string[]> = {},
): DecisionKind {
  const document = parseIdentityPolicy(policy({ Effect: "Allow", Action: "*", Resource: "*", ...statement }));
  return decide({ action, resource, context }, { identity: [document] }).decision;
}

test("actions match with wildcards and without case", () => {
  const cases: [pattern: string | string[], action: string, allowed: boolean][] = [
    ["s3:GetObject", "s3:GetObject", true],
    ["S3:getobject", "s3:GetObject", true],
    ["s3:Get*", "s3:GetObjectTagging", true],
    ["s3:Get*", "s3:PutObject", false],
    ["s3:*Object", "s3:DeleteObject", true],
    ["s3:?etObject", "s3:GetObject", true],
    ["s3:?etObject", "s3:etObject", false],
    ["*", "sqs:SendMessage", true],
    [["sqs:*", "sns:*"], "sns:Publish", true],
    [["sqs:*", "sns:*"], "s3:GetObject", false],
  ];
  for (const [Action, action, allowed] of cases)
    assert.equal(
      decideOne({ Action }, action, "*"),
      allowed ? "allowed" : "implicitDeny",
      `${String(Action)} ${action}`,
    );
  assert.equal(decideOne({ Action: undefined, NotAction: "iam:*" }, "s3:GetObject", "*"), "allowed");
  assert.equal(decideOne({ Action: undefined, NotAction: "iam:*" }, "iam:GetUser", "*"), "implicitDeny");
});

test("resources match with wildcards and variables", () => {
  const context = { "aws:username": "ann", "aws:userid": "AIDA", "aws:principaltag/team": "red*" };
  const cases: [pattern: string, resource: string, allowed: boolean][] = [
    [`${S3}*`, `${S3}a/b`, true],
    [`${S3}a?c`, `${S3}abc`, true],
    [`${S3}A*`, `${S3}abc`, false],
    ["arn:aws:s3:::box", "arn:aws:s3:::box/x", false],
    [S3 + "home/${aws:username}/*", `${S3}home/ann/file`, true],
    [S3 + "home/${aws:username}/*", `${S3}home/bob/file`, false],
    [S3 + "${aws:PrincipalTag/team}", `${S3}red*`, true],
    [S3 + "${aws:PrincipalTag/team}", `${S3}redder`, false],
    [S3 + "${aws:PrincipalTag/none}", `${S3}x`, false],
    [S3 + "${aws:PrincipalTag/none, 'all'}", `${S3}all`, true],
    [S3 + "${*}", `${S3}*`, true],
    [S3 + "${*}", `${S3}x`, false],
  ];
  for (const [Resource, resource, allowed] of cases)
    assert.equal(
      decideOne({ Resource }, "s3:GetObject", resource, context),
      allowed ? "allowed" : "implicitDeny",
      `${Resource} ${resource}`,
    );
  assert.equal(decideOne({ Resource: undefined, NotResource: `${S3}secret` }, "s3:Get", `${S3}x`), "allowed");
  assert.equal(
    decideOne({ Resource: undefined, NotResource: `${S3}secret` }, "s3:Get", `${S3}secret`),
    "implicitDeny",
  );
});

test("conditions hold or do not, operator by operator", () => {
  type Context = Record<string, string | string[]>;
  const cases: [operator: string, key: string, wanted: unknown, context: Context, holds: boolean][] = [
    ["StringEquals", "aws:x", "a", { "aws:x": "a" }, true],
    ["StringEquals", "AWS:X", ["b", "a"], { "aws:x": "a" }, true],
    ["StringEquals", "aws:x", "a", { "aws:x": "A" }, false],
    ["StringEquals", "aws:x", "a", {}, false],
    ["StringEqualsIfExists", "aws:x", "a", {}, true],
    ["StringNotEquals", "aws:x", "a", {}, true],
    ["StringNotEquals", "aws:x", ["a", "b"], { "aws:x": "b" }, false],
    ["StringEqualsIgnoreCase", "aws:x", "a", { "aws:x": "A" }, true],
    ["StringNotEqualsIgnoreCase", "aws:x", "a", { "aws:x": "A" }, false],
    ["StringLike", "aws:x", "a*?", { "aws:x": "abc" }, true],
    ["StringLike", "aws:x", "${aws:username}-*", { "aws:x": "ann-1", "aws:username": "ann" }, true],
    ["StringNotLike", "aws:x", "a*", { "aws:x": "abc" }, false],
    ["StringEquals", "aws:x", "a*", { "aws:x": "abc" }, false],
    ["NumericEquals", "aws:n", 5, { "aws:n": "5.0" }, true],
    ["NumericNotEquals", "aws:n", "5", { "aws:n": "6" }, true],
    ["NumericLessThan", "aws:n", "5", { "aws:n": "4" }, true],
    ["NumericLessThanEquals", "aws:n", "5", { "aws:n": "5" }, true],
    ["NumericGreaterThan", "aws:n", "5", { "aws:n": "5" }, false],
    ["NumericGreaterThanEquals", "aws:n", "5", { "aws:n": "five" }, false],
    ["DateLessThan", "aws:t", "2030-01-01T00:00:00Z", { "aws:t": "2026-01-01T00:00:00Z" }, true],
    ["DateGreaterThan", "aws:t", "2030-01-01", { "aws:t": "2026-01-01T00:00:00Z" }, false],
    ["DateEquals", "aws:t", "1767225600", { "aws:t": "2026-01-01T00:00:00Z" }, true],
    ["DateNotEquals", "aws:t", "1767225600", { "aws:t": "2026-01-01T00:00:00Z" }, false],
    ["DateLessThanEquals", "aws:t", "2026-01-01T00:00:00Z", { "aws:t": "1767225600" }, true],
    ["DateGreaterThanEquals", "aws:t", "2026-01-01T00:00:00Z", { "aws:t": "1767225600" }, true],
    ["Bool", "aws:SecureTransport", true, { "aws:securetransport": "true" }, true],
    ["Bool", "aws:SecureTransport", "false", { "aws:securetransport": "true" }, false],
    ["BinaryEquals", "aws:b", "QmluYXJ5", { "aws:b": "QmluYXJ5" }, true],
    ["IpAddress", "aws:SourceIp", "10.1.0.0/16", { "aws:sourceip": "10.1.2.3" }, true],
    ["IpAddress", "aws:SourceIp", ["10.1.0.0/16", "2001:db8::/32"], { "aws:sourceip": "2001:db8::1" }, true],
    ["IpAddress", "aws:SourceIp", "10.1.2.3", { "aws:sourceip": "10.1.2.4" }, false],
    ["NotIpAddress", "aws:SourceIp", "10.1.0.0/16", { "aws:sourceip": "10.2.0.1" }, true],
    ["ArnLike", "aws:SourceArn", "arn:aws:s3:::b*", { "aws:sourcearn": "arn:aws:s3:::box" }, true],
    ["ArnEquals", "aws:SourceArn", "arn:aws:*:::box", { "aws:sourcearn": "arn:aws:s3:::box" }, true],
    ["ArnLike", "aws:SourceArn", "arn:aws:sns:*:q", { "aws:sourcearn": "arn:aws:sns:eu:1:q" }, false],
    ["ArnLike", "aws:SourceArn", "arn:aws:sns:*:*:q", { "aws:sourcearn": "arn:aws:sns:eu:1:q" }, true],
    ["ArnNotLike", "aws:SourceArn", "arn:aws:sns:*:*:q", { "aws:sourcearn": "arn:aws:sns:eu:1:q" }, false],
    ["ArnNotEquals", "aws:SourceArn", "arn:aws:s3:::a", { "aws:sourcearn": "arn:aws:s3:::b" }, true],
    ["Null", "aws:x", "true", {}, true],
    ["Null", "aws:x", false, { "aws:x": "1" }, true],
    ["Null", "aws:x", "true", { "aws:x": "1" }, false],
    ["ForAnyValue:StringEquals", "aws:k", ["a", "b"], { "aws:k": ["z", "b"] }, true],
    ["ForAnyValue:StringEquals", "aws:k", ["a", "b"], {}, false],
    ["ForAllValues:StringEquals", "aws:k", ["a", "b"], { "aws:k": ["a", "b"] }, true],
    ["ForAllValues:StringEquals", "aws:k", ["a", "b"], { "aws:k": ["a", "z"] }, false],
    ["ForAllValues:StringLike", "aws:k", "a*", {}, true],
    ["ForAnyValue:StringNotEquals", "aws:k", "a", { "aws:k": ["a", "b"] }, true],
    ["ForAllValues:StringNotEquals", "aws:k", "a", { "aws:k": ["a", "b"] }, false],
    ["ForAnyValue:StringLikeIfExists", "aws:k", "a*", {}, true],
  ];
  for (const [operator, key, wanted, context, holds] of cases)
    assert.equal(
      decideOne({ Condition: { [operator]: { [key]: wanted } } }, "s3:GetObject", "*", context),
      holds ? "allowed" : "implicitDeny",
      `${operator} ${key} ${JSON.stringify(wanted)} ${JSON.stringify(context)}`,
    );
});

test("all conditions of a statement must hold", () => {
  const Condition = { StringEquals: { "aws:a": "1", "aws:b": "2" }, Bool: { "aws:c": "true" } };
  const context = { "aws:a": "1", "aws:b": "2", "aws:c": "true" };
  assert.equal(decideOne({ Condition }, "s3:Get", "*", context), "allowed");
  for (const key of Object.keys(context))
    assert.equal(decideOne({ Condition }, "s3:Get", "*", { ...context, [key]: "no" }), "implicitDeny", key);
});

test("a deny wins over every allow, and boundaries and session policies must allow too", () => {
  const all = parseIdentityPolicy(policy({ Effect: "Allow", Action: "*", Resource: "*" }));
  const s3 = parseIdentityPolicy(policy({ Effect: "Allow", Action: "s3:*", Resource: "*" }));
  const noDelete = parseIdentityPolicy(policy({ Effect: "Deny", Action: "s3:Delete*", Resource: "*" }));
  const request = (action: string) => ({ action, resource: "*", context: {} });
  const kind = (action: string, policies: Parameters<typeof decide>[1]) =>
    decide(request(action), policies).decision;
  assert.equal(kind("s3:DeleteObject", { identity: [all, noDelete] }), "explicitDeny");
  assert.equal(kind("s3:GetObject", { identity: [all, noDelete] }), "allowed");
  assert.equal(kind("sqs:SendMessage", { identity: [all], boundary: [s3] }), "implicitDeny");
  assert.equal(kind("s3:GetObject", { identity: [all], boundary: [s3] }), "allowed");
  assert.equal(kind("s3:GetObject", { identity: [], boundary: [s3] }), "implicitDeny");
  assert.equal(kind("sqs:SendMessage", { identity: [all], session: [s3] }), "implicitDeny");
  assert.equal(kind("s3:DeleteObject", { identity: [all], session: [s3, noDelete] }), "explicitDeny");
  assert.equal(kind("s3:GetObject", { identity: [] }), "implicitDeny");
  assert.equal(decide(request("s3:DeleteObject"), { identity: [all, noDelete] }).matched.length, 2);
});

test("trust policies name services, accounts, users, roles and everyone", () => {
  const account = "111122223333";
  const ann = { kind: "aws", account, arn: `arn:aws:iam::${account}:user/ann`, userId: "AIDA1" } as const;
  const session = {
    kind: "aws",
    account,
    arn: `arn:aws:sts::${account}:assumed-role/r/s`,
    userId: "AROA1:s",
    roleArn: `arn:aws:iam::${account}:role/r`,
  } as const;
  const lambda = { kind: "service", name: "lambda.amazonaws.com" } as const;
  const cases: [principal: unknown, who: typeof ann | typeof session | typeof lambda, allowed: boolean][] = [
    ["*", ann, true],
    [{ AWS: "*" }, ann, true],
    [{ AWS: account }, ann, true],
    [{ AWS: `arn:aws:iam::${account}:root` }, session, true],
    [{ AWS: "999999999999" }, ann, false],
    [{ AWS: ann.arn }, ann, true],
    [{ AWS: ann.arn }, session, false],
    [{ AWS: session.roleArn }, session, true],
    [{ AWS: session.arn }, session, true],
    [{ Service: "lambda.amazonaws.com" }, lambda, true],
    [{ Service: ["events.amazonaws.com", "lambda.amazonaws.com"] }, lambda, true],
    [{ Service: "events.amazonaws.com" }, lambda, false],
    [{ AWS: account }, lambda, false],
    [{ Service: "lambda.amazonaws.com" }, ann, false],
  ];
  const request = { action: "sts:AssumeRole", resource: "*", context: {} };
  for (const [Principal, who, allowed] of cases) {
    const document = parseTrustPolicy(policy({ Effect: "Allow", Principal, Action: "sts:AssumeRole" }));
    assert.equal(
      evaluate([document], request, who).decision,
      allowed ? "allowed" : "implicitDeny",
      JSON.stringify(Principal),
    );
  }
  const others = parsePolicy(
    policy({ Effect: "Deny", NotPrincipal: { AWS: ann.arn }, Action: "*", Resource: "*" }),
  );
  assert.equal(evaluate([others], request, ann).decision, "implicitDeny");
  assert.equal(evaluate([others], request, session).decision, "explicitDeny");
});

test("variables are plain text in the older policy language", () => {
  const old = JSON.stringify({
    Version: "2008-10-17",
    Statement: [{ Effect: "Allow", Action: "s3:*", Resource: S3 + "${aws:username}" }],
  });
  const request = (resource: string) => ({ action: "s3:Get", resource, context: { "aws:username": "ann" } });
  assert.equal(evaluate([parsePolicy(old)], request(`${S3}ann`)).decision, "implicitDeny");
  assert.equal(evaluate([parsePolicy(old)], request(S3 + "${aws:username}")).decision, "allowed");
});

test("documents outside the grammar are refused", () => {
  const statement = { Effect: "Allow", Action: "s3:*", Resource: "*" };
  for (const text of [
    "",
    " {}",
    "[]",
    "null",
    "{}",
    policy(),
    policy({ ...statement, Effect: "allow" }),
    policy({ ...statement, NotAction: "s3:*" }),
    policy({ ...statement, Action: [] }),
    policy({ ...statement, Action: 5 }),
    policy({ ...statement, Action: "s3:a:b" }),
    policy({ ...statement, Resource: [] }),
    policy({ ...statement, Resource: "arn:nowhere:s3:::x" }),
    policy({ ...statement, Sid: "no spaces" }),
    policy({ ...statement, Sid: "Twice" }, { ...statement, Sid: "Twice" }),
    policy({ ...statement, Condition: { NullIfExists: { "aws:x": "true" } } }),
    policy({ ...statement, Condition: { StringEquals: { nocolon: "x" } } }),
    policy({ ...statement, Condition: { StringEquals: { "aws:x": {} } } }),
  ])
    assert.throws(() => parseIdentityPolicy(text), PolicySyntaxError, text);
});

test("wildcards cost no more than the text is long", () => {
  const pattern = `${S3}${"*a".repeat(200)}`;
  assert.equal(decideOne({ Resource: pattern }, "s3:Get", `${S3}${"a".repeat(50_000)}b`), "implicitDeny");
});
