/**
 * Runs test files, three processes at a time, and those that failed a second time, alone: much is tested here that the rest of a busy
 * machine can disturb. What fails twice fails; what failed once is told. Compiled modules are shared between the processes.
 *
 * Half of what a short file costs is the loading of the server and the SDK clients. So files that look at nothing outside of their own
 * server share a process, one after the other; the files that take longest begin first, so that none runs alone at the end.
 */
import { once } from "node:events";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { pathToFileURL } from "node:url";

const TEST_MS_MAX = 300_000;
/** Many tests wait, for a process or a disk: two at a time leave a machine of two cores a third of its time. */
const PROCESSES = 3;
/** More files than this are no disturbance. */
const RERUN_FILES_MAX = 8;

/**
 * What shares a process, so many files each. What measures, tells of its own process, or is long has one of its own; so have those that
 * a clean machine makes wait for what they fetch.
 */
const SHARED = [
  // One broker for both.
  { of: /^test\/sources\/kafka/, filesMax: 2 },
  { of: /^src\//, filesMax: 200 },
  // One PostgreSQL for all; the memory that is measured in tests of blobs is the process's own.
  { of: /^test\/store\/(?!blobs)/, filesMax: 20 },
  { of: /^test\/conformance\//, filesMax: 10 },
  {
    of: /^test\/invoke\/(?:bootstraps|custom-runtime|environment-variables|internal-extensions|logs|metadata|outcomes|streaming)/,
    filesMax: 10,
  },
  { of: /^test\/server\/(?:authentication|embedding|listen|metrics|outbound|plain)/, filesMax: 10 },
  { of: /^test\/sources\/(?!kinesis-shards)(?:dynamodb|kinesis|sqs|streams)/, filesMax: 10 },
];
/** Those that take longest, which begin first, each in a process of its own. What waits stands between what computes. */
const LONGEST = [
  "test/scenarios/runsc.test.ts",
  "test/examples.test.ts",
  "test/conformance/lambda-states.test.ts",
  "test/scenarios/runc.test.ts",
  "test/invoke/java.test.ts",
  "test/invoke/extensions.test.ts",
  "test/bench.test.ts",
  "test/invoke/nodejs.test.ts",
  "test/invoke/reset.test.ts",
  "test/scenarios/mixed-load.test.ts",
  "test/invoke/ruby.test.ts",
  "test/conformance/lambda-snapstart.test.ts",
  "test/invoke/prebooted.test.ts",
  "test/crash/event-sources.test.ts",
  "test/crash/events.test.ts",
  "test/tour.test.ts",
  "test/package.test.ts",
  "test/invoke/pool.test.ts",
  "test/protocol/cli.test.ts",
  "test/conformance/lambda-go.test.ts",
];

const folder = mkdtempSync(join(tmpdir(), "lambent-tests-"));
process.env["NODE_COMPILE_CACHE"] = join(folder, "compiled");
/** File of a shared process → the files that it runs. */
const shared = new Map();
try {
  let failed = await runAll(processesOf(process.argv.slice(2)), PROCESSES);
  if (failed.length > 0 && failed.length <= RERUN_FILES_MAX) {
    for (const file of failed.flatMap((each) => shared.get(each) ?? [each]))
      console.log(`# FAILED ONCE, is run again alone: ${relative(".", file)}`);
    failed = await runAll(failed, 1);
  }
  process.exitCode = failed.length > 0 ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** What `node:test` is to run, the longest first: files, or for those that share a process one that imports them. */
function processesOf(patterns) {
  const files = [...new Set(patterns.flatMap((pattern) => globSync(pattern)))].sort((a, b) =>
    a < b ? -1 : 1,
  );
  if (files.length === 0) throw new Error(`no test file fits ${patterns.join(" ")}`);
  const rest = new Set(files);
  const longest = LONGEST.filter((file) => rest.delete(file));
  const groups = SHARED.flatMap(({ of, filesMax }) => {
    const some = [...rest].filter((file) => of.test(file) && rest.delete(file));
    const size = Math.ceil(some.length / Math.ceil(some.length / filesMax));
    return Array.from({ length: Math.ceil(some.length / size) }, (_, at) =>
      sharedProcess(some.slice(at * size, (at + 1) * size)),
    );
  });
  return [...longest.map((file) => resolve(file)), ...groups, ...[...rest].map((file) => resolve(file))];
}

/**
 * A file that imports these, each as a suite of its name. What they import comes first: a module that waits while it is loaded would lose
 * `node:test` whose suite the tests after it belong to.
 */
function sharedProcess(files) {
  const file = join(folder, `shared-${shared.size}.test.mjs`);
  const paths = files.map((each) => resolve(each));
  shared.set(file, paths);
  const needed = new Set(paths.flatMap(importsOf));
  const suites = files.map(
    (each, at) => `describe(${JSON.stringify(each)}, async () => { await import(${urlOf(paths[at])}); });\n`,
  );
  const imports = [...needed].map((path) => `import ${urlOf(path)};\n`);
  writeFileSync(file, `import { describe } from "node:test";\n${imports.join("")}${suites.join("")}`);
  return file;
}

function urlOf(path) {
  return JSON.stringify(pathToFileURL(path).href);
}

/** The modules of this repository that a file imports. */
function importsOf(path) {
  const text = readFileSync(path, "utf8");
  const found = text.matchAll(/^(?:import|\}) (?!type)[^"]*from "(\.[^"]+)";$/gm);
  return [...found].map(([, specifier]) => resolve(dirname(path), specifier));
}

/** Answers the test files with something that failed. */
async function runAll(files, concurrency) {
  const failed = new Set();
  const events = run({ files, concurrency, timeout: TEST_MS_MAX });
  const look = (isPassed, { name, nesting, file, entryFile }) => {
    if (nesting > 0) return;
    const ran = entryFile ?? file ?? name;
    const paths = shared.get(ran);
    // The suites of a shared process have their files' names; what is not one of them is the whole process, or is not where it belongs.
    const one = paths?.find((each) => each === resolve(name));
    if (paths && !one) console.log(`# ${name}: not in the suite of its file`);
    if (!isPassed || (paths && !one)) failed.add(one ?? ran);
  };
  events.on("test:pass", (event) => look(true, event));
  events.on("test:fail", (event) => look(false, event));
  const printed = events.compose(spec());
  printed.pipe(process.stdout, { end: false });
  await once(printed, "end");
  return [...failed];
}
