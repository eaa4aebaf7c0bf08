/** The ten seconds that an init phase may take; in a file of its own because it takes them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openInvoker } from "./harness.ts";

test("an init of more than 10 seconds is ended and run again under the function's timeout", async (t) => {
  const bench = await openInvoker("process");
  t.after(() => bench.close());
  const code = `await new Promise((resolve) => setTimeout(resolve, 60_000)); export const handler = async () => 1;`;
  const version = await bench.fn({ files: { "index.mjs": code }, timeoutMs: 1_000 });
  const answer = await bench.call(version, {}, { wantLogTail: true });
  assert.equal(answer.json.errorType, "Sandbox.Timedout");
  assert.match(answer.tail, /Phase: invoke\tStatus: timeout\n/);
  await bench.close();
  const [, duration] =
    /INIT_REPORT Init Duration: ([\d.]+) ms\tPhase: init\tStatus: timeout\n/.exec(bench.logged()) ?? [];
  assert.ok(Number(duration) >= 10_000, `the first init was given ${duration} ms`);
});
