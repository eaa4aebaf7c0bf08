import assert from "node:assert/strict";
import { test } from "node:test";
import { parseReference, pinnedName } from "./reference.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

test("a reference names registry, repository, and tag or digest; latest where it names neither", () => {
  const cases = {
    "localhost:5000/app:v1": { registry: "localhost:5000", repository: "app", tag: "v1" },
    "localhost/team/app": { registry: "localhost", repository: "team/app", tag: "latest" },
    [`r.io/a/b@${DIGEST}`]: { registry: "r.io", repository: "a/b", digest: DIGEST },
    [`r.io/a__b/c-d:1@${DIGEST}`]: { registry: "r.io", repository: "a__b/c-d", tag: "1", digest: DIGEST },
    "[::1]:5000/app": { registry: "[::1]:5000", repository: "app", tag: "latest" },
    "1.dkr.ecr.eu-west-1.amazonaws.com/x:y": {
      registry: "1.dkr.ecr.eu-west-1.amazonaws.com",
      repository: "x",
      tag: "y",
    },
  };
  for (const [text, expected] of Object.entries(cases))
    assert.deepEqual(parseReference(text), expected, text);
});

test("what names no registry, or is written otherwise, is no reference", () => {
  for (const text of [
    "",
    "app",
    "library/app:1",
    "r.io/",
    "r.io/App",
    "r.io/a:",
    "r.io/a@sha256:12",
    "r.io/a@md5:1",
    "https://r.io/a",
    "r.io/a b",
    "r.io/../a",
    `r.io/${"a".repeat(1_100)}`,
  ])
    assert.equal(parseReference(text), undefined, text);
});

test("a pinned name has the digest in the place of the tag", () => {
  const reference = parseReference("r.io/a:v1");
  assert.ok(reference);
  assert.equal(pinnedName(reference, DIGEST), `r.io/a@${DIGEST}`);
});
