/** The soak of many functions in small; `npm run soak` has it in full. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { NOTHING, instanceOf, remains } from "../harness/remains.ts";
import { mixedLoad } from "./mixed-load.ts";
import { assertNoGrowth, atRest, runTimes } from "./run-times.ts";
import { kinds, openStage } from "./stage.ts";

const LOAD = { invocations: 400, functions: 8, concurrency: 4 };

// On gVisor, where every environment is made from nothing, `npm run soak -- --sandbox runsc` does it.
for (const kind of kinds.filter((one) => one !== "runsc"))
  test(`${LOAD.invocations} invocations over ${LOAD.functions} functions with failures mixed in leave nothing behind on ${kind}`, async () => {
    // Fewer environments than are wanted at times: some are ended to make room for others.
    const stage = await openStage(kind, { environmentsMax: LOAD.functions });
    const instance = instanceOf(join(stage.dataDir, "sandboxes"));
    try {
      const before = await atRest(stage);
      await runTimes(stage, "mixed-load", mixedLoad(LOAD), 1);
      await assertNoGrowth(stage, before);
    } finally {
      await stage.stop();
    }
    assert.deepEqual(remains(stage.dataDir, instance), NOTHING);
  });
