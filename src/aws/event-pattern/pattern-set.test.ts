import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL_OPERATORS, PatternSet, compilePattern, parseJson } from "./index.ts";
import { RangeIndex } from "./range-index.ts";

function setOf(patterns: readonly unknown[]) {
  return new PatternSet(
    patterns.map((pattern, item) => {
      const text = typeof pattern === "string" ? pattern : JSON.stringify(pattern);
      return { item, text, matches: compilePattern(text, { operators: ALL_OPERATORS }) };
    }),
  );
}

/** Every way in which a pattern is found, and some in which it is not. */
const PATTERNS: readonly unknown[] = [
  { source: ["a"] },
  { source: ["a", "b"], "detail-type": ["x"] },
  { source: [{ prefix: "a." }] },
  { source: [{ prefix: { "equals-ignore-case": "A." } }] },
  { source: [{ suffix: ".z" }] },
  { source: [{ suffix: { "equals-ignore-case": ".Z" } }] },
  { source: [{ "equals-ignore-case": "STRASSE" }] },
  { source: [{ wildcard: "a.*.z" }] },
  { source: [{ wildcard: "*mid*" }] },
  { source: [{ wildcard: "a\\*b" }] },
  { source: [{ "anything-but": "a" }] },
  { source: [{ "anything-but": { prefix: "a" } }] },
  { source: [{ exists: true }] },
  { source: [{ exists: false }] },
  { source: [{ exists: false }, "a"] },
  { detail: { n: [{ numeric: ["=", 3] }] } },
  { detail: { n: [{ numeric: [">", 1, "<=", 5] }] } },
  { detail: { n: [{ numeric: ["<", 0] }] } },
  { detail: { n: [3] } },
  '{"detail":{"n":[3.0]}}',
  { detail: { n: [null] } },
  { detail: { n: [true] } },
  { detail: { ip: [{ cidr: "10.0.0.0/8" }] } },
  { detail: { list: { b: ["1"], c: ["2"] } } },
  { detail: { tags: ["red", "blue"] } },
  { detail: { a: { b: [{ exists: false }] } } },
  { $or: [{ source: ["a"] }, { detail: { n: [4] } }] },
  { source: ["a"], $or: [{ detail: { n: [4] } }, { detail: { ip: [{ exists: false }] } }] },
  { $or: ["a field of that name"] },
  { constructor: [{ exists: true }] },
];

const EVENTS = [
  "{}",
  '{"source":"a"}',
  '{"source":"b","detail-type":"x"}',
  '{"source":"a.b"}',
  '{"source":"A.b.Z"}',
  '{"source":"a.mid.z"}',
  '{"source":"straße"}',
  '{"source":"STRASSE"}',
  '{"source":"a*b"}',
  '{"source":["q","a"]}',
  '{"source":[]}',
  '{"source":{"a":1}}',
  '{"source":null}',
  '{"detail":{"n":3}}',
  '{"detail":{"n":3.0}}',
  '{"detail":{"n":"3"}}',
  '{"detail":{"n":-0.5}}',
  '{"detail":{"n":[9,4]}}',
  '{"detail":{"n":null}}',
  '{"detail":{"n":true,"ip":"10.1.2.3"}}',
  '{"detail":{"list":[{"b":"1"},{"c":"2"}]}}',
  '{"detail":{"list":[{"b":"1","c":"2"}],"tags":["green","blue"]}}',
  '{"detail":[{"n":4},{"a":{"b":1}}]}',
  '{"detail":{"a":{"b":1}}}',
  '{"$or":"a field of that name"}',
  '{"constructor":1}',
];

test("a set of patterns finds the same as trying each of them", () => {
  const set = setOf(PATTERNS);
  const alone = PATTERNS.map((pattern) => setOf([pattern]));
  let matches = 0;
  for (const text of EVENTS) {
    const event = parseJson(text);
    const expected = PATTERNS.flatMap((pattern, item) => {
      const source = typeof pattern === "string" ? pattern : JSON.stringify(pattern);
      return compilePattern(source, { operators: ALL_OPERATORS })(event) ? [item] : [];
    });
    assert.deepEqual(
      set.match(event).sort((one, other) => one - other),
      expected,
      text,
    );
    assert.deepEqual(
      alone.flatMap((one, item) => one.match(event).map(() => item)),
      expected,
      `each alone: ${text}`,
    );
    matches += expected.length;
  }
  assert.ok(matches > 60);
});

test("patterns come and go: what is left finds the same as a set of its own, and nothing else is left", () => {
  const entries = PATTERNS.map((pattern, item) => {
    const text = typeof pattern === "string" ? pattern : JSON.stringify(pattern);
    return { item, text, matches: compilePattern(text, { operators: ALL_OPERATORS }) };
  });
  const set = new PatternSet(entries.slice(0, 10));
  for (const entry of entries.slice(10)) set.add(entry);
  // Each third goes, by steps that pass through all of them; then it comes again.
  for (let round = 0; round < 3; round++) {
    const gone = entries.filter(({ item }) => item % 3 === round);
    for (const entry of gone) set.remove(entry);
    for (const entry of gone) set.remove(entry);
    const rest = new PatternSet(entries.filter((entry) => !gone.includes(entry)));
    assert.equal(set.size, rest.size);
    for (const text of EVENTS)
      assert.deepEqual(
        set.match(parseJson(text)).sort((one, other) => one - other),
        rest.match(parseJson(text)).sort((one, other) => one - other),
        text,
      );
    for (const entry of gone) set.add(entry);
  }
  for (const entry of entries) set.remove(entry);
  assert.equal(set.size, 0);
  for (const text of EVENTS) assert.deepEqual(set.match(parseJson(text)), []);
});

test("patterns that come one by one are found as fast as those that come together", () => {
  let count = 0;
  const set = new PatternSet<number>([]);
  for (let at = 0; at < 2_000; at++) {
    const text = JSON.stringify({ source: ["shop"], "detail-type": ["Order"], detail: { id: [`k${at}`] } });
    const matches = compilePattern(text, { operators: ALL_OPERATORS });
    set.add({ item: at, text, matches: (one: unknown) => (count++, matches(one)) });
  }
  assert.deepEqual(set.match({ source: "shop", "detail-type": "Order", detail: { id: "k77" } }), [77]);
  assert.ok(count <= 3, `${count} were tried`);
});

/** How many patterns of a set are tried for an event. */
function tries(patterns: readonly object[], event: unknown): number {
  let count = 0;
  const set = new PatternSet(
    patterns.map((pattern, item) => {
      const text = JSON.stringify(pattern);
      const matches = compilePattern(text, { operators: ALL_OPERATORS });
      return { item, text, matches: (one: unknown) => (count++, matches(one)) };
    }),
  );
  set.match(event);
  return count;
}

test("of ten thousand patterns only those are tried that a rare condition leads to", () => {
  const many = Array.from({ length: 10_000 }, (_, at) => at);
  const event = { source: "shop", "detail-type": "Order", detail: { id: "k77", price: 77.5, who: "u77" } };
  const all = (detail: (at: number) => object) =>
    many.map((at) => ({ source: ["shop"], "detail-type": ["Order"], detail: detail(at) }));
  assert.equal(
    tries(
      all((at) => ({ id: [`k${at}`] })),
      event,
    ),
    1,
  );
  assert.equal(
    tries(
      all((at) => ({ id: [{ prefix: `k${at}` }] })),
      event,
    ),
    2,
    "k7 and k77",
  );
  assert.equal(
    tries(
      all((at) => ({ id: [{ wildcard: `k${at}*` }] })),
      event,
    ),
    2,
  );
  assert.equal(
    tries(
      all((at) => ({ id: [{ suffix: `${at}` }] })),
      event,
    ),
    2,
    "7 and 77",
  );
  assert.equal(
    tries(
      all((at) => ({ who: [{ "equals-ignore-case": `U${at}` }] })),
      event,
    ),
    1,
  );
  assert.equal(
    tries(
      all((at) => ({ price: [{ numeric: [">", at, "<", at + 1] }] })),
      event,
    ),
    1,
  );
  assert.equal(
    tries(
      all((at) => ({ [`field${at}`]: [{ exists: true }] })),
      event,
    ),
    0,
  );
  assert.equal(
    tries(
      many.map((at) => ({ $or: [{ detail: { id: [`k${at}`] } }, { detail: { who: [`v${at}`] } }] })),
      event,
    ),
    1,
  );
});

test("ranges are found by a number within", () => {
  const index = new RangeIndex<number>();
  const ranges = Array.from({ length: 300 }, (_, at) => [
    (at * 37) % 100,
    ((at * 37) % 100) + ((at * 13) % 40),
  ]);
  for (const [at, [from = 0, to = 0]] of ranges.entries()) index.add(from, to, at);
  for (let value = -1; value < 141; value += 0.5) {
    const found = new Set<number>();
    index.collect(value, found);
    const expected = ranges.flatMap(([from = 0, to = 0], at) => (from <= value && value <= to ? [at] : []));
    assert.deepEqual(
      [...found].sort((one, other) => one - other),
      expected,
    );
  }
});
