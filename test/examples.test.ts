/** The function of each language in examples/languages, built and deployed as a reader would; why one is left out is printed. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { QUICK_GO } from "./harness/quick-go.ts";

const RUN = fileURLToPath(new URL("../examples/languages/run.mjs", import.meta.url));
const RUN_ALL = fileURLToPath(new URL("../examples/run.mjs", import.meta.url));
/** What each answers where it can be built: none may be missing there. */
const BUILT_WITH = {
  nodejs: "node --version",
  python: "python3 --version",
  ruby: "ruby --version",
  java: "mvn --version",
  dotnet: "dotnet --version",
  go: "go version",
  rust: "cargo --version",
  shell: "curl --version",
};
/** What is optimized takes the compilers longer, and answers no other words. */
const QUICK = {
  CARGO_PROFILE_RELEASE_OPT_LEVEL: "0",
  MAVEN_OPTS: "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
  ...QUICK_GO,
};
const TEST_MS_MAX = 280_000;

test("examples: the same function in each language answers the same", () => {
  const names = Object.entries(BUILT_WITH).filter(([name, asked]) => {
    const [program = "", ...words] = asked.split(" ");
    const isHere = spawnSync(program, words).status === 0;
    if (!isHere) console.log(`# SKIPPED the example in ${name}: ${asked} does not work here`);
    return isHere;
  });
  const done = spawnSync(process.execPath, [RUN, ...names.map(([name]) => name)], {
    encoding: "utf8",
    env: { ...process.env, ...QUICK },
    timeout: TEST_MS_MAX,
  });
  assert.equal(done.status, 0, done.stdout + done.stderr);
  for (const [name] of names) assert.match(done.stdout, new RegExp(`^${name} .* cold +\\d+ ms`, "m"));
});

test("examples: applications do what their READMEs say", () => {
  const done = spawnSync(process.execPath, [RUN_ALL, "fan-out", "log-alarm", "sign-up-hook", "cron-report"], {
    encoding: "utf8",
    timeout: TEST_MS_MAX,
  });
  assert.equal(done.status, 0, done.stdout + done.stderr);
  assert.match(done.stdout, /^cron-report +report of \d{4}-\d\d-\d\dT0[45]:00:00Z: 3 orders, 49 in all$/m);
  assert.match(done.stdout, /^fan-out +3 letters archived, 20 words counted$/m);
  assert.match(done.stdout, /^log-alarm +alarm "order A-2 has the amount -3", \d+ ms after the log line$/m);
  assert.match(done.stdout, /^sign-up-hook +a stranger was refused, ada@example\.com signed up and in/m);
});

test("examples: one that there is not is said", () => {
  const done = spawnSync(process.execPath, [RUN_ALL, "cobol"], { encoding: "utf8" });
  assert.equal(done.status, 2);
  assert.match(done.stderr, /^There is no example cobol; there are nodejs, /);
});
