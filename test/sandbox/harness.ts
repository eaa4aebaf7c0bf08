/** Sandboxes for the contract suites: the providers that this machine runs, and probes that run inside. */
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createLog } from "../../src/telemetry/log.ts";
import { randomIds } from "../../src/kit/id.ts";
import { createSandboxProvider, inspectMachine, lackingFor, tryGvisor } from "../../src/sandbox/index.ts";
import type {
  Program,
  RunningProgram,
  Sandbox,
  SandboxExit,
  SandboxOptions,
  SandboxProvider,
  SandboxSpec,
} from "../../src/sandbox/index.ts";

export type Kind = "auto" | "runc" | "crun" | "runsc" | "process";

/** Why the runc suites cannot run here; undefined where they can. Printed by every suite that is skipped for it. */
export const runcMissing: string | undefined = await (async () => {
  const machine = await inspectMachine();
  if (machine.provider !== "process") return undefined;
  const lacking = machine.findings
    .filter((finding) => !finding.found)
    .map((finding) => `${finding.name}: ${finding.detail}`);
  return `runc cannot isolate functions on this machine (${lacking.join("; ")})`;
})();

if (runcMissing) console.log(`# SKIPPED sandbox suites on runc: ${runcMissing}`);

/** Why sandboxes of this kind cannot be had here; undefined where they can. Printed by every suite that is skipped for it. */
export async function whyMissing(kind: "runc" | "crun" | "runsc"): Promise<string | undefined> {
  if (kind === "runc") return runcMissing;
  const lacking = lackingFor(kind, await inspectMachine());
  const reason = lacking.length > 0 ? lacking.join(" ") : kind === "runsc" ? await tryGvisor() : undefined;
  if (reason !== undefined) console.log(`# SKIPPED sandbox suites on ${kind}: ${reason}`);
  return reason;
}

/** Why sandboxes have no network of their own here; undefined where they have. */
export const networkMissing: string | undefined = runcMissing ?? (await sharedNetwork());

if (networkMissing && !runcMissing) console.log(`# SKIPPED network isolation: ${networkMissing}`);

const NODE = dirname(realpathSync(process.execPath));

/** What says that sandboxes share the host's network; asked of the machine, since every test file loads this one. */
async function sharedNetwork(): Promise<string | undefined> {
  const { findings } = await inspectMachine();
  const lacking = findings.filter(({ name, found }) => !found && ["privileges", "ip", "nft"].includes(name));
  return lacking.length > 0 ? lacking.map(({ name, detail }) => `${name}: ${detail}`).join("; ") : undefined;
}

/** The host's Python as its own interpreter tells it, or why there is none. */
export const python = findPython();

/** A sandbox, what runs in it, and the files of its code. */
export type Wanted = Partial<SandboxSpec & Program> & { files?: Record<string, string> };

export interface Bench {
  readonly provider: SandboxProvider;
  readonly folder: string;
  /** A spec whose code folder holds these files. */
  spec(options: Wanted): Promise<SandboxSpec & Program & { readonly codeDir: string }>;
  /** Creates one, starts the program in it and collects its output. */
  start(options: Wanted): Promise<Started>;
  /** Runs a script to its end with Node. */
  node(script: string, options?: Wanted): Promise<Ended>;
  /** Runs a script to its end with Python. */
  python(script: string, options?: Wanted): Promise<Ended>;
  close(): Promise<void>;
}

export interface Started {
  readonly sandbox: Sandbox;
  readonly program: RunningProgram;
  /** Everything on stdout so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves when stdout has this text; fails when the sandbox ends first. */
  readonly says: (text: string) => Promise<void>;
  /** Both streams have ended. */
  readonly silent: Promise<unknown>;
}

export interface Ended {
  readonly exit: SandboxExit;
  readonly stdout: string;
  readonly stderr: string;
}

/** A provider on a folder of its own; `folder` continues where a killed one stopped. */
export async function bench(
  kind: Kind,
  options: Partial<SandboxOptions> & { folder?: string } = {},
): Promise<Bench> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "lambent-sandbox-")));
  const provider = await createSandboxProvider({
    kind,
    stateDir: join(folder, "state"),
    serverPorts: [],
    outbound: "none",
    log: createLog("warn"),
    ids: randomIds,
    ...options,
  }).catch(async (error: unknown) => {
    await rm(folder, { recursive: true, force: true });
    throw error;
  });
  let count = 0;
  const spec: Bench["spec"] = async ({ files = {}, ...wanted }) => {
    const id = `t-${process.pid}-${++count}`;
    const codeDir = join(folder, "code", id);
    await mkdir(codeDir, { recursive: true });
    for (const [name, text] of Object.entries(files))
      await writeFile(join(codeDir, name), text, { mode: 0o755 });
    return {
      id,
      codeDir,
      languageMounts: [{ source: NODE, target: "/var/lang/bin" }],
      command: ["/var/lang/bin/node", "/var/task/main.mjs"],
      workingDirectory: "/var/task",
      environment: {},
      memoryMb: 256,
      ephemeralStorageMb: 512,
      ...wanted,
    };
  };
  const start: Bench["start"] = async (wanted) => {
    const whole = await spec(wanted);
    const sandbox = await provider.create(whole);
    return collect(sandbox, await sandbox.start(whole));
  };
  const finish = async (started: Started): Promise<Ended> => {
    const exit = await started.program.exited;
    await started.silent;
    await started.sandbox.stop(0);
    return { exit, stdout: started.stdout(), stderr: started.stderr() };
  };
  return {
    provider,
    folder,
    spec,
    start,
    node: async (script, wanted = {}) => finish(await start({ files: { "main.mjs": script }, ...wanted })),
    python: async (script, wanted = {}) =>
      finish(await start({ files: { "main.py": script }, ...pythonSpec(), ...wanted })),
    async close() {
      await provider.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export function collect(sandbox: Sandbox, program: RunningProgram): Started {
  let stdout = "";
  let stderr = "";
  program.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  program.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const ends = [program.stdout, program.stderr].map(
    (stream) => new Promise((resolve) => stream.once("close", resolve)),
  );
  return {
    sandbox,
    program,
    stdout: () => stdout,
    stderr: () => stderr,
    silent: Promise.all(ends),
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (stdout.includes(text)) resolve();
        };
        program.stdout.on("data", look);
        look();
        program.stdout.once("close", () =>
          reject(new Error(`ended without saying "${text}": ${stdout}${stderr}`)),
        );
      }),
  };
}

function pythonSpec(): Wanted {
  if (typeof python === "string") throw new Error(python);
  return {
    languageMounts: python.mounts.map((path) => ({ source: path, target: path })),
    command: [python.program, "-I", "/var/task/main.py"],
  };
}

/** Debian's Python lies scattered in /usr: its program and its library are shown, not all of /usr. */
function findPython(): { program: string; mounts: readonly string[] } | string {
  const ask =
    "import sys,os,sysconfig; print(os.path.realpath(sys.executable)); print(sys.base_prefix); print(sysconfig.get_path('stdlib'))";
  for (const program of ["/usr/bin/python3", "python3"])
    try {
      const answer = execFileSync(program, ["-c", ask], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      });
      const [path = "", prefix = "", library = ""] = answer.split("\n");
      return { program: path, mounts: prefix === "/usr" ? [path, library] : [prefix] };
    } catch {
      // The next one, then.
    }
  return "no python3 on this machine";
}
