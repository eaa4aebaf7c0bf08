import assert from "node:assert/strict";
import { test } from "node:test";
import { randomIds } from "./id.ts";
import { KEY_BYTES, NONCE_BYTES, randomBytes, seal, unseal } from "./sealed.ts";

test("what is sealed is read by its key alone, and not where a bit was changed", () => {
  const key = randomBytes(randomIds, KEY_BYTES);
  const sealed = seal(key, randomBytes(randomIds, NONCE_BYTES), "Grüße");
  assert.equal(unseal(key, sealed).toString(), "Grüße");
  assert.ok(!sealed.includes("Gr"));
  assert.throws(() => unseal(randomBytes(randomIds, KEY_BYTES), sealed));
  sealed[NONCE_BYTES] = (sealed[NONCE_BYTES] ?? 0) ^ 1;
  assert.throws(() => unseal(key, sealed));
});
