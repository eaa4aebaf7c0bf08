/** LocationConstraint against the endpoint's region. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { regionOf } from "./location.ts";

test("us-east-1 takes none, and sends others to their region", () => {
  assert.equal(regionOf("", "us-east-1"), "us-east-1");
  assert.equal(regionOf("eu-central-1", "us-east-1"), "eu-central-1");
  assert.equal(regionOf("EU", "us-east-1"), "eu-west-1");
  assert.throws(() => regionOf("us-east-1", "us-east-1"), { code: "InvalidLocationConstraint" });
  assert.throws(() => regionOf("nowhere", "us-east-1"), { code: "InvalidLocationConstraint" });
});

test("another region wants its own name", () => {
  assert.equal(regionOf("eu-west-1", "eu-west-1"), "eu-west-1");
  assert.throws(() => regionOf("", "eu-west-1"), {
    code: "IllegalLocationConstraintException",
    message: /^The unspecified/,
  });
  assert.throws(() => regionOf("us-west-2", "eu-west-1"), {
    code: "IllegalLocationConstraintException",
    message: /^The us-west-2 location constraint is incompatible/,
  });
});
