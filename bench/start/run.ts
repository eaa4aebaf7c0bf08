/**
 * From starting the process to the first answered Invoke: Lambent (durable state, sandboxed function) against serverless-offline (in memory,
 * worker thread), interleaved in one run. `npm run bench:start [-- ROUNDS]`; a table on stderr, JSON on stdout.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { deployFunction } from "../../test/harness/functions.ts";
import { clientOptions } from "../../test/harness/server.ts";
import {
  OFFLINE_ENVIRONMENT,
  installPeers,
  offlineCommand,
  offlineName,
  writeServerlessProject,
} from "../contenders/peers.ts";
import { freePort } from "../contenders/server.ts";
import { median } from "../statistics.ts";

const ROUNDS_DEFAULT = 5;
const ANSWER_MS_MAX = 60_000;
const POLL_MS = 2;
const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const HANDLER = "exports.handler = async (event) => ({ ok: true, n: event.n ?? 0 });";

interface Contender {
  readonly name: string;
  readonly port: number;
  /** Starts what serves hello at /2015-03-31/functions/<functionName>/invocations. */
  begin(): ChildProcess;
  readonly functionName: string;
}

const rounds = Number(process.argv[2] ?? ROUNDS_DEFAULT);
const folder = mkdtempSync(join(tmpdir(), "lambent-bench-"));
try {
  const contenders = [
    await lambent(join(folder, "data")),
    await serverlessOffline(join(folder, "serverless")),
  ];
  const times = new Map(contenders.map((one) => [one.name, [] as number[]]));
  for (let round = 0; round < rounds; round++)
    for (const contender of contenders) times.get(contender.name)?.push(await startToFirstAnswer(contender));
  report(times);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Milliseconds from spawn to the first 200 of an invocation. */
async function startToFirstAnswer(contender: Contender): Promise<number> {
  const { port } = contender;
  const begun = performance.now();
  const child = contender.begin();
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
  const port = await freePort();
  const begin = () =>
    spawn(process.execPath, [MAIN, "start", "--port", String(port), "--data-dir", dataDir], {
      stdio: "ignore",
    });
  const child = begin();
  const options = clientOptions(`http://127.0.0.1:${port}`);
  await ready(options.endpoint);
  await deployFunction(options, "hello", { "index.cjs": HANDLER }, { MemorySize: 1769 });
  child.kill("SIGTERM");
  await once(child, "exit");
  return { name: "lambent", port, begin, functionName: "hello" };
}

async function serverlessOffline(project: string): Promise<Contender> {
  installPeers();
  mkdirSync(project);
  writeServerlessProject(project, { hello: HANDLER });
  const port = await freePort();
  const [program = "", ...words] = await offlineCommand(port);
  const env = { ...process.env, ...OFFLINE_ENVIRONMENT };
  return {
    name: "serverless-offline",
    port,
    functionName: offlineName("hello"),
    begin: () => spawn(program, words, { cwd: project, env, stdio: "ignore" }),
  };
}

async function ready(endpoint: string): Promise<void> {
  for (const end = Date.now() + ANSWER_MS_MAX; Date.now() < end; await sleep(20)) {
    const response = await fetch(`${endpoint}/_lambent/ready`).catch(() => undefined);
    if (response?.status === 200) return;
  }
  throw new Error(`Lambent was not ready within ${ANSWER_MS_MAX} ms`);
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
