/** The same contract without root: the suites run again as a user who owns nothing. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, chmod } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { mappingsAround } from "../../src/sandbox/oci/rootless.ts";

/** `nobody`, by number on every Linux. */
const NOBODY = 65_534;

const suites = ["lifecycle.test.ts", "isolation.test.ts"].map((name) =>
  fileURLToPath(new URL(name, import.meta.url)),
);
const machine = fileURLToPath(new URL("../../src/sandbox/machine.ts", import.meta.url));

const skip = reason();
if (skip) console.log(`# SKIPPED rootless sandboxes: ${skip}`);

test("the contract holds on rootless runc, as far as it says", { skip }, async (t) => {
  const home = await mkdtemp(join(tmpdir(), "lambent-rootless-"));
  t.after(() => rm(home, { recursive: true, force: true }));
  await chmod(home, 0o777);
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
  const child = spawn(
    process.execPath,
    ["--test", "--test-reporter=tap", "--test-timeout=60000", ...suites],
    {
      uid: NOBODY,
      gid: NOBODY,
      cwd: home,
      env: { ...environment, HOME: home, TMPDIR: home },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let output = "";
  child.stdout.on("data", (data: Buffer) => (output += data.toString()));
  child.stderr.on("data", (data: Buffer) => (output += data.toString()));
  const [code] = (await once(child, "exit")) as [number];
  assert.equal(code, 0, output);
  assert.match(output, /ok \d+ - a sandbox of the provider runc\n/);
});

test("with subordinate ids the server's own user is uid 993 inside", () => {
  assert.deepEqual(mappingsAround(993, 1_000, 100_000), [
    { containerID: 0, hostID: 100_000, size: 993 },
    { containerID: 993, hostID: 1_000, size: 1 },
    { containerID: 994, hostID: 100_993, size: 64_542 },
  ]);
});

/** Why the suites cannot be run as another user, as that user itself finds out. */
function reason(): string | false {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "only root can become another user";
  try {
    const script = `import(${JSON.stringify(machine)}).then((m) => m.inspectMachine()).then((r) => console.log(r.provider))`;
    const answer = execFileSync(process.execPath, ["-e", script], {
      uid: NOBODY,
      gid: NOBODY,
      cwd: "/",
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    return answer.trim() === "runc-rootless"
      ? false
      : `this machine gives an ordinary user ${answer.trim()} only`;
  } catch (error) {
    return `an ordinary user cannot read this folder or run Node here: ${(error as Error).message.split("\n")[0]}`;
  }
}
