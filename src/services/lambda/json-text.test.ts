import assert from "node:assert/strict";
import { test } from "node:test";
import { jsonFault } from "./json-text.ts";

const VALID = [
  "{}",
  "[]",
  " null ",
  "true",
  "-0",
  "1.5e+10",
  '"\\u00e9 \\n ü €"',
  '{"a":[1,2,{"b":null}],"c":"d"}',
  "[1 , 2\n]",
  '{"":""}',
];
const INVALID = [
  "",
  " ",
  "{",
  "[1,]",
  '{"a":1,}',
  "{'a':1}",
  "01",
  "1.",
  "-",
  "+1",
  "nul",
  "truex",
  "not json",
  '"\t"',
  '"\\x"',
  '"\\u12g4"',
  '"abc',
  "{} {}",
  '{"a" 1}',
  "NaN",
  "[",
  '{"a"',
  '{"a":',
  "1e",
  "\ufeff{}",
];

const agrees = (candidate: string) => {
  let valid = true;
  try {
    JSON.parse(candidate);
  } catch {
    valid = false;
  }
  assert.equal(jsonFault(Buffer.from(candidate)) === undefined, valid, candidate);
};

test("what JSON.parse takes is taken, what it refuses is refused", () => {
  for (const text of [...VALID, ...INVALID]) agrees(text);
});

test("every truncation and many mutations of a document agree with JSON.parse", () => {
  const text = '{"k":[-1.5e3,true,false,null,"a\\"\\u0041"],"o":{"x":{}},"n":0}';
  for (let at = 0; at < text.length; at++) {
    agrees(text.slice(0, at));
    agrees(text.slice(0, at) + text.slice(at + 1));
    for (const character of '{}[]",:0.eE-\\ tn\u0001')
      agrees(text.slice(0, at) + character + text.slice(at + 1));
  }
});

test("faults are named with their place", () => {
  assert.equal(
    jsonFault(Buffer.from("'a'")),
    "Could not parse payload into json: Unexpected character (''' (code 39)): expected a valid value " +
      "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')\n at [Source: (byte[]); line: 1, column: 1]",
  );
  assert.match(jsonFault(Buffer.from('{\n"a": xyz}')) ?? "", /Unrecognized token 'xyz'.*line: 2, column: 9/s);
});

test("bad UTF-8 and bottomless nesting are faults, not crashes", () => {
  assert.match(jsonFault(Buffer.from([0x22, 0xff, 0x22])) ?? "", /Invalid UTF-8/);
  assert.match(jsonFault(Buffer.from("[".repeat(100_000))) ?? "", /nesting depth/);
  assert.equal(jsonFault(Buffer.from("[".repeat(1_000) + "]".repeat(1_000))), undefined);
});
