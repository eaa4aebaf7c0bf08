/** Lambent as it is measured: signatures verified, logs stored, functions in runc, state on disk. Each is checked, not assumed. */
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { DeleteFunctionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import type { CreateFunctionCommandInput } from "@aws-sdk/client-lambda";
import { deployFunction, makeRole } from "../../test/harness/functions.ts";
import { clientOptions } from "../../test/harness/server.ts";
import type { ClientOptions } from "../../test/harness/server.ts";
import { zipOf } from "../../test/harness/zip.ts";
import { Connection } from "../load/http-client.ts";
import { signedInvoke } from "../load/signed-request.ts";
import type { InvokeTarget } from "../load/signed-request.ts";
import { usedUsBelow } from "../machine/cpu-group.ts";
import { HELLO } from "./handlers.ts";
import type { Language } from "./handlers.ts";
import { startMeasured } from "./server.ts";
import type { ContenderServer, Cpus, MeasuredProcess } from "./server.ts";

export interface LambentServer extends ContenderServer {
  readonly options: ClientOptions;
  readonly dataDir: string;
  /** The server's own CPU and that of its sandboxes, in microseconds. */
  usedUsOf(part: "server" | "sandboxes"): number;
  /** Name of the group that its sandboxes' groups are in; its own where functions are not isolated. */
  readonly sandboxGroup: string;
  deploy(
    name: string,
    files: Readonly<Record<string, string | Uint8Array>>,
    settings?: Settings,
  ): Promise<void>;
  /** As `deploy`, for packages that are too large for a request. */
  deployFromBucket: LambentServer["deploy"];
  /** Deploys so many functions of code that was never run; answers their names. */
  deployFresh(language: Language, count: number): Promise<string[]>;
  /** Deletes functions, and with them the environments that they left idle. */
  remove(names: readonly string[]): Promise<void>;
  targetOf(name: string, invocationType?: InvokeTarget["invocationType"]): InvokeTarget;
}

type Settings = Partial<CreateFunctionCommandInput>;

export interface LambentChoices {
  /** `runc`, which alone may be reported; `process` for the smoke test on machines without. */
  readonly sandbox?: "runc" | "process";
  readonly env?: Readonly<Record<string, string>>;
  readonly cpus?: Cpus;
  /** Flags of Node itself. */
  readonly nodeFlags?: readonly string[];
}

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const START_MS_MAX = 60_000;
const DEPLOYS_AT_ONCE = 8;
const LOG_MS_MAX = 10_000;
const ROLE = "arn:aws:iam::000000000000:role/test-function";
/** An account's requests per second are ten times this: more than one machine answers, since what it refuses is not to be measured. */
const CONCURRENCY_MAX = 10_000;
/** One whole vCPU: peers have no limit on theirs. */
const MEMORY_MB = 1_769;

/** Starts it on an empty data directory with the function `hello`. @throws Error when it is not as it must be measured. */
export async function startLambent(choices: LambentChoices = {}): Promise<LambentServer> {
  const dataDir = mkdtempSync(join(tmpdir(), "lambent-bench-"));
  const sandbox = choices.sandbox ?? "runc";
  const flags = [
    "--port",
    "0",
    "--auth",
    "on",
    "--sandbox",
    sandbox,
    "--data-dir",
    dataDir,
    "--log-level",
    "warn",
    "--concurrency-max",
    String(CONCURRENCY_MAX),
  ];
  const running = startMeasured({
    name: "lambent",
    folder: dataDir,
    command: [process.execPath, ...(choices.nodeFlags ?? []), MAIN, "start", ...flags],
    env: { ...withoutSettings(), ...choices.env },
    ...(choices.cpus && { cpus: choices.cpus }),
  });
  try {
    const endpoint = await ready(running);
    const printed = running.printed();
    if (
      !new RegExp(`sandbox +${sandbox}\\s`).test(printed) ||
      (sandbox === "runc" && /warning/.test(printed))
    )
      throw new Error(`Lambent does not isolate functions as it must for this benchmark:\n${printed}`);
    const server = describe(running, endpoint, dataDir);
    await makeRole(server.options);
    await server.deploy("hello", { "index.cjs": HELLO });
    await checkConduct(server);
    return server;
  } catch (error) {
    await running.stop();
    throw error;
  }
}

function describe(running: MeasuredProcess, endpoint: string, dataDir: string): LambentServer {
  const { port } = new URL(endpoint);
  const credentials = readCredentials(running.printed());
  const options: ClientOptions = { ...clientOptions(endpoint), credentials };
  const sandboxGroup = sandboxGroupIn(join(dataDir, "sandboxes")) ?? running.group.name;
  const targetOf = (name: string, invocationType?: InvokeTarget["invocationType"]): InvokeTarget => ({
    host: "127.0.0.1",
    port: Number(port),
    path: `/2015-03-31/functions/${name}/invocations`,
    credentials,
    ...(invocationType && { invocationType }),
  });
  const usedUsOf = (part: "server" | "sandboxes") => {
    if (part === "server") return running.group.usedUs();
    return sandboxGroup === running.group.name ? 0 : usedUsBelow(sandboxGroup);
  };
  const server: LambentServer = {
    name: "lambent",
    pid: running.child.pid as number,
    target: targetOf("hello"),
    targetOf,
    options,
    dataDir,
    sandboxGroup,
    usedUsOf,
    usedUs: () => usedUsOf("server") + usedUsOf("sandboxes"),
    deployFresh: (language, count) => deployFresh(server, language, count),
    async remove(names) {
      const client = new LambdaClient(options);
      await Promise.all(
        names.map((FunctionName) => client.send(new DeleteFunctionCommand({ FunctionName }))),
      );
      client.destroy();
    },
    async deployFromBucket(name, files, settings) {
      const s3 = new S3Client(options);
      const [Bucket, Key] = [`bench-${name}`, "code.zip"];
      await s3.send(new CreateBucketCommand({ Bucket }));
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: await zipOf(files) }));
      s3.destroy();
      const Code = { S3Bucket: Bucket, S3Key: Key };
      await deployFunction(
        options,
        name,
        {},
        { Role: ROLE, MemorySize: MEMORY_MB, Timeout: 30, ...settings, Code },
      );
    },
    async deploy(name, files, settings) {
      await deployFunction(options, name, files, {
        Role: ROLE,
        MemorySize: MEMORY_MB,
        Timeout: 30,
        ...settings,
      });
    },
    stop: () => running.stop(),
  };
  return server;
}

/**
 * The group of the sandboxes whose provider keeps its state in a folder; undefined under `process`, where functions are processes
 * of the server's own group.
 */
export function sandboxGroupIn(stateDir: string): string | undefined {
  const file = join(stateDir, "instance");
  return existsSync(file) ? `lambent-${readFileSync(file, "utf8").trim()}` : undefined;
}

let deployed = 0;

async function deployFresh(server: LambentServer, language: Language, count: number): Promise<string[]> {
  const names = Array.from({ length: count }, () => `${language.name}-${(deployed += 1)}`);
  const settings = { Runtime: language.runtime, Handler: language.handler } as Settings;
  const queue = [...names];
  const deployer = async () => {
    for (let name = queue.pop(); name !== undefined; name = queue.pop())
      await server.deploy(name, { [language.file]: language.fresh() }, settings);
  };
  await Promise.all(Array.from({ length: DEPLOYS_AT_ONCE }, deployer));
  return names;
}

/** A wrong signature is refused, and what an invocation logs is found in CloudWatch Logs. */
async function checkConduct({ target, options }: LambentServer): Promise<void> {
  const connection = await Connection.open(target.port);
  try {
    const wrong = { ...target, credentials: { ...target.credentials, secretAccessKey: "wrong" } };
    const refused = await connection.send(signedInvoke(wrong, Buffer.from("{}")));
    if (refused.status !== 403) throw new Error(`a wrong signature was answered ${refused.status}, not 403`);
    const answer = await connection.send(signedInvoke(target, Buffer.from('{"n":7}')));
    if (answer.body.toString() !== '{"ok":true,"n":7}')
      throw new Error(`hello answered ${answer.status}: ${answer.body.toString()}`);
  } finally {
    connection.close();
  }
  const logs = new CloudWatchLogsClient(options);
  const question = new FilterLogEventsCommand({ logGroupName: "/aws/lambda/hello", filterPattern: "REPORT" });
  for (const end = Date.now() + LOG_MS_MAX; Date.now() < end; await sleep(100)) {
    const { events = [] } = await logs.send(question).catch(() => ({ events: [] }));
    if (events.length > 0) return logs.destroy();
  }
  throw new Error("the REPORT line of an invocation was not stored: benchmarks count with logs");
}

async function ready(running: MeasuredProcess): Promise<string> {
  for (const end = Date.now() + START_MS_MAX; Date.now() < end; await sleep(20)) {
    // The whole welcome, so that the warnings in it are seen.
    const match = /ready at (http:\/\/\S+)[\s\S]*use it/.exec(running.printed());
    if (match?.[1] !== undefined) return match[1];
    if (running.child.exitCode !== null) break;
  }
  throw new Error(`Lambent did not start:\n${running.printed()}`);
}

function readCredentials(printed: string) {
  const file = /credentials of account 000000000000: (\S+)/.exec(printed)?.[1];
  if (file === undefined) throw new Error(`Lambent named no credentials:\n${printed}`);
  const value = (key: string) =>
    new RegExp(`^${key}\\s*=\\s*(\\S+)`, "m").exec(readFileSync(file, "utf8"))?.[1] ?? "";
  return { accessKeyId: value("aws_access_key_id"), secretAccessKey: value("aws_secret_access_key") };
}

/** What the user has set for a server of their own must not change what is measured. */
function withoutSettings(): Record<string, string | undefined> {
  const names = Object.keys(process.env).filter((name) => name.startsWith("LAMBENT_"));
  return { ...Object.fromEntries(names.map((name) => [name, undefined])), NO_COLOR: "1" };
}
