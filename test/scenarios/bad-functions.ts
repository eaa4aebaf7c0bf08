/** Bad functions, each beside a neighbour on a real server: each fails as on AWS, alone, and leaves nothing behind. One file a kind of sandbox. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { NOTHING, instanceOf, remains } from "../harness/remains.ts";
import type { Holdings } from "./holdings.ts";
import { assertNoGrowth, atRest, runTimes } from "./run-times.ts";
import { kinds, openStage, skipped } from "./stage.ts";
import type { Kind, OpenStage } from "./stage.ts";
import { scenarios } from "./table.ts";

/** Runs of each scenario; `npm run soak` makes a thousand. */
const TIMES = 3;

/** Declares the tests of all scenarios on one kind of sandbox, where this machine has it. */
export function testBadFunctions(kind: Kind): void {
  if (!kinds.includes(kind)) return;
  describe(`bad functions on ${kind}`, () => {
    let stage: OpenStage;
    let resting: Holdings;
    before(async () => {
      stage = await openStage(kind);
      resting = await atRest(stage);
    });

    for (const [name, scenario] of scenarios) {
      const reason = skipped(scenario, kind);
      if (reason) console.log(`# SKIPPED ${name} on ${kind}: ${reason}`);
      test(`${name}: ${scenario.title}`, { skip: reason ?? false }, async () => {
        await runTimes(stage, name, scenario, scenario.dear || kind === "runsc" ? 1 : TIMES);
        await assertNoGrowth(stage, resting);
      });
    }

    after(async () => {
      const instance = instanceOf(join(stage.dataDir, "sandboxes"));
      await stage.stop();
      assert.deepEqual(remains(stage.dataDir, instance), NOTHING);
    });
  });
}
