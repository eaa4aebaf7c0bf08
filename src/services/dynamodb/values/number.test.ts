/** Property tests of numbers and their key encoding against BigInt, with a fixed seed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { addNumbers } from "../expressions/apply-update.ts";
import { compareDecimals, decimal, formatNumber } from "./number.ts";
import { encodeKeyValue, encodeSegment, escapeZeros, afterPrefix } from "./key-encoding.ts";
import { numberSize } from "./size.ts";

const ROUNDS = 4000;

/** A small generator of numbers in [0, 1), so that a failure can be repeated. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const SCALE = 170n;

/** The number's text as an integer multiple of 10^-170. */
function scaledValue(text: string): bigint {
  const form = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  assert.ok(form, text);
  const fraction = form[3] ?? "";
  const magnitude = BigInt((form[2] as string) + fraction) * 10n ** (SCALE - BigInt(fraction.length));
  return form[1] ? -magnitude : magnitude;
}

function randomNumber(random: () => number, digitsMax = 38, exponentMax = 125): string {
  if (random() < 0.03) return "0";
  const length = 1 + Math.floor(random() * digitsMax);
  let digits = String(1 + Math.floor(random() * 9));
  while (digits.length < length) digits += Math.floor(random() * 10);
  const spread = random() < 0.5 ? 6 : exponentMax;
  const exponent = Math.round((random() * 2 - 1) * spread);
  const sign = random() < 0.5 ? "-" : "";
  return formatNumber(decimal(`${sign}${digits[0]}.${digits.slice(1) || "0"}e${exponent}`));
}

test("the order of encoded numbers is the order of the numbers", () => {
  const random = generator(7);
  for (let round = 0; round < ROUNDS; round += 1) {
    const a = randomNumber(random);
    const b = random() < 0.1 ? a : randomNumber(random);
    const [x, y] = [scaledValue(a), scaledValue(b)];
    const expected = Number(x > y) - Number(x < y);
    assert.equal(
      Math.sign(Buffer.compare(encodeKeyValue({ N: a }), encodeKeyValue({ N: b }))),
      expected,
      `${a} ${b}`,
    );
    assert.equal(Math.sign(compareDecimals(decimal(a), decimal(b))), expected, `${a} ${b}`);
  }
});

test("sums and differences are exact", () => {
  const random = generator(11);
  let compared = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const a = randomNumber(random, 18, 8);
    const b = randomNumber(random, 18, 8);
    assert.equal(scaledValue(addNumbers(a, b)), scaledValue(a) + scaledValue(b), `${a} + ${b}`);
    assert.equal(scaledValue(addNumbers(a, b, true)), scaledValue(a) - scaledValue(b), `${a} - ${b}`);
    compared += 1;
  }
  assert.equal(compared, ROUNDS);
  assert.equal(
    addNumbers("99999999999999999999999999999999999999", "-1"),
    "99999999999999999999999999999999999998",
  );
  assert.equal(addNumbers("0.1", "0.2"), "0.3");
  assert.throws(() => addNumbers("1e37", "0.01"), /more than 38 significant digits/);
  assert.throws(() => addNumbers("9.9e125", "1e125"), /Number overflow/);
});

test("the order of index positions is that of the value first, then of what follows", () => {
  const random = generator(13);
  const bytes = () =>
    Buffer.from(
      Array.from(
        { length: Math.floor(random() * 5) },
        () => [0, 1, 254, 255][Math.floor(random() * 4)] as number,
      ),
    );
  for (let round = 0; round < ROUNDS; round += 1) {
    const [a, b, tailA, tailB] = [bytes(), bytes(), bytes(), bytes()];
    const expected = Buffer.compare(a, b) || Buffer.compare(tailA, tailB);
    const actual = Buffer.compare(
      Buffer.concat([encodeSegment(a), tailA]),
      Buffer.concat([encodeSegment(b), tailB]),
    );
    assert.equal(actual, expected, `${a.toString("hex")} ${b.toString("hex")}`);
    const from = escapeZeros(a);
    const to = afterPrefix(from);
    const position = Buffer.concat([encodeSegment(b), tailB]);
    const inside =
      Buffer.compare(position, from) >= 0 && (to === undefined || Buffer.compare(position, to) < 0);
    assert.equal(
      inside,
      b.subarray(0, a.length).equals(a),
      `${a.toString("hex")} begins ${b.toString("hex")}`,
    );
  }
});

test("a number's size counts both sides of the point", () => {
  const sizes: [text: string, bytes: number][] = [
    ["0", 1],
    ["1", 2],
    ["10", 2],
    ["123456", 4],
    ["3.14159", 5],
    ["-1", 3],
    [`1${"0".repeat(125)}`, 2],
    ["0.001", 2],
    ["1".repeat(38), 20],
  ];
  for (const [text, bytes] of sizes) assert.equal(numberSize(text), bytes, text);
});
