/**
 * Runs test files, two at a time, and those that failed a second time, alone: much is tested here that the rest of a busy machine can
 * disturb. What fails twice fails; what failed once is told. Compiled modules are shared between the files: most of a short file's time is
 * the loading of the server and the SDK clients.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const TEST_MS_MAX = 300_000;
/** More files than this are no disturbance. */
const RERUN_FILES_MAX = 8;

const folder = mkdtempSync(join(tmpdir(), "lambent-tests-"));
const list = join(folder, "failed");
const reporter = fileURLToPath(new URL("failed-files.mjs", import.meta.url));

function run(concurrency, files) {
  const reporters = ["spec", "stdout", reporter, list].flatMap((value, at) => [
    at % 2 === 0 ? "--test-reporter" : "--test-reporter-destination",
    value,
  ]);
  const options = ["--test", `--test-timeout=${TEST_MS_MAX}`, `--test-concurrency=${concurrency}`];
  const env = { ...process.env, NODE_COMPILE_CACHE: join(folder, "compiled") };
  return (
    spawnSync(process.execPath, [...options, ...reporters, ...files], { stdio: "inherit", env }).status ?? 1
  );
}

let status = run(2, process.argv.slice(2));
if (status !== 0) {
  const failed = [...new Set(readFileSync(list, "utf8").split("\n").filter(Boolean))];
  if (failed.length > 0 && failed.length <= RERUN_FILES_MAX) {
    for (const file of failed) console.log(`# FAILED ONCE, is run again alone: ${file}`);
    status = run(1, failed);
  }
}
rmSync(folder, { recursive: true, force: true });
process.exitCode = status;
