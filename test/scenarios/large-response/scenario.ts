import assert from "node:assert/strict";
import { filesBeside } from "../scenario.ts";
import type { Scenario } from "../scenario.ts";

/** AWS's limit, in bytes; the quotation marks of a JSON string are two of them. */
const LIMIT = 6_291_556;

export const scenario: Scenario = {
  title: "a response of one byte above 6 MB is Function.ResponseSizeTooLarge",
  functions: { talker: { files: filesBeside(import.meta.url), memoryMb: 1_024 } },
  async run(stage) {
    assert.equal((await stage.invoke("talker", { size: LIMIT - 2 })).json.length, LIMIT - 2);
    const { json, functionError } = await stage.invoke("talker", { size: LIMIT - 1 });
    assert.equal(functionError, "Unhandled");
    assert.deepEqual(json, {
      errorType: "Function.ResponseSizeTooLarge",
      errorMessage: `Response payload size (${LIMIT + 1} bytes) exceeded maximum allowed payload size (${LIMIT} bytes).`,
    });
  },
};
