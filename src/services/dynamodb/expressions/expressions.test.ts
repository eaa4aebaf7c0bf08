/** Golden tests of what DynamoDB says about expressions it refuses, and of conditions it evaluates. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { AttributeValue } from "../values/value.ts";
import { readExpressions } from "../items/expressions.ts";
import type { ExpressionMembers } from "../items/expressions.ts";
import { isSatisfied } from "./evaluate.ts";
import { RESERVED_WORD_COUNT, isReservedWord } from "./reserved-words.ts";

function refusal(members: ExpressionMembers): string {
  try {
    readExpressions(members, "current");
  } catch (error) {
    return (error as Error).message;
  }
  return "accepted";
}

const values: Record<string, AttributeValue> = {
  ":s": { S: "a" },
  ":n": { N: "1" },
  ":b": { B: Buffer.from("b") },
  ":t": { BOOL: true },
  ":ss": { SS: ["a"] },
  ":l": { L: [] },
  ":m": { M: {} },
  ":nul": { NULL: true },
  ":x": { S: "X" },
  ":z": { S: "z" },
};
const names: Record<string, string> = { "#a": "a", "#b": "b", "#k": "key.with.dots" };

/** The substitutes that an expression mentions, so that none is left over. */
function mentioned<T>(all: Record<string, T>, source: string): Record<string, T> | undefined {
  const used = Object.entries(all).filter(([name]) => new RegExp(`${name}(?![A-Za-z0-9_])`).test(source));
  return used.length > 0 ? Object.fromEntries(used) : undefined;
}

function members(member: string, source: string): ExpressionMembers {
  return {
    [member]: source,
    ExpressionAttributeValues: mentioned(values, source),
    ExpressionAttributeNames: mentioned(names, source),
  };
}

const conditions: [source: string, expected: string][] = [
  ["", "The expression can not be empty;"],
  ["a = :s", "accepted"],
  ["(a = :s)", "accepted"],
  ["(a = :s) AND (b = :s)", "accepted"],
  ["not a = :s or b between :n and :n and c in (:s, :x)", "accepted"],
  ["NOT NOT attribute_exists(a)", "accepted"],
  ["(a) = (:s)", "accepted"],
  ["size(a) > :n", "accepted"],
  ["a.b[3].#k <> :s", "accepted"],
  ["((a = :s))", "The expression has redundant parentheses;"],
  ["((a)) = :s", "The expression has redundant parentheses;"],
  ["a", 'Syntax error; token: "<EOF>", near: "a"'],
  ["a =", 'Syntax error; token: "<EOF>", near: "="'],
  ["attribute_not_exists(", 'Syntax error; token: "<EOF>", near: "("'],
  ["attribute_exists()", 'Syntax error; token: ")", near: "()"'],
  ["a = :s b", 'Syntax error; token: "b", near: ":s b"'],
  ["a == :s", 'Syntax error; token: "=", near: "== :s"'],
  ["a ! :s", 'Syntax error; token: "!", near: "a ! :s"'],
  ["!!!", 'Syntax error; token: "!", near: "!!"'],
  ["_a = :s", 'Syntax error; token: "_", near: "_a"'],
  ["a[b] = :s", 'Syntax error; token: "b", near: "[b]"'],
  ["a AND b = :s", 'Syntax error; token: "AND", near: "a AND b"'],
  ["a BETWEEN :n", 'Syntax error; token: "<EOF>", near: ":n"'],
  ["a IN :s", 'Syntax error; token: ":s", near: "IN :s"'],
  [`a IN (${Array(100).fill(":s").join(", ")})`, "accepted"],
  [
    `a IN (${Array(101).fill(":s").join(", ")})`,
    "Incorrect number of operands for operator or function; operator or function: IN, number of operands: 101",
  ],
  ["nope(a, :s)", "Invalid function name; function: nope"],
  ["if_not_exists(a, :s)", "Invalid function name; function: if_not_exists"],
  ["size(a)", "The function is not allowed to be used this way in an expression; function: size"],
  [
    "attribute_exists(a) = :t",
    "The function is not allowed to be used this way in an expression; function: attribute_exists",
  ],
  [
    "contains(a, begins_with(b, :s))",
    "The function is not allowed to be used this way in an expression; function: begins_with",
  ],
  ["status = :s", "Attribute name is a reserved keyword; reserved keyword: status"],
  ["a.Name = :s", "Attribute name is a reserved keyword; reserved keyword: Name"],
  [
    "#undefined = :s",
    "An expression attribute name used in the document path is not defined; attribute name: #undefined",
  ],
  [
    "a = :undefined",
    "An expression attribute value used in expression is not defined; attribute value: :undefined",
  ],
  [
    "attribute_exists(a, b)",
    "Incorrect number of operands for operator or function; operator or function: attribute_exists, number of operands: 2",
  ],
  [
    "begins_with(a)",
    "Incorrect number of operands for operator or function; operator or function: begins_with, number of operands: 1",
  ],
  [
    "attribute_exists(:s)",
    "Operator or function requires a document path; operator or function: attribute_exists",
  ],
  [
    "begins_with(a, :n)",
    "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
  ],
  [
    "size(:n) = :n",
    "Incorrect operand type for operator or function; operator or function: size, operand type: N",
  ],
  ["a < :t", "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL"],
  [
    "a BETWEEN :t AND :t",
    "Incorrect operand type for operator or function; operator or function: BETWEEN, operand type: BOOL",
  ],
  [
    "attribute_type(a, :n)",
    "Incorrect operand type for operator or function; operator or function: attribute_type, operand type: N",
  ],
  [
    "attribute_type(a, b)",
    "Incorrect operand type for operator or function; operator or function: attribute_type, operand type: {NS,SS,L,BS,N,M,B,BOOL,NULL,S}",
  ],
  [
    "attribute_type(a, :x)",
    "Invalid attribute type name found; type: X, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
  ],
  [
    "a = a",
    "The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [a]",
  ],
  [
    "contains(#a.x[0], a.x[0])",
    "The first operand must be distinct from the remaining operands for this operator or function; operator: contains, first operand: [a, x, [0]]",
  ],
  [
    "a BETWEEN :n AND :s",
    "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {N:1}, upper bound operand: AttributeValue: {S:a}",
  ],
  [
    "a BETWEEN :ss AND :t",
    "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {SS:[a]}, upper bound operand: AttributeValue: {BOOL:true}",
  ],
  [
    "a BETWEEN :z AND :s",
    "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {S:z}, upper bound operand: AttributeValue: {S:a}",
  ],
  ["a[2147483648] = :s", "List index is not within the allowable range; index: [2147483648]"],
  ["(".repeat(400), "The expression has too many nested parentheses; limit: 300"],
  [Array(151).fill("a=:s").join(" OR "), "The expression contains too many operators; operator count: 301"],
  [Array(150).fill("a=:s").join(" OR "), "accepted"],
  [
    `a = :s ${" ".repeat(4096)}`,
    "Expression size has exceeded the maximum allowed size; expression size: 4103",
  ],
];

const updates: [source: string, expected: string][] = [
  ["", "The expression can not be empty;"],
  ["SET a = :s, b.c[1] = if_not_exists(b, :n) + :n REMOVE d, e[0] ADD f :n DELETE g :ss", "accepted"],
  ["set a = (b - :n) remove c", "accepted"],
  ["SET a = list_append(list_append(a, :l), :l)", "accepted"],
  ["INVALID SYNTAX HERE", 'Syntax error; token: "INVALID", near: "INVALID SYNTAX"'],
  ["ADD hits : incr", 'Syntax error; token: ":", near: "hits : incr"'],
  ["SET a", 'Syntax error; token: "<EOF>", near: "a"'],
  ["SET a = :s,", 'Syntax error; token: "<EOF>", near: ","'],
  ["SET a = :s, , b = :s", 'Syntax error; token: ",", near: ", , b"'],
  [`SET a = ${"list_append(".repeat(200)}b${", :l)".repeat(200)}`, "accepted"],
  [`SET a = ${"(".repeat(1000)}`, "The expression has too many nested parentheses; limit: 300"],
  ["SET a = b + :n + :n", 'Syntax error; token: "+", near: ":n + :n"'],
  ["SET :s = a", 'Syntax error; token: ":s", near: "SET :s ="'],
  ["ADD a b", 'Syntax error; token: "b", near: "a b"'],
  ["SET a = :s SET b = :s", 'The "SET" section can only be used once in an update expression;'],
  ["SET size = :s", "Attribute name is a reserved keyword; reserved keyword: size"],
  ["SET a = nope(b)", "Invalid function name; function: nope"],
  ["SET a = size(b)", "Invalid function name; function: size"],
  [
    "SET #no = :s",
    "An expression attribute name used in the document path is not defined; attribute name: #no",
  ],
  ["SET a = :no", "An expression attribute value used in expression is not defined; attribute value: :no"],
  [
    "SET a = :s, #a = :s",
    "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a]",
  ],
  [
    "SET a.b = :s REMOVE a",
    "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a]",
  ],
  [
    "SET a.b = :s, a[0] = :s",
    "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a, [0]]",
  ],
  ["ADD a :s", "Incorrect operand type for operator or function; operator: ADD, operand type: STRING"],
  ["ADD a :l", "Incorrect operand type for operator or function; operator: ADD, operand type: LIST"],
  ["DELETE a :n", "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER"],
  ["DELETE a :m", "Incorrect operand type for operator or function; operator: DELETE, operand type: MAP"],
  [
    "SET a = :s + b",
    "Incorrect operand type for operator or function; operator or function: +, operand type: S",
  ],
  [
    "SET a = b - :t",
    "Incorrect operand type for operator or function; operator or function: -, operand type: BOOL",
  ],
  [
    "SET a = list_append(a, :s)",
    "Incorrect operand type for operator or function; operator or function: list_append, operand type: S",
  ],
  [
    "SET a = list_append(a)",
    "Incorrect number of operands for operator or function; operator or function: list_append, number of operands: 1",
  ],
  [
    "SET a = if_not_exists(:s, :s)",
    "Operator or function requires a document path; operator or function: if_not_exists",
  ],
];

const projections: [source: string, expected: string][] = [
  ["", "The expression can not be empty;"],
  ["a, b.c, d[0][1], #k", "accepted"],
  ["!!!", 'Syntax error; token: "!", near: "!!"'],
  ["a b", 'Syntax error; token: "b", near: "a b"'],
  ["a, name", "Attribute name is a reserved keyword; reserved keyword: name"],
  ["#no", "An expression attribute name used in the document path is not defined; attribute name: #no"],
  [
    "a, a",
    "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a]",
  ],
  [
    "a, a.b",
    "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a, b]",
  ],
  [
    "a[1].b, a[1]",
    "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a, [1], b], path two: [a, [1]]",
  ],
  [
    "a.b, a[0]",
    "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a, [0]]",
  ],
];

for (const [member, cases] of [
  ["ConditionExpression", conditions],
  ["FilterExpression", conditions],
  ["UpdateExpression", updates],
  ["ProjectionExpression", projections],
] as const)
  for (const [source, expected] of cases)
    test(`${member} ${JSON.stringify(source.trim().slice(0, 80))}`, () =>
      assert.equal(
        refusal(members(member, source)),
        expected === "accepted" ? expected : `Invalid ${member}: ${expected}`,
      ));

test("a key condition may repeat parentheses", () => {
  assert.equal(refusal(members("KeyConditionExpression", "((a = :s)) AND ((b = :n))")), "accepted");
});

test("names and values that no expression uses are refused", () => {
  const ConditionExpression = "attribute_exists(a)";
  const cases: [ExpressionMembers, string][] = [
    [{ ExpressionAttributeNames: {} }, "ExpressionAttributeNames must not be empty"],
    [{ ExpressionAttributeValues: {} }, "ExpressionAttributeValues must not be empty"],
    [
      { ExpressionAttributeNames: { a: "a" } },
      'ExpressionAttributeNames contains invalid key: Syntax error; key: "a"',
    ],
    [
      { ExpressionAttributeValues: { "#a": { S: "a" } } },
      'ExpressionAttributeValues contains invalid key: Syntax error; key: "#a"',
    ],
    [
      { ExpressionAttributeNames: { "#u": "a", "#v": "b" } },
      "Value provided in ExpressionAttributeNames unused in expressions: keys: {#u, #v}",
    ],
    [
      { ExpressionAttributeValues: { ":u": { S: "a" } } },
      "Value provided in ExpressionAttributeValues unused in expressions: keys: {:u}",
    ],
    [
      { ExpressionAttributeValues: { ":u": { SS: [] } } },
      "ExpressionAttributeValues contains invalid value: One or more parameter values were invalid: An string set  may not be empty for key :u",
    ],
  ];
  for (const [more, expected] of cases) assert.equal(refusal({ ConditionExpression, ...more }), expected);
});

test("the list of reserved words is whole", () => {
  assert.equal(RESERVED_WORD_COUNT, 573);
  for (const word of ["ABORT", "zone", "Ttl", "url"]) assert.ok(isReservedWord(word), word);
  for (const word of ["id", "pk", "email", "ttls"]) assert.ok(!isReservedWord(word), word);
});

const item: Record<string, AttributeValue> = {
  a: { S: "abc" },
  n: { N: "10" },
  b: { B: Buffer.from("abc") },
  t: { BOOL: true },
  nul: { NULL: true },
  ss: { SS: ["a", "b"] },
  ns: { NS: ["1", "2"] },
  bs: { BS: [Buffer.from("b"), Buffer.from("c")] },
  l: { L: [{ S: "a" }, { N: "1" }, { M: { q: { S: "z" } } }] },
  m: { M: { x: { N: "1" }, y: { S: "a" } } },
};

const evaluations: [source: string, expected: boolean][] = [
  ["attribute_exists(m.x) AND attribute_not_exists(m.absent)", true],
  ["attribute_exists(l[2].q) AND attribute_not_exists(l[3])", true],
  ["begins_with(a, :s) AND contains(a, :s)", true],
  ["begins_with(n, :s)", false],
  [
    "contains(ss, :s) AND contains(ns, :n) AND contains(l, :n) AND contains(bs, :b) AND contains(b, :b)",
    true,
  ],
  ["contains(m, :s)", false],
  ["contains(n, :n)", false],
  ["n > :n AND NOT n < :n AND n <> :n", true],
  ["n > :s", false],
  ["absent <> :s", true],
  ["absent = :s OR absent < :s", false],
  ["a BETWEEN :s AND :z", true],
  ["absent BETWEEN :s AND :z", false],
  ["m.y IN (:n, :s)", true],
  ["size(a) > size(ss) AND size(l) = size(b) AND size(m) > :n", true],
  ["size(t) = :n", false],
  ["attribute_type(m, :x)", false],
  ["l[0] = :s AND l[2].q = :z", true],
  ["t = :t AND nul = :nul", true],
  ["NOT (a = :s OR n = :n) AND a <> n", true],
  ["a = :s OR n = :n AND a = :s", false],
];

for (const [source, expected] of evaluations)
  test(`evaluates ${source}`, () => {
    const given = { ...members("ConditionExpression", source) };
    const all = mentioned({ ...values, ":x": { S: "S" } }, source);
    const { condition } = readExpressions({ ...given, ExpressionAttributeValues: all }, "current");
    assert.ok(condition);
    assert.equal(isSatisfied(condition, item), expected);
  });
