import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMITS_DEFAULT } from "./limits.ts";
import { checkStorage } from "./requirements.ts";

test("code of an account and region may fill 300 GB and no byte more", () => {
  checkStorage(300 * 1024 ** 3, LIMITS_DEFAULT);
  assert.throws(() => checkStorage(300 * 1024 ** 3 + 1, LIMITS_DEFAULT), {
    code: "CodeStorageExceededException",
    message: "Code storage limit exceeded.",
  });
});
