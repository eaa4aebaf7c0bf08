/** When things are due by lifecycle rules. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { abortionOf, enabledRules, expiryOf, markerExpiryOf, noncurrentExpiryOf } from "./rules.ts";

const rules = (...Rules: object[]) =>
  enabledRules(JSON.stringify({ Rules: Rules.map((rule) => ({ Status: "Enabled", ...rule })) }));
const object = { key: "a/b", size: 10, tags: [], isMarker: false };
const at = (text: string) => Date.parse(text);
const NOON = at("2026-03-10T12:00:00Z");

test("days end at the midnight that follows; at midnight, then; the earliest rule counts", () => {
  const one = rules(
    { ID: "late", Filter: {}, Expiration: { Date: "2026-05-01T00:00:00.000Z" } },
    { ID: "days", Prefix: "a/", Expiration: { Days: 3 } },
    { ID: "off", Status: "Disabled", Filter: {}, Expiration: { Days: 1 } },
  );
  assert.deepEqual(expiryOf(one, object, NOON), { id: "days", at: at("2026-03-14T00:00:00Z") });
  assert.equal(expiryOf(one, object, at("2026-03-10T00:00:00Z"))?.at, at("2026-03-13T00:00:00Z"));
  assert.equal(expiryOf(one, { ...object, key: "b" }, NOON)?.id, "late");
  assert.equal(expiryOf([], object, NOON), undefined);
});

test("filters mean prefix, all tags, and sizes strictly between", () => {
  const Tags = [
    { Key: "k", Value: "v" },
    { Key: "l", Value: "w" },
  ];
  const And = { Prefix: "a/", Tags, ObjectSizeGreaterThan: 9, ObjectSizeLessThan: 11 };
  const one = rules({ ID: "all", Filter: { And }, Expiration: { Days: 1 } });
  const tags = [
    ["l", "w"],
    ["k", "v"],
  ] as const;
  assert.ok(expiryOf(one, { ...object, tags }, NOON));
  assert.ok(expiryOf(one, { ...object, tags: undefined }, NOON));
  for (const other of [{ tags: tags.slice(1) }, { size: 9 }, { size: 11 }, { key: "b" }])
    assert.equal(expiryOf(one, { ...object, tags, ...other }, NOON), undefined);
});

test("delete markers have no tags and no size, so rules with such filters do not mean them", () => {
  const expire = { Expiration: { ExpiredObjectDeleteMarker: true } };
  assert.equal(markerExpiryOf(rules({ Filter: {}, ...expire }), "a", NOON)?.at, NOON);
  const sized = rules({ Filter: { ObjectSizeLessThan: 5 }, ...expire });
  assert.equal(markerExpiryOf(sized, "a", NOON), undefined);
  const byDays = rules({ Filter: {}, Expiration: { Days: 1 } });
  assert.equal(markerExpiryOf(byDays, "a", NOON)?.at, at("2026-03-12T00:00:00Z"));
  assert.equal(expiryOf(rules({ Filter: {}, ...expire }), object, NOON), undefined);
});

test("noncurrent versions go by the days since they are, those that are kept excepted", () => {
  const NoncurrentVersionExpiration = { NoncurrentDays: 2, NewerNoncurrentVersions: 3 };
  const one = rules({ Filter: { ObjectSizeGreaterThan: 1 }, NoncurrentVersionExpiration });
  const due = (newer: number, isMarker = false) =>
    noncurrentExpiryOf(one, { ...object, isMarker }, { since: NOON, newer })?.at;
  assert.equal(due(2), undefined);
  assert.equal(due(3), at("2026-03-13T00:00:00Z"));
  assert.equal(due(3, true), undefined);
});

test("uploads are given up by prefix and days", () => {
  const one = rules({ Prefix: "a", AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } });
  assert.equal(abortionOf(one, "ab", NOON)?.at, at("2026-03-12T00:00:00Z"));
  assert.equal(abortionOf(one, "b", NOON), undefined);
});
