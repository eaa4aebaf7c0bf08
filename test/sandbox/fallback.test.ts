/** A machine without runc: `auto` takes plain processes and says why, `runc` refuses. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { inspectMachine } from "../../src/sandbox/index.ts";

const harness = fileURLToPath(new URL("harness.ts", import.meta.url));

/** Runs a script in a Node whose PATH leads nowhere, so that no tool is found. */
function withoutTools(script: string): string {
  const code = `import { bench } from ${JSON.stringify(harness)}; ${script}`;
  return execFileSync(process.execPath, ["--input-type=module", "-e", code], {
    encoding: "utf8",
    env: { PATH: "/nowhere" },
  });
}

test("`auto` falls back to processes and names what is missing", () => {
  const output = withoutTools(`
    const here = await bench("auto");
    const { exit, stdout } = await here.node("console.log('runs')");
    console.log(here.provider.isolation.provider, exit.code, stdout.trim());
    console.log(here.provider.isolation.missing.join("\\n"));
    await here.close();`);
  assert.match(output, /^process 0 runs$/m);
  assert.match(output, /NOT isolated/);
  if (process.platform === "linux") assert.match(output, /^runc: .*install runc/m);
});

test("`runc` is refused with the reason", () => {
  const output = withoutTools(
    `await bench("runc").catch((error) => console.log(error.name, error.message));`,
  );
  assert.match(output, /^SandboxError runc cannot run here\. /m);
});

test("several servers that look at the machine at the same time find the same", async () => {
  const alone = await inspectMachine();
  for (const report of await Promise.all(Array.from({ length: 8 }, () => inspectMachine())))
    assert.deepEqual(report, alone);
});
