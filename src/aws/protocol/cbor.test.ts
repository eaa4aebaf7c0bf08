/** CBOR against the examples of RFC 8949, appendix A. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeCbor } from "./cbor-decode.ts";
import { encodeCbor, EpochTag } from "./cbor-encode.ts";

const decode = (hex: string) => decodeCbor(Buffer.from(hex, "hex"));

test("what both sides agree on", () => {
  for (const [hex, value] of [
    ["00", 0],
    ["17", 23],
    ["1818", 24],
    ["1903e8", 1_000],
    ["1a000f4240", 1_000_000],
    ["1b000000e8d4a51000", 1_000_000_000_000],
    ["1bffffffffffffffff", 18_446_744_073_709_551_615n],
    ["20", -1],
    ["3903e7", -1_000],
    ["3bffffffffffffffff", -18_446_744_073_709_551_616n],
    ["fb3ff199999999999a", 1.1],
    ["fa47c35000", undefined],
    ["f4", false],
    ["f5", true],
    ["f6", null],
    ["60", ""],
    ["6449455446", "IETF"],
    ["62c3bc", "ü"],
    ["4401020304", Buffer.from([1, 2, 3, 4])],
    ["83010203", [1, 2, 3]],
    ["a26161016162820203", { a: 1, b: [2, 3] }],
  ] as const) {
    if (value !== undefined) assert.deepEqual(decode(hex), value, hex);
    if (value !== undefined) assert.equal(encodeCbor(value).toString("hex"), hex);
  }
});

test("what only others write: half floats, indefinite lengths, undefined, bignums", () => {
  assert.equal(decode("f93c00"), 1);
  assert.equal(decode("f97bff"), 65_504);
  assert.equal(decode("f90001"), 5.960464477539063e-8);
  assert.equal(decode("f97c00"), Number.POSITIVE_INFINITY);
  assert.equal(decode("fa47c35000"), 100_000);
  assert.equal(decode("f7"), null);
  assert.deepEqual(decode("5f42010243030405ff"), Buffer.from([1, 2, 3, 4, 5]));
  assert.equal(decode("7f657374726561646d696e67ff"), "streaming");
  assert.deepEqual(decode("9f018202039f0405ffff"), [1, [2, 3], [4, 5]]);
  assert.deepEqual(decode("bf61610161629f0203ffff"), { a: 1, b: [2, 3] });
  assert.equal(decode("c249010000000000000000"), 18_446_744_073_709_551_616n);
  assert.deepEqual(decode("c11a514b67b0"), new EpochTag(1_363_896_240));
});

test("what is no document is refused: cut, doubled, bottomless, too long for its bytes", () => {
  for (const hex of [
    "",
    "18",
    "6261",
    "8301",
    "0000",
    "ff",
    "5bffffffffffffffff",
    "9bffffffffffffffff",
    "a10102",
    "81".repeat(300) + "00",
    "1c",
  ])
    assert.throws(() => decode(hex), { name: "MalformedInput" }, hex);
});

test("long and mixed text", () => {
  for (const text of [
    "x".repeat(31),
    "x".repeat(32),
    "ü".repeat(16),
    `${"a".repeat(20)}é`,
    "😀".repeat(5_000),
    "__proto__",
  ]) {
    assert.equal(decodeCbor(encodeCbor(text)), text);
    assert.deepEqual(Object.entries(decodeCbor(encodeCbor(Object.fromEntries([[text, 1]]))) as object), [
      [text, 1],
    ]);
  }
});
