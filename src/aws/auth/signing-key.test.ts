import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { test } from "node:test";
import { SigningKey } from "./signing-key.ts";

test("signs as node:crypto's HMAC does, whatever the text and its length", () => {
  const key = randomBytes(32);
  const signingKey = new SigningKey(key);
  for (const text of [
    "",
    "AWS4-HMAC-SHA256\n20261123",
    "ä€😀".repeat(40),
    "x".repeat(341),
    "y".repeat(342),
    "z".repeat(9_000),
  ])
    assert.equal(
      signingKey.sign(text),
      createHmac("sha256", key).update(text).digest("hex"),
      `${text.length} characters`,
    );
});
