/** The filter of ListUsers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readFilter } from "./filter.ts";
import type { User } from "./user.ts";

const ada: User = {
  poolId: "us-east-1_a",
  key: "Ada",
  username: "Ada",
  sub: "0f-1",
  status: "CONFIRMED",
  enabled: true,
  createdAt: 0,
  modifiedAt: 0,
  attributes: { email: "Ada@Example.com", given_name: 'A "quoted" name' },
  credentials: {},
};

test("a filter compares one attribute, whole or by how it begins", () => {
  const passes = (filter: string) => readFilter(filter)(ada);
  for (const one of [
    'username = "Ada"',
    'username ^= "A"',
    'email = "ada@example.com"',
    'email ^= "ADA"',
    'sub="0f-1"',
    'status = "Enabled"',
    'cognito:user_status = "CONFIRMED"',
    'given_name = "A \\"quoted\\" name"',
    "",
  ])
    assert.ok(passes(one), one);
  for (const one of ['username = "ada"', 'email = "ada"', 'name ^= ""', 'status = "Disabled"'])
    assert.ok(!passes(one), one);
});

test("what cannot be searched by, or read, is refused", () => {
  assert.throws(() => readFilter('custom:team = "x"'), /Invalid search attribute: custom:team/);
  for (const one of ["email", 'email != "x"', "email = x", 'email = "x" and name = "y"'])
    assert.throws(() => readFilter(one), /Error while parsing filter/, one);
});
