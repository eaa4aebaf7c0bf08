/** One-time passwords: the vectors of RFC 6238, cut to six digits. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { lockoutMs } from "./attempts.ts";
import { newTotpSecret, totpCode, totpStep } from "./totp.ts";

/** The RFC's secret, "12345678901234567890", in base32. */
const SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

test("codes are those of RFC 6238", () => {
  const vectors = [
    [59, "287082"],
    [1_111_111_109, "081804"],
    [1_234_567_890, "005924"],
    [20_000_000_000, "353130"],
  ] as const;
  for (const [seconds, code] of vectors) assert.equal(totpCode(SECRET, seconds * 1_000), code);
});

test("a code is taken one step early or late, and only once", () => {
  const secret = newTotpSecret();
  assert.match(secret, /^[A-Z2-7]{52}$/);
  const now = 1_800_000_000_000;
  const step = totpStep(secret, totpCode(secret, now), now);
  assert.equal(step, Math.floor(now / 30_000));
  assert.equal(totpStep(secret, totpCode(secret, now), now + 30_000), step);
  assert.equal(totpStep(secret, totpCode(secret, now), now, step), undefined);
  assert.equal(totpStep(secret, totpCode(secret, now), now + 90_000), undefined);
});

test("users are locked out from the fifth wrong password on, twice as long each time, for 15 minutes at most", () => {
  assert.deepEqual([4, 5, 6, 10, 30].map(lockoutMs), [0, 1_000, 2_000, 32_000, 900_000]);
});
