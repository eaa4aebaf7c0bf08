/** One running container: how it is frozen, limited, measured and ended. */
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { START_ALLOWANCE_MS_MAX, cpuQuotaUs } from "../limits.ts";
import type { SandboxCgroup } from "../cgroup/sandbox-cgroup.ts";
import type { Inside, Program, Sandbox, SandboxSpec } from "../sandbox.ts";
import type { Log } from "../../telemetry/log.ts";
import type { Booted } from "./run-bundle.ts";
import { Supervisor } from "./supervisor.ts";

export interface RuncSandboxDeps {
  readonly spec: SandboxSpec;
  readonly booted: Booted;
  /** Undefined in a rootless sandbox without cgroups. */
  readonly cgroup: SandboxCgroup | undefined;
  readonly inside: Inside;
  readonly address: string;
  /** Whether `env` inside knows --default-signal. */
  readonly defaultSignals: boolean;
  /** Gives back everything of the sandbox but its cgroup; called once, when no process of it is left. */
  release(): Promise<void>;
  readonly log: Log;
}

/** Takes charge of a booted container; it is cleaned up when it ends, whether or not `stop` is called. */
export function controlRuncSandbox(deps: RuncSandboxDeps): Sandbox {
  const { spec, booted, cgroup, inside } = deps;
  let ended = false;
  let peakBytes = 0;
  let oomKills = 0;
  const measure = async () => {
    const now = cgroup ? await cgroup.peakBytes().catch(() => 0) : await residentBytes(booted.pid);
    peakBytes = Math.max(peakBytes, now);
    return peakBytes;
  };
  const killedForMemory = async () => {
    const before = oomKills;
    oomKills = (await cgroup?.oomKills()) ?? 0;
    return oomKills > before;
  };
  const supervisor = new Supervisor(booted, killedForMemory);
  const limitCpu = async () => {
    clearTimeout(allowance);
    if (!ended) await cgroup?.setCpuQuota(cpuQuotaUs(spec.memoryMb));
  };
  const allowance = setTimeout(() => void limitCpu().catch(() => {}), START_ALLOWANCE_MS_MAX);
  allowance.unref();
  const clean = async () => {
    await supervisor.over;
    ended = true;
    clearTimeout(allowance);
    await measure();
    await cgroup?.remove();
    await deps.release();
  };
  const cleaned = clean();
  cleaned.catch((error: unknown) =>
    deps.log.error("a sandbox could not be cleaned up", { sandbox: spec.id, error }),
  );

  return {
    id: spec.id,
    inside,
    address: deps.address,
    addressOf: (port) => inside.addressOf(port),
    start: (program) => supervisor.start(startLineOf(program, deps)),
    limitCpu,
    freeze: async () => {
      if (!ended) await (cgroup ? cgroup.freeze() : signalAll(booted.pid, "SIGSTOP"));
    },
    thaw: async () => {
      if (!ended) await (cgroup ? cgroup.thaw() : signalAll(booted.pid, "SIGCONT"));
    },
    async stop(graceMs) {
      if (!ended) {
        await (cgroup ? cgroup.thaw().catch(() => {}) : signalAll(booted.pid, "SIGCONT"));
        const programs = supervisor.running();
        if (graceMs > 0 && programs.length > 0) {
          for (const program of programs) void program.signal("SIGTERM");
          const allEnded = Promise.all(programs.map((program) => program.exited));
          await Promise.race([allEnded, sleep(graceMs, undefined, { ref: false })]);
        }
        // The end of a process namespace's first process is the end of all in it.
        if (!ended) signal(booted.pid, "SIGKILL");
      }
      await cleaned;
    },
    peakMemoryBytes: measure,
  };
}

function startLineOf(program: Program, deps: RuncSandboxDeps) {
  const { environment } = program;
  return {
    command: program.command,
    workingDirectory: program.workingDirectory,
    environment: typeof environment === "function" ? environment(deps.inside) : environment,
    output: program.output ?? "own",
    defaultSignals: deps.defaultSignals,
  };
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Signals a process and all below it. */
async function signalAll(pid: number, name: NodeJS.Signals): Promise<void> {
  for (const child of await childrenOf(pid)) await signalAll(child, name);
  signal(pid, name);
}

async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  return text.trim().split(" ").filter(Boolean).map(Number);
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  let bytes = Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  for (const child of await childrenOf(pid)) bytes += await residentBytes(child);
  return bytes;
}
