/** A server with a neighbour on it, and the functions of scenarios beside it; what it holds can be measured. */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { Agent } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { DeleteFunctionCommand, InvokeCommand } from "@aws-sdk/client-lambda";
import type { LambdaClient, Runtime } from "@aws-sdk/client-lambda";
import { loadConfig } from "../../src/config/index.ts";
import type { ConfigInput } from "../../src/index.ts";
import { createRuntimes } from "../../src/invoke/index.ts";
import { inspectMachine, lackingFor, tryGvisor } from "../../src/sandbox/index.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { deployFunction, makeRole } from "../harness/functions.ts";
import { clientOptions } from "../harness/server.ts";
import { holdings } from "./holdings.ts";
import type { Holdings } from "./holdings.ts";
import type { Memory, Ready } from "./measured-server.ts";
import { OTHER_STORAGE_MB } from "./scenario.ts";
import type { Answer, BadFunction, Scenario, Stage } from "./scenario.ts";

/** What isolates functions: a bad function is only run where something does. */
export type Kind = "runc" | "runsc";

const SERVER = fileURLToPath(new URL("measured-server.ts", import.meta.url));
/** Longest start of a server, in milliseconds. */
const START_MS_MAX = 120_000;

/** The providers that this machine has; why it lacks the others is printed. */
export const kinds: readonly Kind[] = await (async () => {
  const machine = await inspectMachine();
  const found: Kind[] = [];
  for (const kind of ["runc", "runsc"] as const) {
    const lacking = lackingFor(kind, machine);
    const reason = lacking.length > 0 ? lacking.join(" ") : kind === "runsc" ? await tryGvisor() : undefined;
    if (reason === undefined) found.push(kind);
    else console.log(`# SKIPPED scenarios on ${kind}: ${reason}`);
  }
  return found;
})();

const python = await (async () => {
  const runtimes = createRuntimes({ cacheDir: loadConfig().runtimesDir, log: createLog("error") });
  for (let minor = 14; minor >= 8; minor--)
    if ((await runtimes.find(`python3.${minor}`)).status === "ready") return `python3.${minor}` as Runtime;
  console.log("# SKIPPED scenarios in Python: there is no Python that Lambda has a runtime for");
  return undefined;
})();

/** Why a scenario says nothing here; undefined when it does. */
export function skipped(scenario: Scenario, kind: Kind): string | undefined {
  const needsPython = Object.values(scenario.functions).some(({ language }) => language === "python");
  return scenario.notOn?.[kind] ?? (needsPython && !python ? "needs Python" : undefined);
}

export interface OpenStage {
  readonly kind: Kind;
  readonly dataDir: string;
  /** Deploys the functions of a scenario, runs `work` with them and deletes them. */
  with(name: string, scenario: Scenario, work: (stage: Stage) => Promise<void>): Promise<void>;
  /** The neighbour answers, and the server calls itself healthy. */
  isWell(): Promise<void>;
  /** What the server holds, its garbage collected. */
  measure(): Promise<Holdings>;
  stop(): Promise<void>;
}

/** Processes of runtimes that may wait for a function on a stage: few, so that one too many shows. */
export const WAITING_MAX = 16;
const NEIGHBOUR = `let n = 0; export const handler = async (event) => ({ event, n: ++n });`;

/** Starts a server on a folder of its own. */
export async function openStage(kind: Kind, config: ConfigInput = {}): Promise<OpenStage> {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-scenarios-"));
  const child = fork(
    SERVER,
    [JSON.stringify({ sandbox: kind, dataDir, prebooted: WAITING_MAX, ...config })],
    {
      execArgv: ["--expose-gc"],
    },
  );
  const ready = await message<Ready>(child);
  // Connections that are kept would count among the server's descriptors.
  const requestHandler = { httpAgent: new Agent({ keepAlive: false }) };
  const options = { ...clientOptions(ready.endpoint), requestHandler };
  const role = await makeRole(options);
  const client = await deployFunction(
    options,
    "neighbour",
    { "index.mjs": NEIGHBOUR },
    {
      MemorySize: 256,
      // What is kept ready for this size of /tmp is there from the start.
      EphemeralStorage: { Size: OTHER_STORAGE_MB },
    },
  );
  const logsClient = new CloudWatchLogsClient(options);
  const server = { port: Number(new URL(ready.endpoint).port), pid: child.pid ?? 0, dataDir };
  let rounds = 0;

  const measure = async () => {
    child.send("measure");
    return holdings(server.pid, dataDir, await message<Memory>(child));
  };
  const deploy = (name: string, bad: BadFunction) =>
    deployFunction(options, name, bad.files, {
      Role: role,
      ...runtimeOf(bad),
      MemorySize: bad.memoryMb ?? 512,
      Timeout: bad.timeoutSeconds ?? 15,
      EphemeralStorage: { Size: bad.storageMb ?? 512 },
      ...(bad.environment ? { Environment: { Variables: { ...bad.environment } } } : {}),
    });
  return {
    kind,
    dataDir,
    async with(name, scenario, work) {
      const own = (inner: string) => `${name}-${inner}`;
      const names = Object.keys(scenario.functions);
      try {
        for (const inner of names) await deploy(own(inner), scenario.functions[inner] as BadFunction);
        await work({
          kind,
          client,
          role,
          nodeRuntime: "nodejs24.x",
          server,
          invoke: (inner, event) => invoke(client, own(inner), event),
          logs: (inner, part) => readLogs(logsClient, own(inner), part),
        });
      } finally {
        for (const inner of names)
          await client.send(new DeleteFunctionCommand({ FunctionName: own(inner) })).catch(() => {});
      }
    },
    async isWell() {
      const round = ++rounds;
      const { json, functionError } = await invoke(client, "neighbour", { round });
      if (functionError || json?.event?.round !== round)
        throw new Error(`the neighbour answered ${JSON.stringify(json)}`);
      for (const probe of ["health", "ready"]) {
        const { status } = await fetch(`${ready.endpoint}/_lambent/${probe}`);
        if (status !== 200) throw new Error(`${probe} answered ${status}`);
      }
    },
    measure,
    async stop() {
      const gone = once(child, "exit");
      child.send("stop");
      await gone;
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function invoke(client: LambdaClient, FunctionName: string, event: unknown): Promise<Answer> {
  const answer = await client.send(
    new InvokeCommand({ FunctionName, LogType: "Tail", Payload: JSON.stringify(event ?? {}) }),
  );
  const tail = Buffer.from(answer.LogResult ?? "", "base64").toString();
  return {
    json: JSON.parse(answer.Payload?.transformToString() || "null") as unknown,
    functionError: answer.FunctionError,
    requestId: answer.$metadata.requestId ?? "",
    tail,
    maxMemoryUsedMb: Number(/Max Memory Used: (\d+) MB/.exec(tail)?.[1]),
  };
}

function runtimeOf({ language = "node" }: BadFunction): { Runtime: Runtime; Handler: string } {
  if (language === "shell") return { Runtime: "provided.al2023", Handler: "none" };
  const Handler = "index.handler";
  if (language === "python") return { Runtime: python ?? "python3.13", Handler };
  return { Runtime: "nodejs24.x", Handler };
}

async function readLogs(
  client: CloudWatchLogsClient,
  name: string,
  part?: Parameters<Stage["logs"]>[1],
): Promise<string[]> {
  const query = {
    logGroupName: `/aws/lambda/${name}`,
    ...(part && { logStreamNames: [part.logStreamName], startTime: part.since }),
  };
  const found: string[] = [];
  let nextToken: string | undefined;
  do {
    const page = await client.send(new FilterLogEventsCommand({ ...query, nextToken }));
    found.push(...(page.events ?? []).map((event) => event.message ?? ""));
    ({ nextToken } = page);
  } while (nextToken !== undefined);
  return found;
}

/** The next thing that the server tells. */
async function message<T>(child: ChildProcess): Promise<T> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), START_MS_MAX);
  try {
    const ended = once(child, "exit", { signal: abort.signal }).then(([code]) => {
      throw new Error(`the server ended with ${String(code)}`);
    });
    const [said] = (await Promise.race([once(child, "message", { signal: abort.signal }), ended])) as [T];
    ended.catch(() => {});
    return said;
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
}
