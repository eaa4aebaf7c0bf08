/** Log streams: the lines of a whole life, the tail, the formats, and the bounds. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openInvoker, region } from "./harness.ts";

const bench = await openInvoker("process");
after(() => bench.close());

async function settled(bench: { logged(): string }, pattern: RegExp): Promise<string> {
  for (let tries = 0; tries < 100 && !pattern.test(bench.logged()); tries++) await sleep(20);
  return bench.logged();
}

test("the stream of an environment holds INIT_START, then START, lines, END and REPORT of each invocation", async (t) => {
  const own = await openInvoker("process");
  t.after(() => own.close());
  const code = `console.log("loading"); export const handler = async (e) => console.log("n", e.n);`;
  const version = await own.fn({ files: { "index.mjs": code }, version: "3" });
  const first = await own.call(version, { n: 1 });
  const second = await own.call(version, { n: 2 });
  await own.close();
  const [stream] = own.streams();
  assert.match(stream ?? "", /^\d{4}\/\d\d\/\d\d\/\[3\][0-9a-f]{32}$/);
  assert.equal(own.streams().length, 1);
  const lines = own
    .logged()
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>")
    .replaceAll(/\d+\.\d\d ms/g, "<ms>")
    .replaceAll(/: \d+ ms/g, ": <ms>")
    .replace(/runtime:[0-9a-f]{64}/, "runtime:<hash>")
    .replaceAll(/Used: \d+ MB/g, "Used: <mb>");
  const report = "\tDuration: <ms>\tBilled Duration: <ms>\tMemory Size: 512 MB\tMax Memory Used: <mb>\t";
  assert.equal(
    lines,
    `INIT_START Runtime Version: nodejs:${process.versions.node}\tRuntime Version ARN: arn:aws:lambda:${region}::runtime:<hash>\n` +
      `<time>\t-\tINFO\tloading\n` +
      `START RequestId: ${first.requestId} Version: 3\n<time>\t${first.requestId}\tINFO\tn 1\nEND RequestId: ${first.requestId}\n` +
      `REPORT RequestId: ${first.requestId}${report}Init Duration: <ms>\t\n` +
      `START RequestId: ${second.requestId} Version: 3\n<time>\t${second.requestId}\tINFO\tn 2\nEND RequestId: ${second.requestId}\n` +
      `REPORT RequestId: ${second.requestId}${report}\n`,
  );
});

test("a log group of the function's own puts its name into the stream's", async (t) => {
  const own = await openInvoker("process");
  t.after(() => own.close());
  const version = await own.fn({
    files: { "index.mjs": "export const handler = async () => {};" },
    logGroup: "/shared",
  });
  await own.call(version);
  await own.close();
  assert.match(
    own.streams()[0] ?? "",
    new RegExp(`^\\d{4}/\\d\\d/\\d\\d/${version.functionName}\\[\\$LATEST\\][0-9a-f]{32}$`),
  );
});

test("the tail is the last 4 KB of this invocation", async () => {
  const code = `export const handler = async () => { for (let i = 0; i < 500; i++) console.log("line " + i); };`;
  const version = await bench.fn({ files: { "index.mjs": code } });
  const { logTail, tail, requestId } = await bench.call(version, {}, { wantLogTail: true });
  assert.equal(logTail?.length, 4_096);
  assert.match(tail, /line 499\nEND RequestId: \S+\nREPORT /);
  const next = await bench.call(version, {}, { wantLogTail: true });
  assert.ok(!next.tail.includes(requestId));
});

test("the tail of a flood of empty lines is its last 4 KB too", async () => {
  const code = `import { writeSync } from "node:fs";
    export const handler = async () => { for (let i = 0; i < 50; i++) writeSync(1, "\\n".repeat(4096)); console.log("over"); };`;
  const version = await bench.fn({ files: { "index.mjs": code }, runtime: "nodejs24.x" });
  const { logTail, tail } = await bench.call(version, {}, { wantLogTail: true });
  assert.equal(logTail?.length, 4_096);
  assert.match(tail, /^\n{3000,}/);
  assert.match(tail, /REPORT .*\n$/);
});

test("billed time is the init phase and the invocation, rounded up", async () => {
  const version = await bench.fn({ files: { "index.mjs": "export const handler = async () => {};" } });
  const { tail } = await bench.call(version, {}, { wantLogTail: true });
  const [, duration, billed, init] =
    /Duration: ([\d.]+) ms\tBilled Duration: (\d+) ms\t.*Init Duration: ([\d.]+) ms/.exec(tail) ?? [];
  assert.ok(Math.abs(Number(billed) - Math.ceil(Number(duration) + Number(init))) <= 1, tail);
});

test("a line longer than 256 KB becomes several events, and none of it is lost", async () => {
  const code = `export const handler = async () => process.stdout.write("a".repeat(600_000) + "\\nshort\\n");`;
  const version = await bench.fn({ files: { "index.mjs": code } });
  const { requestId } = await bench.call(version);
  const logged = await settled(bench, new RegExp(`REPORT RequestId: ${requestId}`));
  const own = logged.slice(logged.indexOf(`START RequestId: ${requestId}`));
  assert.ok(own.includes(`${"a".repeat(600_000)}\nshort\n`));
});

test("what is written without a line feed ends with its invocation", async () => {
  const code = `export const handler = async (e) => { process.stdout.write("part " + e.n); };`;
  const version = await bench.fn({ files: { "index.mjs": code } });
  const first = await bench.call(version, { n: 1 }, { wantLogTail: true });
  const second = await bench.call(version, { n: 2 }, { wantLogTail: true });
  assert.match(first.tail, /^START .*\npart 1END RequestId/);
  assert.match(second.tail, /^START .*\npart 2END RequestId/);
});

test("a flood is cut, and the log says how much", async (t) => {
  const own = await openInvoker("process");
  t.after(() => own.close());
  const code = `const line = Buffer.from("x".repeat(99_999) + "\\n"); export const handler = async () => { for (let i = 0; i < 600; i++) process.stdout.write(line); };`;
  const version = await own.fn({ files: { "index.mjs": code }, timeoutMs: 30_000 });
  await own.call(version);
  await own.close();
  const [, bytes, records] =
    /LOGS_DROPPED Dropped Bytes: (\d+)\tDropped Records: (\d+)\tReason: /.exec(own.logged()) ?? [];
  const kept = own
    .logged()
    .split("\n")
    .filter((line) => line.startsWith("xxx")).length;
  const dropped = own
    .logged()
    .matchAll(/Dropped Records: (\d+)/g)
    .reduce((sum, match) => sum + Number(match[1]), 0);
  assert.ok(Number(records) > 0 && Number(bytes) === Number(records) * 100_000);
  assert.equal(kept + dropped, 600);
});

test("with LogFormat JSON the platform's lines are its events, from the system level on", async () => {
  const version = await bench.fn({
    files: { "index.mjs": `export const handler = async (e) => { if (e.fail) process.exit(1); };` },
    logFormat: "JSON",
    systemLogLevel: "DEBUG",
  });
  const { tail, requestId } = await bench.call(version, {}, { wantLogTail: true });
  const events = tail
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    events.map((event) => event.type),
    ["platform.start", "platform.runtimeDone", "platform.report"],
  );
  assert.match(events[0].time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual(events[0].record, { requestId, version: "$LATEST" });
  assert.deepEqual(Object.keys(events[2].record.metrics), [
    "durationMs",
    "billedDurationMs",
    "memorySizeMB",
    "maxMemoryUsedMB",
    "initDurationMs",
  ]);
  const failed = await bench.call(version, { fail: true }, { wantLogTail: true });
  const report = JSON.parse(failed.tail.trim().split("\n").at(-1) ?? "");
  assert.deepEqual([report.record.status, report.record.errorType], ["error", "Runtime.ExitError"]);
});

test("with system level WARN only failures are told, and the function's own JSON lines are filtered by their level", async () => {
  const code = `export const handler = async (e) => {
    for (const level of ["DEBUG", "INFO", "ERROR"]) process.stdout.write(JSON.stringify({ level, own: true }) + "\\n");
    process.stdout.write("plain\\n{not json\\n");
    if (e.fail) process.exit(1);
  };`;
  const version = await bench.fn({
    files: { "index.mjs": code },
    logFormat: "JSON",
    systemLogLevel: "WARN",
    applicationLogLevel: "ERROR",
  });
  const quiet = await bench.call(version, {}, { wantLogTail: true });
  assert.equal(quiet.tail, '{"level":"ERROR","own":true}\nplain\n{not json\n');
  const loud = await bench.call(version, { fail: true }, { wantLogTail: true });
  const types = loud.tail
    .trim()
    .split("\n")
    .slice(3)
    .map((line) => JSON.parse(line).type);
  assert.deepEqual(types, ["platform.runtimeDone", "platform.report"]);
});
