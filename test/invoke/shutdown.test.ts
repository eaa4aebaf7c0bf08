/** The shutdown phase: who is told to end, in which order, and how long each may take. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { INTERNAL_EXTENSION, shellExtension } from "./extension-programs.ts";
import { kindsWithGvisor, openInvoker } from "./harness.ts";
import type { FunctionInput, TestInvoker } from "./harness.ts";

/** Says when it is asked to end, and stays. */
const DEAF = `process.on("SIGTERM", () => console.log("runtime asked")); setInterval(() => {}, 1_000);`;
const HANDLER = `${DEAF}\nexport const handler = async () => 1;`;
const INTERNAL = `${INTERNAL_EXTENSION}
const { id } = await register("inside", ["INVOKE"]);
void (async () => { for (;;) await next(id); })();
${HANDLER}`;
/** What the clock of a busy machine may be behind by, in milliseconds. */
const LATE_MS = 1_500;

/** Invokes and retires a function; answers how long its end took. */
async function endingMs(bench: TestInvoker, input: FunctionInput): Promise<number> {
  const version = await bench.fn(input);
  assert.equal((await bench.call(version)).json, 1);
  const startedAt = performance.now();
  await bench.invoker.retire(version.key);
  return performance.now() - startedAt;
}

for (const kind of await kindsWithGvisor())
  describe(`the shutdown phase on ${kind}`, async () => {
    const bench = await openInvoker(kind, { prebootedMax: 0 });
    after(() => bench.close());

    test("without extensions nobody is asked", async () => {
      await endingMs(bench, { files: { "index.mjs": HANDLER } });
      assert.ok(!bench.logged().includes("runtime asked"));
    });

    test("with an internal extension the runtime is asked, and has 500 ms", async () => {
      const ms = await endingMs(bench, { files: { "index.mjs": INTERNAL } });
      assert.ok(bench.logged().includes("runtime asked\n"), bench.logged());
      assert.ok(ms >= 490 && ms < 500 + LATE_MS, `${ms} ms`);
    });

    test("with an external extension the runtime has 300 ms, and the extension is told when they are over", async () => {
      const program = shellExtension('"SHUTDOWN"', 'register; next; echo "extension told"; exit 0');
      const layer = await bench.fn({ files: { "extensions/ear.sh": program } });
      const mark = bench.logged().length;
      const ms = await endingMs(bench, { files: { "index.mjs": HANDLER }, optDir: layer.codeDir });
      const log = bench.logged().slice(mark);
      assert.ok(ms >= 290 && ms < 300 + LATE_MS, `${ms} ms`);
      assert.match(log, /runtime asked\n[^]*extension told\n/);
    });

    test("a runtime that ends at once leaves the extension nearly all of two seconds", async () => {
      const program = shellExtension(
        '"SHUTDOWN"',
        `register; next; left=\${event#*deadlineMs\\":}; left=\${left%%[,\\}]*}; echo "extension has $((left - $(date +%s%3N))) ms"; exit 0`,
      );
      const layer = await bench.fn({ files: { "extensions/ear.sh": program } });
      await endingMs(bench, {
        files: { "index.mjs": "export const handler = async () => 1;" },
        optDir: layer.codeDir,
      });
      const left = Number(/extension has (-?\d+) ms/.exec(bench.logged())?.[1]);
      assert.ok(left > 2_000 - LATE_MS && left <= 2_000, `${left} ms in ${bench.logged()}`);
    });
  });
