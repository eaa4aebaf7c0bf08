/** The command line as a user meets it: help, mistakes, exit codes, and each command against a running server. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { deployFunction } from "../harness/functions.ts";
import { spawnServer } from "../harness/process.ts";
import type { ServerProcess } from "../harness/process.ts";
import { clientOptions } from "../harness/server.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const HANDLER = `export async function handler(event) {
  console.log("saw " + JSON.stringify(event));
  if (event.fail) throw new Error("as told");
  return { sum: (event.a ?? 0) + (event.b ?? 0) };
}`;

let dataDir: string;
let server: ServerProcess;

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "lambent-cli-"));
  server = await spawnServer(["--port", "0", "--data-dir", dataDir]);
  await deployFunction(clientOptions(server.endpoint), "adder", { "index.mjs": HANDLER });
});

after(async () => {
  assert.equal(await server.terminate(), 0, "SIGTERM ends the server with exit code 0");
  await rm(dataDir, { recursive: true, force: true });
});

function lambent(argv: readonly string[], input = "") {
  const env = { ...process.env, AWS_ENDPOINT_URL: server.endpoint, AWS_REGION: "us-east-1" };
  const done = spawnSync(process.execPath, [MAIN, ...argv], {
    encoding: "utf8",
    input,
    env,
    timeout: 60_000,
  });
  return { code: done.status, stdout: done.stdout, stderr: done.stderr };
}

test("--help lists the commands and exit codes; each command explains itself", () => {
  const help = lambent(["--help"]);
  assert.equal(help.code, 0);
  const commands = [
    "start",
    "clock",
    "demo",
    "doctor",
    "runtimes",
    "invoke",
    "logs",
    "messages",
    "signing-profile",
    "sign",
  ];
  for (const word of [...commands, "Exit codes"]) assert.ok(help.stdout.includes(word));
  for (const command of commands) {
    const one = lambent([command, "--help"]);
    assert.equal(one.code, 0);
    assert.match(one.stdout, new RegExp(`^Usage: lambent ${command}`));
  }
});

test("a mistake is exit code 2 and a sentence that says what to do", () => {
  assert.deepEqual(lambent(["fly"]), {
    code: 2,
    stdout: "",
    stderr:
      'lambent has no command "fly". Its commands: start, clock, demo, doctor, runtimes, invoke, logs, messages, signing-profile, sign.\n',
  });
  const flag = lambent(["invoke", "--fast"]);
  assert.equal(flag.code, 2);
  assert.match(flag.stderr, /--fast.*\nSee: lambent invoke --help/s);
});

test("start refuses a port in use, an open door, and a data directory that is owned, each by name", () => {
  const port = new URL(server.endpoint).port;
  const inUse = lambent(["start", "--port", port, "--data-dir", `${dataDir}-other`]);
  assert.equal(inUse.code, 1);
  assert.match(inUse.stderr, new RegExp(`port ${port} is in use`));
  const open = lambent(["start", "--host", "0.0.0.0"]);
  assert.equal(open.code, 1);
  assert.match(open.stderr, /Refusing to listen on 0\.0\.0\.0 without authentication/);
  const owned = lambent(["start", "--port", "0", "--data-dir", dataDir]);
  assert.equal(owned.code, 1);
  assert.match(owned.stderr, new RegExp(String(server.child.pid)));
});

test("invoke prints the answer on stdout and the log on stderr; 3 when the function failed", () => {
  const sum = lambent(["invoke", "adder", "--payload", '{"a":1,"b":2}']);
  assert.deepEqual([sum.code, sum.stdout], [0, '{"sum":3}\n']);
  assert.match(sum.stderr, /saw \{"a":1,"b":2\}/);
  const piped = lambent(["invoke", "adder", "--payload", "-", "--quiet"], '{"a":5}');
  assert.deepEqual([piped.code, piped.stdout, piped.stderr], [0, '{"sum":5}\n', ""]);
  const failed = lambent(["invoke", "adder", "--payload", '{"fail":true}', "--quiet"]);
  assert.equal(failed.code, 3);
  assert.equal((JSON.parse(failed.stdout) as { errorMessage: string }).errorMessage, "as told");
  const missing = lambent(["invoke", "nobody"]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /ResourceNotFoundException: Function not found: .*:function:nobody/);
});

test("logs prints the past; --follow prints what comes", async () => {
  lambent(["invoke", "adder", "--payload", '{"a":40}', "--quiet"]);
  const deadline = Date.now() + 20_000;
  let past = lambent(["logs", "adder"]);
  while (!past.stdout.includes('saw {"a":40}') && Date.now() < deadline) past = lambent(["logs", "adder"]);
  assert.match(past.stdout, /START RequestId: /);
  assert.match(past.stdout, /saw \{"a":40\}/);

  const env = { ...process.env, AWS_ENDPOINT_URL: server.endpoint, AWS_REGION: "us-east-1" };
  const follower = spawn(process.execPath, [MAIN, "logs", "adder", "--follow", "--filter", "saw"], { env });
  try {
    const seen = new Promise<string>((resolve, reject) => {
      let printed = "";
      const timer = setTimeout(() => reject(new Error(`nothing followed: ${printed}`)), 30_000);
      follower.stdout.on("data", (chunk: Buffer) => {
        printed += chunk.toString();
        if (!printed.includes('"a":41')) return;
        clearTimeout(timer);
        resolve(printed);
      });
    });
    const again = setInterval(() => lambent(["invoke", "adder", "--payload", '{"a":41}', "--quiet"]), 1_000);
    const printed = await seen.finally(() => clearInterval(again));
    assert.doesNotMatch(printed, /START RequestId/, "the filter holds back other lines");
  } finally {
    follower.kill("SIGINT");
  }
});

test("a reader that has seen enough ends no command with an error, `logs --follow` at all, and no server", async (t) => {
  const shell = (script: string) =>
    spawnSync("/bin/bash", ["-o", "pipefail", "-c", script], {
      encoding: "utf8",
      env: { ...process.env, AWS_ENDPOINT_URL: server.endpoint, NODE: process.execPath, MAIN },
      timeout: 60_000,
    });
  const doctor = shell('"$NODE" "$MAIN" doctor | head -1');
  assert.match(doctor.stdout, /^Isolation {2}--sandbox auto takes \S+; cgroups \S+\n$/);
  assert.deepEqual([doctor.stderr, doctor.status], ["", lambent(["doctor"]).code]);

  lambent(["invoke", "adder"]);
  const lines = spawn(
    "/bin/bash",
    ["-o", "pipefail", "-c", '"$NODE" "$MAIN" logs adder --follow --since 10m | head -1'],
    {
      env: { ...process.env, AWS_ENDPOINT_URL: server.endpoint, NODE: process.execPath, MAIN },
    },
  );
  t.after(() => lines.kill("SIGKILL"));
  let said = "";
  lines.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  // It hears that nobody reads when it has something to say.
  const talk = setInterval(() => void lambent(["invoke", "adder"]), 200);
  const [code] = (await once(lines, "close")) as [number];
  clearInterval(talk);
  assert.deepEqual([code, said], [0, ""]);

  const other = await mkdtemp(join(tmpdir(), "lambent-cli-"));
  const quiet = await spawnServer(["--port", "0", "--data-dir", other]);
  quiet.child.stdout?.destroy();
  quiet.child.stderr?.destroy();
  await deployFunction(clientOptions(quiet.endpoint), "adder", { "index.mjs": HANDLER });
  assert.equal(await quiet.terminate(), 0);
  await rm(other, { recursive: true, force: true });
});

test("doctor tells isolation and runtimes", () => {
  const done = lambent(["doctor"]);
  assert.match(done.stdout, /Isolation .*auto takes/);
  assert.match(done.stdout, /nodejs24\.x\s+ready/);
  assert.ok(done.code === 0 || done.code === 1);
});

test("runtimes lists those of doctor, fetches those that are named, and says what to do for one that cannot be had", () => {
  const list = lambent(["runtimes"]);
  assert.equal(list.code, 0);
  assert.match(list.stdout, /^ {2}nodejs24\.x\s+ready/m);
  assert.ok(lambent(["doctor"]).stdout.endsWith(list.stdout));
  const fetched = lambent(["runtimes", "nodejs24.x", "provided.al2023"]);
  assert.match(fetched.stdout, /nodejs24\.x\s+ready\s+24\.\d+\.\d+\n {2}provided\.al2023\s+ready\n$/);
  const old = lambent(["runtimes", "nodejs12.x"]);
  assert.equal(old.code, 1);
  assert.match(old.stderr, /^lambent runtimes: The runtime parameter of nodejs12\.x is no longer supported/);
  const unknown = lambent(["runtimes", "cobol85"]);
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /^lambent runtimes: .*cobol85/);
});

test("health and ready answer", async () => {
  for (const probe of ["health", "ready"]) {
    const response = await fetch(`${server.endpoint}/_lambent/${probe}`);
    assert.equal(response.status, 200);
  }
});
