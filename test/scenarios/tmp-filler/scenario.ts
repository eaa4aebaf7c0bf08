import assert from "node:assert/strict";
import { OTHER_STORAGE_MB, filesBeside } from "../scenario.ts";
import type { Scenario } from "../scenario.ts";

const files = filesBeside(import.meta.url);

export const scenario: Scenario = {
  title: "/tmp is full at its configured size, is disk, and does not count as memory",
  functions: {
    filler: { files, memoryMb: 256, storageMb: OTHER_STORAGE_MB, timeoutSeconds: 60 },
    small: { files, memoryMb: 128, timeoutSeconds: 60 },
  },
  dear: true,
  async run(stage) {
    const full = await stage.invoke("filler");
    assert.equal(full.json.code, "ENOSPC");
    assert.ok(
      full.json.written >= OTHER_STORAGE_MB && full.json.written <= OTHER_STORAGE_MB + 40,
      `${full.json.written} MB`,
    );
    const small = await stage.invoke("small", { megabytes: 400 });
    assert.deepEqual(small.json, { written: 400 });
    assert.ok(small.maxMemoryUsedMb < 110, `${small.maxMemoryUsedMb} MB used`);
  },
};
