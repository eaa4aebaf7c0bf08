/**
 * From starting the process to the first answered Invoke: Lambent (durable state, sandboxed function) against serverless-offline (in memory,
 * worker thread), interleaved in one run. `npm run bench:start [-- ROUNDS]`; a table on stderr, JSON on stdout.
 */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { deployFunction } from "../../test/harness/functions.ts";
import { clientOptions } from "../../test/harness/server.ts";
import { median } from "../statistics.ts";

const ROUNDS_DEFAULT = 5;
const ANSWER_MS_MAX = 60_000;
const POLL_MS = 2;
const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const PEERS = fileURLToPath(new URL("../peers/", import.meta.url));
const HANDLER = "exports.handler = async (event) => ({ ok: true, n: event.n ?? 0 });";

interface Contender {
  readonly name: string;
  /** The command that serves one function named hello at /2015-03-31/functions/<path>/invocations. */
  begin(port: number): ChildProcess;
  readonly functionName: string;
}

const rounds = Number(process.argv[2] ?? ROUNDS_DEFAULT);
const folder = mkdtempSync(join(tmpdir(), "lambent-bench-"));
try {
  const contenders = [await lambent(join(folder, "data")), serverlessOffline(join(folder, "serverless"))];
  const times = new Map(contenders.map((one) => [one.name, [] as number[]]));
  for (let round = 0; round < rounds; round++)
    for (const contender of contenders) times.get(contender.name)?.push(await startToFirstAnswer(contender));
  report(times);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Milliseconds from spawn to the first 200 of an invocation. */
async function startToFirstAnswer(contender: Contender): Promise<number> {
  const port = await freePort();
  const begun = performance.now();
  const child = contender.begin(port);
  try {
    for (const end = Date.now() + ANSWER_MS_MAX; Date.now() < end; await sleep(POLL_MS)) {
      const url = `http://127.0.0.1:${port}/2015-03-31/functions/${contender.functionName}/invocations`;
      const response = await fetch(url, { method: "POST", body: '{"n":1}' }).catch(() => undefined);
      if (response?.status === 200 && (await response.text()).includes('"ok":true'))
        return performance.now() - begun;
    }
    throw new Error(`${contender.name} did not answer within ${ANSWER_MS_MAX} ms`);
  } finally {
    const gone = once(child, "exit");
    child.kill("SIGTERM");
    await gone;
  }
}

/** Lambent with the function already deployed on its data directory, as serverless-offline has it in its file. */
async function lambent(dataDir: string): Promise<Contender> {
  const begin = (port: number) =>
    spawn(process.execPath, [MAIN, "start", "--port", String(port), "--data-dir", dataDir], {
      stdio: "ignore",
    });
  const port = await freePort();
  const child = begin(port);
  const options = clientOptions(`http://127.0.0.1:${port}`);
  await ready(options.endpoint);
  await deployFunction(options, "hello", { "index.cjs": HANDLER }, { MemorySize: 1769 });
  child.kill("SIGTERM");
  await once(child, "exit");
  return { name: "lambent", begin, functionName: "hello" };
}

function serverlessOffline(project: string): Contender {
  if (!existsSync(join(PEERS, "node_modules/serverless-offline"))) {
    console.error("Installing serverless-offline (npm ci in bench/peers)");
    spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: PEERS, stdio: "inherit" });
  }
  mkdirSync(project);
  writeFileSync(join(project, "handler.js"), HANDLER);
  writeFileSync(
    join(project, "serverless.yml"),
    `service: bench
frameworkVersion: "3"
provider: { name: aws, runtime: nodejs20.x, region: us-east-1, stage: dev }
plugins: [${JSON.stringify(join(PEERS, "node_modules/serverless-offline"))}]
functions: { hello: { handler: handler.handler, timeout: 30 } }
`,
  );
  const script = join(PEERS, "node_modules/serverless/bin/serverless.js");
  const env = {
    ...process.env,
    SLS_NOTIFICATIONS_MODE: "off",
    SLS_TELEMETRY_DISABLED: "1",
    SLS_INTERACTIVE_SETUP_ENABLE: "0",
  };
  return {
    name: "serverless-offline",
    functionName: "bench-dev-hello",
    begin: (port) =>
      spawn(
        process.execPath,
        [script, "offline", "start", "--lambdaPort", String(port), "--httpPort", String(port + 1)],
        {
          cwd: project,
          env,
          stdio: "ignore",
        },
      ),
  };
}

async function ready(endpoint: string): Promise<void> {
  for (const end = Date.now() + ANSWER_MS_MAX; Date.now() < end; await sleep(20)) {
    const response = await fetch(`${endpoint}/_lambent/ready`).catch(() => undefined);
    if (response?.status === 200) return;
  }
  throw new Error(`Lambent was not ready within ${ANSWER_MS_MAX} ms`);
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}

function report(times: Map<string, number[]>): void {
  const ours = times.get("lambent") ?? [];
  const theirs = times.get("serverless-offline") ?? [];
  const ratio = median(theirs.map((value, round) => value / (ours[round] ?? Number.NaN)));
  for (const [name, values] of times) console.error(`${name.padEnd(20)} ${median(values).toFixed(0)} ms`);
  console.error(`ratio (median of the rounds' ratios) ${ratio.toFixed(1)}x`);
  console.log(
    JSON.stringify({
      benchmark: "start-to-first-answer",
      unit: "ms",
      rounds: Object.fromEntries(times),
      ratio,
    }),
  );
}
