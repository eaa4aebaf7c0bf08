/** What an invocation tells that the kernel ended for its memory, whatever the language. */
import assert from "node:assert/strict";
import { outOfMemory } from "./scenario.ts";
import type { Answer } from "./scenario.ts";

export function assertOutOfMemory(answer: Answer, memoryMb: number): void {
  assert.deepEqual(answer.json, outOfMemory(answer));
  assert.equal(answer.functionError, "Unhandled");
  const report = new RegExp(
    `\\tMemory Size: ${memoryMb} MB\\tMax Memory Used: ${memoryMb} MB\\t(Init Duration: [\\d.]+ ms\\t)?Status: error\\tError Type: Runtime\\.OutOfMemory\\n$`,
  );
  assert.match(answer.tail, report);
}
