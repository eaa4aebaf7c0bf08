import assert from "node:assert/strict";
import { filesBeside } from "../scenario.ts";
import type { Scenario } from "../scenario.ts";

export const scenario: Scenario = {
  title: "a function opens no more than 1,024 files, and answers all the same",
  functions: { hog: { files: filesBeside(import.meta.url) } },
  async run(stage) {
    const { json } = await stage.invoke("hog");
    assert.equal(json.code, "EMFILE");
    assert.ok(json.kept > 950 && json.kept < 1_024, `${json.kept} files`);
  },
};
