import assert from "node:assert/strict";
import { test } from "node:test";
import { isImmutable, tagMatches } from "./mutability.ts";

test("a star of a pattern stands for any characters, also for none", () => {
  assert.ok(tagMatches("latest", "latest"));
  assert.ok(!tagMatches("latest", "latest2"));
  assert.ok(tagMatches("dev-*", "dev-"));
  assert.ok(tagMatches("*-rc*", "v1-rc2"));
  assert.ok(!tagMatches("*-rc*x", "v1-rc"));
  assert.ok(!tagMatches("ab*ba", "aba"));
  assert.ok(tagMatches("a*b*c", "axxbyyc"));
  assert.ok(!tagMatches("a*b*bc", "abc"));
});

test("exclusions turn mutability round for the tags that they match", () => {
  assert.ok(!isImmutable("MUTABLE", [], "v1"));
  assert.ok(isImmutable("IMMUTABLE", [], "v1"));
  assert.ok(!isImmutable("IMMUTABLE_WITH_EXCLUSION", ["latest"], "latest"));
  assert.ok(isImmutable("IMMUTABLE_WITH_EXCLUSION", ["latest"], "v1"));
  assert.ok(isImmutable("MUTABLE_WITH_EXCLUSION", ["v*"], "v1"));
  assert.ok(!isImmutable("MUTABLE_WITH_EXCLUSION", ["v*"], "dev"));
});
