import assert from "node:assert/strict";
import { test } from "node:test";
import { expiredImages } from "./expired.ts";
import type { Candidate } from "./expired.ts";
import { readLifecyclePolicy } from "./policy.ts";

const DAY_MS = 24 * 3_600_000;
const NOW = 100 * DAY_MS;

interface Selection {
  readonly tagStatus: string;
  readonly countType?: string;
  readonly countUnit?: string;
  readonly countNumber?: number;
  readonly tagPrefixList?: readonly string[];
  readonly tagPatternList?: readonly string[];
  readonly storageClass?: string;
}

function rule(rulePriority: number, selection: Selection, action: object = { type: "expire" }) {
  const count = { countType: "imageCountMoreThan", countNumber: 1 };
  return { rulePriority, selection: { ...count, ...selection }, action };
}

const read = (...rules: readonly object[]) => readLifecyclePolicy(JSON.stringify({ rules }));

const image = (digest: string, daysOld: number, ...tags: string[]): Candidate => ({
  digest,
  tags,
  pushedAt: NOW - daysOld * DAY_MS,
  isInList: false,
});

const expired = (rules: Parameters<typeof expiredImages>[0], images: readonly Candidate[]) =>
  expiredImages(rules, images, NOW).map((one) => `${one.image.digest}/${one.priority}`);

test("more images than a rule keeps expire from the oldest, and by age those that are older", () => {
  const images = [image("a", 3, "v3"), image("b", 1, "v1"), image("c", 2, "v2"), image("d", 9)];
  assert.deepEqual(expired(read(rule(1, { tagStatus: "any", countNumber: 2 })), images), ["a/1", "d/1"]);
  const byAge = { countType: "sinceImagePushed", countUnit: "days", countNumber: 3 };
  assert.deepEqual(expired(read(rule(1, { tagStatus: "any", ...byAge })), images), ["a/1", "d/1"]);
  assert.deepEqual(expired(read(rule(1, { tagStatus: "untagged", ...byAge })), images), ["d/1"]);
});

test("a tagged image is selected where every pattern matches one of its tags", () => {
  const both = { tagStatus: "tagged", tagPrefixList: ["prod", "team"], countNumber: 1 };
  const images = [image("a", 3, "prod1", "team1"), image("b", 2, "prod2", "team2"), image("c", 9, "prod3")];
  assert.deepEqual(expired(read(rule(5, both)), images), ["a/5"]);
  const pattern = { tagStatus: "tagged", tagPatternList: ["*-rc*"], countNumber: 1 };
  const more = [image("a", 3, "v1-rc1"), image("b", 2, "v1-rc2"), image("c", 9, "v1")];
  assert.deepEqual(expired(read(rule(1, pattern)), more), ["a/1"]);
});

test("what an earlier rule selects, a later one does not expire, but counts", () => {
  const rules = read(
    rule(2, { tagStatus: "any", countNumber: 1 }),
    rule(1, { tagStatus: "tagged", tagPrefixList: ["keep"], countNumber: 10 }),
  );
  const images = [image("a", 1, "keep1"), image("b", 2, "dev"), image("c", 3, "keep2")];
  assert.deepEqual(expired(rules, images), ["b/2"]);
  const listed = images.map((one) => ({ ...one, isInList: one.digest === "b" }));
  assert.deepEqual(expired(rules, listed), []);
});

test("a policy that is none is refused with what is wrong", () => {
  const refused = (policy: unknown, pattern: RegExp) =>
    assert.throws(() => readLifecyclePolicy(JSON.stringify(policy)), pattern);
  assert.throws(() => readLifecyclePolicy("{"), /Could not map policyString into LifecyclePolicy/);
  refused([], /Could not map/);
  refused({}, /missing required properties \(\["rules"\]\)/);
  refused({ rules: [] }, /1 to 50 rules/);
  refused({ rules: [rule(1, { tagStatus: "tagged" })] }, /Must specify tagPrefixList or tagPatternList/);
  refused({ rules: [rule(1, { tagStatus: "any", tagPrefixList: ["a"] })] }, /Cannot specify/);
  refused({ rules: [rule(1, { tagStatus: "some" })] }, /not found in enum/);
  refused({ rules: [rule(0, { tagStatus: "any" })] }, /lower than the required minimum/);
  refused({ rules: [rule(1, { tagStatus: "any", countUnit: "days" })] }, /countUnit/);
  refused({ rules: [{ ...rule(1, { tagStatus: "any" }), more: 1 }] }, /not allowed by the schema/);
  refused(
    { rules: [rule(1, { tagStatus: "any" }), rule(2, { tagStatus: "untagged" })] },
    /tagStatus=ANY must have the lowest priority/,
  );
  refused({ rules: [rule(1, { tagStatus: "untagged" }), rule(1, { tagStatus: "any" })] }, /unique/);
  refused(
    { rules: [rule(1, { tagStatus: "tagged", tagPatternList: ["*a*b*c*d*"] })] },
    /at most 4 wildcards/,
  );
  const archive = { type: "transition", targetStorageClass: "archive" };
  refused(
    { rules: [rule(1, { tagStatus: "any" }, archive)] },
    /does not implement the storage class archive/,
  );
  refused({ rules: [rule(1, { tagStatus: "any", storageClass: "archive" })] }, /does not implement/);
});
