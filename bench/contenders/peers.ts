/** Peers from npm, pinned in bench/package.json: started as their makers tell, with the same handler as ours. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Connection } from "../load/http-client.ts";
import { signedInvoke } from "../load/signed-request.ts";
import type { InvokeTarget } from "../load/signed-request.ts";
import { HELLO } from "./handlers.ts";
import { freePort, startMeasured } from "./server.ts";
import type { ContenderServer, Cpus, MeasuredProcess } from "./server.ts";

const MANIFEST = fileURLToPath(new URL("../", import.meta.url));
/** Not in bench/node_modules: serverless-offline brings AWS SDKs of its own, which would hide the project's. */
const PEERS = fileURLToPath(new URL("../.peers/", import.meta.url));
const LAMBDA_LOCAL = fileURLToPath(new URL("./lambda-local-server.mjs", import.meta.url));
const START_MS_MAX = 60_000;
/** Peers verify nothing; they are sent the same bytes as ours all the same. */
const CREDENTIALS = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "unverified" };

/** Where they are installed. */
export function peersFolder(): string {
  installPeers();
  return PEERS;
}

/** Installs the peers, once for each lock file. @throws Error when npm cannot. */
export function installPeers(): void {
  const lock = readFileSync(join(MANIFEST, "package-lock.json"));
  const hash = createHash("sha256").update(lock).digest("hex");
  const stamp = join(PEERS, ".installed");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return;
  console.error("Installing the peers (npm ci in bench/.peers)");
  mkdirSync(PEERS, { recursive: true });
  for (const name of ["package.json", "package-lock.json"])
    copyFileSync(join(MANIFEST, name), join(PEERS, name));
  const npm = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: PEERS,
    stdio: "inherit",
  });
  if (npm.status !== 0) throw new Error("npm ci failed in bench/.peers; what it printed above says why");
  writeFileSync(stamp, hash);
}

export interface OfflineChoices {
  readonly cpus?: Cpus;
  readonly inProcess?: boolean;
  /** Function name → the text of its module, whose `handler` is called. */
  readonly functions?: Readonly<Record<string, string>>;
}

/** serverless-offline, by default with a worker thread for each function, as `serverless offline start` runs it. */
export async function startServerlessOffline(choices: OfflineChoices = {}): Promise<ContenderServer> {
  installPeers();
  const port = await freePort();
  const project = mkdtempSync(join(tmpdir(), "lambent-bench-serverless-"));
  writeServerlessProject(project, choices.functions ?? { hello: HELLO });
  const mode = choices.inProcess ? ["--useInProcess"] : [];
  const command = [...(await offlineCommand(port)), ...mode];
  const name = ["serverless-offline", ...mode].join(" ");
  const path = `/2015-03-31/functions/${offlineName("hello")}/invocations`;
  const program = {
    name,
    folder: project,
    command,
    cwd: project,
    env: OFFLINE_ENVIRONMENT,
    cpus: choices.cpus ?? "one",
  } as const;
  return answering(program, port, path);
}

/** The command that serves the project in the working directory at a port. */
export async function offlineCommand(port: number): Promise<string[]> {
  const script = join(PEERS, "node_modules/serverless/bin/serverless.js");
  const ports = ["--lambdaPort", String(port), "--httpPort", String(await freePort())];
  return [process.execPath, script, "offline", "start", ...ports];
}

/** The name under which serverless-offline serves a function of the project. */
export function offlineName(name: string): string {
  return `bench-dev-${name}`;
}

/** It asks nothing and tells nobody. */
export const OFFLINE_ENVIRONMENT = {
  SLS_NOTIFICATIONS_MODE: "off",
  SLS_TELEMETRY_DISABLED: "1",
  SLS_INTERACTIVE_SETUP_ENABLE: "0",
};

/** Writes serverless.yml and a module for each function. */
export function writeServerlessProject(project: string, functions: Readonly<Record<string, string>>): void {
  const names = Object.keys(functions);
  for (const name of names) writeFileSync(join(project, `${name}.js`), functions[name] as string);
  writeFileSync(
    join(project, "serverless.yml"),
    `service: bench
frameworkVersion: "3"
provider: { name: aws, runtime: nodejs20.x, region: us-east-1, stage: dev }
plugins: [${JSON.stringify(join(PEERS, "node_modules/serverless-offline"))}]
functions:
${names.map((name) => `  ${name}: { handler: ${name}.handler, timeout: 30 }`).join("\n")}
`,
  );
}

/** lambda-local, its library behind the plainest node:http server: it has no invoke endpoint of its own that stays fast. */
export async function startLambdaLocal(): Promise<ContenderServer> {
  installPeers();
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "lambent-bench-local-"));
  const handler = join(folder, "hello.js");
  writeFileSync(handler, HELLO);
  const command = [process.execPath, LAMBDA_LOCAL, join(PEERS, "package.json"), handler, String(port)];
  return answering({ name: "lambda-local", folder, command }, port, "/");
}

const WORKER = `export default { async fetch(request) {
  const event = await request.json();
  return Response.json({ ok: true, n: event.n ?? 0 });
} };
`;

/** workerd: isolates in one process, no Lambda and no process isolation; the fastest thing that runs functions. */
export async function startWorkerd(): Promise<ContenderServer> {
  installPeers();
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "lambent-bench-workerd-"));
  writeFileSync(join(folder, "worker.js"), WORKER);
  writeFileSync(
    join(folder, "config.capnp"),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ (name = "main", worker = .mainWorker) ],
  sockets = [ ( name = "http", address = "127.0.0.1:${port}", http = (), service = "main" ) ]
);
const mainWorker :Workerd.Worker = (
  modules = [ (name = "worker", esModule = embed "worker.js") ],
  compatibilityDate = "2025-01-01",
);
`,
  );
  const program = workerdProgram();
  const command = [program, "serve", join(folder, "config.capnp")];
  return answering({ name: "workerd", folder, command }, port, "/2015-03-31/functions/hello/invocations");
}

/** The binary itself: the package's own launcher is a Node script. */
function workerdProgram(): string {
  const platform = `${process.platform}-${process.arch === "x64" ? "64" : process.arch}`;
  return join(PEERS, `node_modules/@cloudflare/workerd-${platform}/bin/workerd`);
}

/** Runs a Node.js program of the peers' and waits until it takes connections. @param program `script` lies below node_modules */
export async function listening(
  {
    script,
    words,
    ...program
  }: {
    readonly name: string;
    readonly folder: string;
    readonly script: string;
    readonly words: readonly string[];
    readonly env: Readonly<Record<string, string>>;
  },
  port: number,
  credentials = CREDENTIALS,
): Promise<ContenderServer> {
  installPeers();
  const command = [process.execPath, join(PEERS, "node_modules", script), ...words];
  const running = startMeasured({ ...program, command });
  const target = { host: "127.0.0.1", port, path: "/", credentials };
  for (const end = Date.now() + START_MS_MAX; Date.now() < end; await sleep(50)) {
    if (running.child.exitCode !== null) break;
    const connection = await Connection.open(port).catch(() => undefined);
    connection?.close();
    if (connection) return measuredServer(program.name, running, target);
  }
  await running.stop();
  throw new Error(`${program.name} does not listen:\n${running.printed()}`);
}

function measuredServer(name: string, running: MeasuredProcess, target: InvokeTarget): ContenderServer {
  return {
    name,
    pid: running.child.pid as number,
    target,
    usedUs: () => running.group.usedUs(),
    stop: () => running.stop(),
  };
}

/** Runs a server and waits until it answers as hello does. */
async function answering(
  program: Parameters<typeof startMeasured>[0],
  port: number,
  path: string,
): Promise<ContenderServer> {
  const running = startMeasured(program);
  const target = { host: "127.0.0.1", port, path, credentials: CREDENTIALS };
  for (const end = Date.now() + START_MS_MAX; Date.now() < end; await sleep(50)) {
    if (running.child.exitCode !== null) break;
    const body = await probe(port, signedInvoke(target, Buffer.from('{"n":7}')));
    if (body === '{"ok":true,"n":7}') return measuredServer(program.name, running, target);
  }
  await running.stop();
  throw new Error(`${program.name} does not answer:\n${running.printed()}`);
}

async function probe(port: number, request: Buffer): Promise<string | undefined> {
  try {
    const connection = await Connection.open(port);
    try {
      return (await connection.send(request)).body.toString();
    } finally {
      connection.close();
    }
  } catch {
    return undefined;
  }
}

/** A file of a peer's package, which is installed first. */
export function peerFile(path: string): string {
  installPeers();
  return join(PEERS, "node_modules", path);
}
