import assert from "node:assert/strict";
import { test } from "node:test";
import { ALL_OPERATORS, LAMBDA_OPERATORS, PatternError, compilePattern, parseJson } from "./index.ts";

const compile = (pattern: unknown, operators = ALL_OPERATORS) =>
  compilePattern(typeof pattern === "string" ? pattern : JSON.stringify(pattern), { operators });
const matches = (pattern: unknown, event: string) => compile(pattern)(parseJson(event));

/** A pattern, JSON that it matches, and JSON that it does not. */
const MATCHES: readonly (readonly [string, unknown, readonly string[], readonly string[]])[] = [
  ["a text", { a: ["x"] }, ['{"a":"x"}', '{"a":"x","b":1}'], ['{"a":"X"}', '{"a":"xy"}', "{}", '{"b":"x"}']],
  ["one of several", { a: ["x", "y"] }, ['{"a":"x"}', '{"a":"y"}'], ['{"a":"z"}']],
  ["the empty text", { a: [""] }, ['{"a":""}'], ['{"a":null}', '{"a":" "}', "{}"]],
  ["null", { a: [null] }, ['{"a":null}'], ['{"a":"null"}', "{}", '{"a":""}']],
  ["a boolean", { a: [true] }, ['{"a":true}'], ['{"a":false}', '{"a":"true"}']],
  ["a text that looks like a number", { a: ["1"] }, ['{"a":"1"}'], ['{"a":1}']],
  [
    "a number by its value",
    '{"a":[300]}',
    ['{"a":300}', '{"a":300.0}', '{"a":3.0e2}'],
    ['{"a":300.1}', '{"a":"300"}'],
  ],
  ["a number with a fraction", '{"a":[300.50]}', ['{"a":300.5}', '{"a":3.005e2}'], ['{"a":300}']],
  ["a large number by its value", '{"a":[5000000001]}', ['{"a":5000000001.0}'], ['{"a":5000000002}']],
  [
    "a number of many digits by its text",
    '{"a":[12345678901234567]}',
    ['{"a":12345678901234567}'],
    ['{"a":12345678901234567.0}', '{"a":12345678901234568}'],
  ],
  [
    "a number that no double holds",
    '{"a":[9007199254740993]}',
    ['{"a":9007199254740993}'],
    ['{"a":9007199254740992}', '{"a":9007199254740994}'],
  ],
  ["all fields", { a: ["x"], b: ["y"] }, ['{"a":"x","b":"y"}'], ['{"a":"x"}', '{"a":"x","b":"z"}']],
  [
    "fields within",
    { a: { b: { c: [1] } } },
    ['{"a":{"b":{"c":1}}}'],
    ['{"a":{"b":1}}', '{"a":{"c":1}}', '{"a":null}'],
  ],
  [
    "any element of an array",
    { a: ["x"] },
    ['{"a":["y","x"]}', '{"a":[["x"]]}'],
    ['{"a":["y"]}', '{"a":[]}', '{"a":{"x":1}}'],
  ],
  [
    "one element of an array of objects",
    { a: { b: [1], c: [2] } },
    ['{"a":[{"b":1,"c":2}]}', '{"a":[{"b":0},{"b":1,"c":2}]}'],
    ['{"a":[{"b":1},{"c":2}]}', '{"a":[]}'],
  ],
  ["a name of Object.prototype", { constructor: [{ exists: false }] }, ["{}"], ['{"constructor":1}']],
  [
    "prefix",
    { a: [{ prefix: "ab" }] },
    ['{"a":"abc"}', '{"a":"ab"}'],
    ['{"a":"Abc"}', '{"a":"a"}', '{"a":1}', "{}"],
  ],
  ["the empty prefix", { a: [{ prefix: "" }] }, ['{"a":""}', '{"a":"x"}'], ['{"a":null}', "{}"]],
  [
    "prefix without regard to case",
    { a: [{ prefix: { "equals-ignore-case": "EVENT" } }] },
    ['{"a":"eventBridge"}', '{"a":"EVENTx"}'],
    ['{"a":"even"}'],
  ],
  ["suffix", { a: [{ suffix: ".png" }] }, ['{"a":"x.png"}'], ['{"a":"x.PNG"}', '{"a":"png"}']],
  [
    "suffix without regard to case",
    { a: [{ suffix: { "equals-ignore-case": ".PNG" } }] },
    ['{"a":"x.pNg"}'],
    ['{"a":"x.jpg"}'],
  ],
  [
    "equals-ignore-case",
    { a: [{ "equals-ignore-case": "aBc" }] },
    ['{"a":"ABC"}', '{"a":"abc"}'],
    ['{"a":"abcd"}', '{"a":null}'],
  ],
  [
    "wildcard",
    { a: [{ wildcard: "a*b*c" }] },
    ['{"a":"abc"}', '{"a":"aXbYc"}', '{"a":"abbc"}'],
    ['{"a":"ab"}', '{"a":"xabc"}', '{"a":"acb"}'],
  ],
  ["a star alone", { a: [{ wildcard: "*" }] }, ['{"a":""}', '{"a":"x"}'], ['{"a":1}', "{}"]],
  [
    "an escaped star",
    { a: [{ wildcard: "a\\*b\\\\*" }] },
    ['{"a":"a*b\\\\"}', '{"a":"a*b\\\\c"}'],
    ['{"a":"axb\\\\"}', '{"a":"a*b"}'],
  ],
  [
    "no overlap of a wildcard's ends",
    { a: [{ wildcard: "aba*ba" }] },
    ['{"a":"ababa"}'],
    ['{"a":"aba"}', '{"a":"abab"}'],
  ],
  [
    "anything-but",
    { a: [{ "anything-but": "x" }] },
    ['{"a":"y"}', '{"a":1}', '{"a":null}'],
    ['{"a":"x"}', "{}"],
  ],
  [
    "anything-but of several",
    { a: [{ "anything-but": ["x", "y"] }] },
    ['{"a":"z"}'],
    ['{"a":"x"}', '{"a":"y"}'],
  ],
  [
    "anything-but of numbers",
    { a: [{ "anything-but": [1, 2] }] },
    ['{"a":3}', '{"a":"1"}'],
    ['{"a":1}', '{"a":2.0}'],
  ],
  ...[{ "a.b": { c: ["x"] } }, { a: { "b.c": ["x"] } }, { "a.b.c": ["x"] }].map(
    (pattern) =>
      [
        `dots in names join them: ${JSON.stringify(pattern)}`,
        pattern,
        [
          '{"a":{"b":{"c":"x"}}}',
          '{"a.b.c":"x"}',
          '{"a.b":{"c":"x"}}',
          '{"a":[{"z":1},{"b.c":"x"}]}',
          '{"a.b":{"c":"y"},"a":{"b":{"c":"x"}}}',
        ],
        ['{"a.b.c":"y"}', '{"a":{"b":"x"}}', '{"c":"x"}', '{"a..b.c":"x"}'],
      ] as const,
  ),
  ["dots within $or", { $or: [{ "a.b": ["x"] }, { c: ["y"] }] }, ['{"a":{"b":"x"}}'], ['{"a.b":"y"}']],
  ["the last of a field named twice", { a: { b: ["x"] }, "a.b": ["y"] }, ['{"a.b":"y"}'], ['{"a.b":"x"}']],
  ["a prototype's name", { "__proto__.x": ["y"] }, ['{"__proto__":{"x":"y"}}'], ["{}"]],
  [
    "anything-but a prefix",
    { a: [{ "anything-but": { prefix: "x" } }] },
    ['{"a":"yx"}'],
    ['{"a":"xy"}', "{}"],
  ],
  [
    "anything-but suffixes",
    { a: [{ "anything-but": { suffix: ["x", "y"] } }] },
    ['{"a":"xz"}'],
    ['{"a":"zx"}', '{"a":"zy"}'],
  ],
  [
    "anything-but a wildcard",
    { a: [{ "anything-but": { wildcard: "*/lib/*" } }] },
    ['{"a":"a/b"}'],
    ['{"a":"a/lib/b"}'],
  ],
  [
    "anything-but without regard to case",
    { a: [{ "anything-but": { "equals-ignore-case": ["x", "y"] } }] },
    ['{"a":"z"}'],
    ['{"a":"X"}', '{"a":"y"}'],
  ],
  ["numeric =", { a: [{ numeric: ["=", 300] }] }, ['{"a":300}', '{"a":3.0e2}'], ['{"a":301}', '{"a":"300"}']],
  ["numeric <", { a: [{ numeric: ["<", 10] }] }, ['{"a":9.99}', '{"a":-1}'], ['{"a":10}', '{"a":null}']],
  ["numeric >=", { a: [{ numeric: [">=", 10] }] }, ['{"a":10}'], ['{"a":9}']],
  [
    "a numeric range",
    { a: [{ numeric: [">", 0, "<=", 5] }] },
    ['{"a":5}', '{"a":0.1}'],
    ['{"a":0}', '{"a":5.1}'],
  ],
  [
    "cidr",
    { a: [{ cidr: "10.0.0.0/24" }] },
    ['{"a":"10.0.0.255"}'],
    ['{"a":"10.0.1.0"}', '{"a":"x"}', '{"a":"::1"}'],
  ],
  [
    "cidr of IPv6",
    { a: [{ cidr: "2001:db8::/32" }] },
    ['{"a":"2001:db8::1"}'],
    ['{"a":"2001:db9::1"}', '{"a":"10.0.0.1"}'],
  ],
  [
    "exists",
    { a: [{ exists: true }] },
    ['{"a":1}', '{"a":null}', '{"a":[1]}'],
    ["{}", '{"a":{"b":1}}', '{"a":[]}'],
  ],
  [
    "exists: false",
    { a: [{ exists: false }] },
    ["{}", '{"b":1}', '{"a":{"b":1}}'],
    ['{"a":1}', '{"a":null}'],
  ],
  [
    "exists: false within",
    { a: { b: [{ exists: false }] } },
    ["{}", '{"a":{}}', '{"a":1}'],
    ['{"a":{"b":1}}'],
  ],
  ["absent or a value", { a: [{ exists: false }, "x"] }, ["{}", '{"a":"x"}'], ['{"a":"y"}']],
  ["$or", { $or: [{ a: ["x"] }, { b: [1] }] }, ['{"a":"x"}', '{"b":1}'], ['{"a":"y","b":2}', "{}"]],
  [
    "$or beside a field",
    { c: [true], $or: [{ a: ["x"] }, { b: [1] }] },
    ['{"c":true,"b":1}'],
    ['{"c":false,"b":1}', '{"c":true}'],
  ],
  ["$or within", { a: { $or: [{ b: [1] }, { c: [1] }] } }, ['{"a":{"c":1}}'], ['{"a":{"b":2}}']],
  ["a field called $or", { $or: ["x"] }, ['{"$or":"x"}'], ['{"$or":"y"}']],
];

for (const [what, pattern, yes, no] of MATCHES)
  test(`a pattern: ${what}`, () => {
    for (const event of yes) assert.equal(matches(pattern, event), true, event);
    for (const event of no) assert.equal(matches(pattern, event), false, event);
  });

const WRONG: readonly (readonly [unknown, RegExp])[] = [
  ["{", /not valid JSON/],
  ["[]", /not an object/],
  ['"x"', /not an object/],
  [{}, /Empty objects/],
  [{ a: {} }, /Empty objects/],
  [{ a: [] }, /Empty arrays/],
  [{ a: "x" }, /"a" must be an object or an array/],
  [{ a: 1 }, /must be an object or an array/],
  [{ a: [["x"]] }, /^Match value must be String, number, true, false, or null/],
  [{ a: [{}] }, /Only one key/],
  [{ a: [{ prefix: "x", suffix: "y" }] }, /Only one key/],
  [{ a: [{ nothing: 1 }] }, /Unrecognized match type nothing/],
  [{ a: [{ prefix: 1 }] }, /prefix match pattern must be a string/],
  [{ a: [{ prefix: { wildcard: "x" } }] }, /Unsupported expression in prefix/],
  [{ a: [{ exists: "true" }] }, /exists match pattern must be either true or false/],
  [{ a: [{ "anything-but": [] }] }, /Empty arrays/],
  [{ a: [{ "anything-but": ["x", 1] }] }, /mixed type is not supported/],
  [{ a: [{ "anything-but": null }] }, /mixed type is not supported/],
  [{ a: [{ "anything-but": { numeric: ["=", 1] } }] }, /Unsupported anything-but/],
  [
    { a: [{ "anything-but": { prefix: { "equals-ignore-case": "x" } } }] },
    /^Value of anything-but must be an array or single string\/number value\.$/,
  ],
  [{ a: [{ "anything-but": { suffix: [1, "x"] } }] }, /^prefix\/suffix match pattern must be a string$/],
  [{ a: [{ "anything-but": { prefix: "" } }] }, /^Null prefix\/suffix not allowed$/],
  [
    { a: [{ "anything-but": { "equals-ignore-case": 1 } }] },
    /^Inside anything-but\/equals-ignore-case list, number\|start\|null\|boolean is not supported\.$/,
  ],
  [{ a: [{ "anything-but": { wildcard: 1 } }] }, /^wildcard match pattern must be a string$/],
  [{ a: [{ numeric: 1 }] }, /must be an array/],
  [{ a: [{ numeric: ["!", 1] }] }, /Unrecognized numeric range operator/],
  [{ a: [{ numeric: ["=", "1"] }] }, /must be numeric/],
  [{ a: [{ numeric: [">", 0, "<"] }] }, /^Value of < must be numeric$/],
  [{ a: [{ numeric: ["<", 1, ">", 0] }] }, /Too many elements/],
  [{ a: [{ numeric: [">", 0, ">", 0] }] }, /^Bad numeric range operator: >$/],
  [{ a: [{ numeric: [">", 5, "<", 5] }] }, /Bottom must be less than top/],
  [{ a: [{ cidr: "10.0.0.0/33" }] }, /^IPv4 mask bits must be < 32$/],
  [{ a: [{ cidr: "10.0.0.0" }] }, /^Malformed CIDR, one '\/' required$/],
  [{ a: [{ cidr: "10.0.0/24" }] }, /^Nonstandard IP address: 10\.0\.0$/],
  [{ a: [{ cidr: "10.0.0.0/" }] }, /^Malformed CIDR, mask bits must be an integer$/],
  [{ a: [{ cidr: ["10.0.0.0/8"] }] }, /^prefix match pattern must be a string$/],
  [{ a: [{ wildcard: "a**" }] }, /Consecutive wildcard/],
  [{ a: [{ wildcard: "a\\b" }] }, /Invalid escape/],
  [{ $or: [{ a: ["x"] }] }, /at least 2/],
];

test("a pattern that is wrong is refused, with the reason", () => {
  for (const [pattern, reason] of WRONG)
    assert.throws(
      () => compile(pattern),
      (error) => error instanceof PatternError && reason.test(error.message),
      JSON.stringify(pattern),
    );
});

test("Lambda's patterns have no wildcard and no cidr", () => {
  for (const [operator, value] of [
    ["wildcard", "*"],
    ["cidr", "10.0.0.0/8"],
  ])
    assert.throws(
      () => compile({ a: [{ [operator as string]: value }] }, LAMBDA_OPERATORS),
      /Unrecognized match type/,
    );
  assert.throws(
    () => compile({ a: [{ "anything-but": { wildcard: "*" } }] }, LAMBDA_OPERATORS),
    /Unsupported/,
  );
  assert.ok(compile({ a: [{ prefix: "x" }] }, LAMBDA_OPERATORS)({ a: "xy" }));
});

test("$or of too many combinations is refused", () => {
  const choice = { $or: Array.from({ length: 11 }, (_, at) => ({ a: [at] })) };
  assert.throws(() => compile({ x: choice, y: choice, z: choice }), /more than 1000 combinations/);
  assert.ok(compile({ x: choice, y: choice }));
});

test("a hostile wildcard takes no time", () => {
  const matchesAll = compile({ a: [{ wildcard: `${"a*".repeat(1_000)}b` }] });
  assert.equal(matchesAll({ a: "a".repeat(100_000) }), false);
});
