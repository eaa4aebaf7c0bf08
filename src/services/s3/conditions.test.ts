/** Which condition wins when several are given. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkCopySource, checkWrite, checkWriteHeaders, evaluateRead, matchesEtag } from "./conditions.ts";

const subject = { etag: "abc", lastModified: Date.UTC(2026, 0, 1, 12, 0, 0, 700) };
const before = new Date(Date.UTC(2026, 0, 1, 11));
const same = new Date(Date.UTC(2026, 0, 1, 12));
const after = new Date(Date.UTC(2026, 0, 1, 13));

test("entity tags match with and without quotes, weak, in a list, and by star", () => {
  for (const header of ['"abc"', "abc", 'W/"abc"', '"x", "abc"', "*"])
    assert.ok(matchesEtag(header, "abc"), header);
  assert.ok(!matchesEtag('"ab"', "abc"));
});

test("reads: If-Match goes before If-Unmodified-Since, If-None-Match before If-Modified-Since", () => {
  assert.equal(evaluateRead(subject, { ifMatch: "abc", ifUnmodifiedSince: before }), undefined);
  assert.equal(evaluateRead(subject, { ifMatch: "x", ifUnmodifiedSince: after }), "If-Match");
  assert.equal(evaluateRead(subject, { ifUnmodifiedSince: before }), "If-Unmodified-Since");
  assert.equal(evaluateRead(subject, { ifUnmodifiedSince: same }), undefined);
  assert.equal(evaluateRead(subject, { ifNoneMatch: "abc", ifModifiedSince: before }), "NotModified");
  assert.equal(evaluateRead(subject, { ifNoneMatch: "x", ifModifiedSince: after }), undefined);
  assert.equal(evaluateRead(subject, { ifModifiedSince: same }), "NotModified");
  assert.equal(evaluateRead(subject, { ifModifiedSince: before }), undefined);
});

test("a copy's source answers 412 where a read answers 304", () => {
  assert.throws(() => checkCopySource(subject, { ifNoneMatch: "abc" }), {
    code: "PreconditionFailed",
    members: { Condition: "x-amz-copy-source-If-None-Match" },
  });
  assert.throws(() => checkCopySource(subject, { ifModifiedSince: after }), { code: "PreconditionFailed" });
  checkCopySource(subject, { ifMatch: "abc", ifUnmodifiedSince: before });
});

test("writes: star alone in If-None-Match, and If-Match needs an object", () => {
  assert.throws(() => checkWriteHeaders({ ifNoneMatch: '"abc"' }), { code: "NotImplemented" });
  assert.throws(() => checkWrite({ ifNoneMatch: "*" }, subject, "k"), { code: "PreconditionFailed" });
  assert.throws(() => checkWrite({ ifMatch: "abc" }, undefined, "k"), { code: "NoSuchKey" });
  assert.throws(() => checkWrite({ ifMatch: "x" }, subject, "k"), { code: "PreconditionFailed" });
  checkWrite({ ifMatch: '"abc"' }, subject, "k");
  checkWrite({ ifNoneMatch: "*" }, undefined, "k");
});
