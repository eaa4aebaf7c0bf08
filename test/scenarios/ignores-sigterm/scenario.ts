import assert from "node:assert/strict";
import { filesBeside, timedOut } from "../scenario.ts";
import type { Scenario } from "../scenario.ts";

export const scenario: Scenario = {
  title: "a runtime that ignores SIGTERM ends with its timeout, and its children with it",
  functions: { deaf: { files: filesBeside(import.meta.url), language: "shell", timeoutSeconds: 1 } },
  async run(stage) {
    const answer = await stage.invoke("deaf");
    assert.deepEqual(answer.json, timedOut(answer, 1));
  },
};
