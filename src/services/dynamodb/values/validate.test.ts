/** Tests of what is refused in attribute values, in DynamoDB's words. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { AttributeValue } from "./value.ts";
import type { Wording } from "./validate.ts";
import { validateValue } from "./validate.ts";

const INVALID = "One or more parameter values were invalid: ";
const OVERFLOW = "Number overflow. Attempting to store a number with magnitude larger than supported range";
const UNDERFLOW =
  "Number underflow. Attempting to store a number with magnitude smaller than supported range";

function refusal(value: AttributeValue, wording: Wording = "current"): string {
  try {
    validateValue(value, wording);
  } catch (error) {
    return (error as Error).message;
  }
  return "accepted";
}

const cases: [title: string, value: AttributeValue, expected: string, wording?: Wording][] = [
  [
    "no type",
    {} as AttributeValue,
    "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
  ],
  [
    "two types",
    { S: "a", N: "1" } as unknown as AttributeValue,
    "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes",
  ],
  ["no number", { N: "abc" }, "The parameter cannot be converted to a numeric value: abc"],
  ["an empty number", { N: "" }, "The parameter cannot be converted to a numeric value: "],
  ["an empty number (older)", { N: "" }, "The parameter cannot be converted to a numeric value", "older"],
  ["a number with a space", { N: " 1" }, "The parameter cannot be converted to a numeric value:  1"],
  ["NaN", { N: "NaN" }, "The parameter cannot be converted to a numeric value: NaN"],
  ["a point alone", { N: "." }, "The parameter cannot be converted to a numeric value: ."],
  ["too large", { N: "1e126" }, OVERFLOW],
  ["far too large", { N: "-1e99999999999" }, OVERFLOW],
  ["too near to zero", { N: "1e-131" }, UNDERFLOW],
  ["a zero written too large", { N: "0e126" }, OVERFLOW],
  [
    "an exponent beyond 64 bits",
    { N: "1e9223372036854775808" },
    "The parameter cannot be converted to a numeric value: 1e9223372036854775808",
  ],
  ["39 digits", { N: "1".repeat(39) }, "Attempting to store more than 38 significant digits in a Number"],
  [
    "NULL false",
    { NULL: false as never },
    `${INVALID}Null attribute value types must have the value of true`,
  ],
  ["no texts", { SS: [] }, `${INVALID}An string set  may not be empty`],
  ["no numbers", { NS: [] }, `${INVALID}An number set  may not be empty`],
  ["no binaries", { BS: [] }, `${INVALID}Binary sets should not be empty`],
  [
    "a text twice",
    { SS: ["b", "a", "b"] },
    `${INVALID}Input collection ["a", "b", "b"] contains duplicates.`,
  ],
  [
    "a text twice (older)",
    { SS: ["b", "a", "b"] },
    `${INVALID}Input collection [b, a, b] contains duplicates.`,
    "older",
  ],
  ["a number twice", { NS: ["2", "1", "2.0"] }, `${INVALID}Input collection contains duplicates.`],
  ["a number twice (older)", { NS: ["2", "1", "2"] }, "Input collection contains duplicates", "older"],
  [
    "a binary twice",
    { BS: [Buffer.from([255]), Buffer.from([0]), Buffer.from([0])] },
    `${INVALID}Input collection ["AA==","/w==","AA=="]of type BS contains duplicates.`,
  ],
  [
    "a binary twice (older)",
    { BS: [Buffer.from([255]), Buffer.from([0]), Buffer.from([0])] },
    `${INVALID}Input collection [/w==, AA==, AA==]of type BS contains duplicates.`,
    "older",
  ],
  [
    "a nested fault",
    { M: { x: { L: [{ N: "x" }] } } },
    "The parameter cannot be converted to a numeric value: x",
  ],
  [
    "33 levels",
    nested(32),
    "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit",
  ],
  ["32 levels", nested(31), "accepted"],
  ["an empty attribute name", { M: { "": { S: "a" } } }, `${INVALID}An attribute name must not be empty`],
  ["an empty text", { S: "" }, "accepted"],
  ["an empty binary", { B: new Uint8Array() }, "accepted"],
  ["a set with an empty text", { SS: ["", "a"] }, "accepted"],
];

for (const [title, value, expected, wording] of cases)
  test(`an attribute value: ${title}`, () => assert.equal(refusal(value, wording), expected));

function stored(text: string): string | undefined {
  return validateValue({ N: text }, "current").N;
}

test("numbers are stored in one form", () => {
  assert.deepEqual(
    ["007", "-0", "+1.50", "1e3", "1.5E-3", ".5", "5.", "100", "-12.10", "0e125"].map(stored),
    ["7", "0", "1.5", "1000", "0.0015", "0.5", "5", "100", "-12.1", "0"],
  );
  assert.equal(stored("1E125"), `1${"0".repeat(125)}`);
  assert.equal(stored("1e-130"), `0.${"0".repeat(129)}1`);
});

function nested(levels: number): AttributeValue {
  let value: AttributeValue = { S: "leaf" };
  for (let level = 0; level < levels; level += 1) value = { M: { n: value } };
  return value;
}
