import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Gate } from "./gate.ts";

void test("no more run at once than may, in the order they came, also after failures", async () => {
  const gate = new Gate(2);
  const begun: number[] = [];
  let running = 0;
  let most = 0;
  const outcomes = await Promise.allSettled(
    Array.from({ length: 9 }, (_, index) =>
      gate.run(async () => {
        begun.push(index);
        most = Math.max(most, (running += 1));
        await setImmediate();
        running -= 1;
        if (index % 3 === 0) throw new Error("fails");
        return index;
      }),
    ),
  );
  assert.equal(most, 2);
  assert.deepEqual(begun, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  assert.equal(outcomes.filter(({ status }) => status === "rejected").length, 3);
  assert.equal(await gate.run(async () => "still open"), "still open");
});
