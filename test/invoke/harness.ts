/** An invoker on a real sandbox provider, with functions written into a temporary folder and its log lines collected. */
import assert from "node:assert/strict";
import { appendFile, chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { loadConfig } from "../../src/config/index.ts";
import {
  INVOKE_LIMITS_DEFAULT,
  LambdaMetrics,
  createInvoker,
  createRuntimes,
} from "../../src/invoke/index.ts";
import type {
  Credentials,
  FunctionVersion,
  InvokeLimits,
  Invocation,
  Invoker,
  MemoryReading,
  Outcome,
  Runtimes,
} from "../../src/invoke/index.ts";
import { systemClock } from "../../src/kit/clock.ts";
import { randomIds } from "../../src/kit/id.ts";
import { createSandboxProvider, inspectMachine, lackingFor, tryGvisor } from "../../src/sandbox/index.ts";
import type { SandboxProvider } from "../../src/sandbox/index.ts";
import { createLog } from "../../src/telemetry/log.ts";
import type { Log } from "../../src/telemetry/log.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";

export type Kind = "process" | "runc" | "runsc";

/** Why runc cannot run here; undefined where it can. */
export const runcMissing = await (async () => {
  const machine = await inspectMachine();
  return machine.provider === "process" ? "runc cannot isolate functions on this machine" : undefined;
})();
if (runcMissing) console.log(`# SKIPPED the data path on runc: ${runcMissing}`);

/** The providers that the suites run on. */
export const kinds: readonly Kind[] = runcMissing ? ["process"] : ["process", "runc"];

/** The same with gVisor, for what its sandboxes might do otherwise; why there is none is printed. */
export async function kindsWithGvisor(): Promise<readonly Kind[]> {
  const lacking = lackingFor("runsc", await inspectMachine());
  const reason = lacking.length > 0 ? lacking.join(" ") : await tryGvisor();
  if (reason === undefined) return [...kinds, "runsc"];
  console.log(`# SKIPPED the data path on gVisor: ${reason}`);
  return kinds;
}

/** What is fetched stays in the user's cache: a test run fetches once per machine. */
export const runtimes: Runtimes = createRuntimes({
  cacheDir: loadConfig().runtimesDir,
  log: createLog("error"),
});

export interface FunctionInput extends Partial<Omit<FunctionVersion, "codeDir">> {
  /** File name → content, executable; below the folder of the code. */
  readonly files: Readonly<Record<string, string | Buffer>>;
}

const recorded = new Set<string>();

/** Notes for scripts/runtime-table.ts what the tests run, where they are asked to. */
async function record(identifier: string, kind: Kind): Promise<void> {
  const file = process.env["LAMBENT_RECORD_RUNTIMES"];
  if (file === undefined || recorded.has(`${identifier} ${kind}`)) return;
  recorded.add(`${identifier} ${kind}`);
  const { version } = await runtimes.install(identifier);
  await appendFile(file, `${identifier} ${version || "-"} ${kind}\n`);
}

export interface TestInvoker {
  readonly invoker: Invoker;
  readonly sandboxes: SandboxProvider;
  readonly metrics: Metrics;
  /** Everything logged so far, stream after stream, in order. */
  logged(): string;
  /** The names of the log streams. */
  streams(): string[];
  linesOf(stream: string): readonly string[];
  fn(input: FunctionInput): Promise<FunctionVersion>;
  /** Invokes with a JSON event. */
  call(version: FunctionVersion, event?: unknown, invocation?: Partial<Invocation>): Promise<Answer>;
  /** Ends everything and removes the folder; once, however often it is called. */
  close(): Promise<void>;
}

export interface Answer extends Outcome {
  /** The payload, parsed. */
  // oxlint-disable-next-line typescript/no-explicit-any -- a test reads whatever its function answered
  readonly json: any;
  readonly requestId: string;
  readonly tail: string;
}

export const account = "000000000000";
export const region = "us-east-1";
/** Nothing listens there: these tests only look at the address. */
const endpointPort = 4_999;
const hourMs = 3_600_000;

export async function openInvoker(
  kind: Kind,
  options: Partial<InvokeLimits> & {
    credentials?: () => Promise<Credentials>;
    memory?: () => Promise<MemoryReading>;
    log?: Log;
  } = {},
): Promise<TestInvoker> {
  const folder = await mkdtemp(join(tmpdir(), "lambent-invoke-"));
  await chmod(folder, 0o755);
  const log = options.log ?? createLog("error");
  const stateDir = join(folder, "state");
  const sandboxes = await createSandboxProvider({
    kind,
    stateDir,
    serverPorts: [endpointPort],
    outbound: "none",
    log,
    ids: randomIds,
  });
  const metrics = new Metrics(systemClock);
  const lines = new Map<string, string[]>();
  const invoker = createInvoker({
    sandboxes,
    runtimes,
    ports: {
      credentials: options.credentials ?? (() => Promise.resolve(credentialsUntil(Date.now() + hourMs))),
      writeLogs: (_version, stream, more) =>
        void lines.set(stream, [...(lines.get(stream) ?? []), ...more.map((line) => line.message)]),
      logBytesWaiting: () => 0,
    },
    endpointPort,
    stateDir,
    clock: systemClock,
    ids: randomIds,
    log,
    limits: { ...INVOKE_LIMITS_DEFAULT, environmentsMax: 20, ...options },
    metrics: new LambdaMetrics(metrics),
    memory: options.memory ?? (() => Promise.resolve(memoryWith(1))),
  });
  let functions = 0;
  let closing: Promise<void> | undefined;
  const close = async () => {
    await invoker.stop(1_000);
    await sandboxes.close();
    await rm(folder, { recursive: true, force: true });
  };
  return {
    invoker,
    sandboxes,
    metrics,
    logged: () => [...lines.values()].flat().join(""),
    streams: () => [...lines.keys()],
    linesOf: (stream) => lines.get(stream) ?? [],
    async fn(input) {
      const name = `function-${++functions}`;
      const codeDir = join(folder, name);
      for (const [file, bytes] of Object.entries(input.files)) await writeCode(join(codeDir, file), bytes);
      return functionVersion(name, codeDir, input);
    },
    async call(version, event = {}, invocation = {}) {
      await record(version.runtime, kind);
      const requestId = randomIds.uuid();
      const outcome = await invoker.invoke(version, {
        requestId,
        payload: Buffer.from(JSON.stringify(event)),
        invokedFunctionArn: version.functionArn,
        wantLogTail: false,
        ...invocation,
      });
      await record(version.runtime, kind);
      const text = outcome.payload.toString();
      return { ...outcome, requestId, json: parse(text), tail: outcome.logTail?.toString() ?? "" };
    },
    close: () => (closing ??= close()),
  };
}

/** How long something may take to come, in milliseconds. */
const lateMsMax = 60_000;

/** Waits for what comes a little later, such as the last lines of a log. */
export async function eventually(isSo: () => boolean): Promise<void> {
  const until = performance.now() + lateMsMax;
  while (!isSo()) {
    assert.ok(performance.now() < until, `not so after ${lateMsMax} ms: ${isSo.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** What a machine of 16 GiB tells when this part of its memory is free. */
export function memoryWith(availableShare: number, stalledPercent = 0): MemoryReading {
  const totalBytes = 16 * 2 ** 30;
  return { stalledPercent, availableBytes: availableShare * totalBytes, totalBytes };
}

export function credentialsUntil(expiresAt: number): Credentials {
  return { accessKeyId: "ASIATEST", secretAccessKey: "secret", sessionToken: "token", expiresAt };
}

function functionVersion(name: string, codeDir: string, input: FunctionInput): FunctionVersion {
  const { files: _files, ...members } = input;
  return {
    key: name,
    account,
    region,
    functionName: name,
    version: "$LATEST",
    functionArn: `arn:aws:lambda:${region}:${account}:function:${name}`,
    runtime: "nodejs26.x",
    handler: "index.handler",
    memoryMb: 512,
    timeoutMs: 10_000,
    ephemeralStorageMb: 512,
    environment: {},
    codeDir,
    roleArn: `arn:aws:iam::${account}:role/test`,
    logGroup: `/aws/lambda/${name}`,
    ...members,
  };
}

async function writeCode(path: string, bytes: string | Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await writeFile(path, bytes, { mode: 0o755 });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
