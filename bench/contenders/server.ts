/** A server under measurement: a process in a CPU group of its own. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { makeCpuGroup } from "../machine/cpu-group.ts";
import type { CpuGroup } from "../machine/cpu-group.ts";
import { serverCpus } from "../machine/cpus.ts";
import type { InvokeTarget } from "../load/signed-request.ts";

export interface ContenderServer {
  readonly name: string;
  readonly pid: number;
  /** Where a closed loop invokes hello. */
  readonly target: InvokeTarget;
  /** CPU of every process that serves, in microseconds since it started. */
  usedUs(): number;
  stop(): Promise<void>;
}

export interface MeasuredProcess {
  readonly child: ChildProcess;
  readonly group: CpuGroup;
  /** What it printed so far, both streams; the last part of it. */
  printed(): string;
  stop(): Promise<void>;
}

/** `one`: the servers' CPU, apart from the load's. `all`: wherever the kernel puts it, as a bare process that it is held against. */
export type Cpus = "one" | "all";

interface Program {
  readonly name: string;
  /** `one` unless told otherwise. */
  readonly cpus?: Cpus;
  readonly command: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const PRINTED_CHARS_MAX = 16_384;
const STOP_MS_MAX = 30_000;
let groups = 0;

/** Runs a program in a CPU group of its own. */
export function startMeasured({ name, command, cwd, env, cpus = "one" }: Program): MeasuredProcess {
  groups += 1;
  const group = makeCpuGroup(`lambent-bench-${process.pid}-${groups}`);
  const bound = cpus === "one" ? serverCpus() : undefined;
  const pinned = bound === undefined ? command : ["taskset", "-c", bound, ...command];
  const join = `echo $$ > "$0" && exec "$@"`;
  const child = spawn("/bin/sh", ["-c", join, group.processesFile, ...pinned], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  const hear = (chunk: Buffer) => (printed = (printed + chunk.toString()).slice(-PRINTED_CHARS_MAX));
  child.stdout.on("data", hear);
  child.stderr.on("data", hear);
  const gone = once(child, "exit");
  return {
    child,
    group,
    printed: () => `${name}:\n${printed}`,
    async stop() {
      child.kill("SIGTERM");
      const kill = setTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX);
      await gone;
      clearTimeout(kill);
      await group.remove();
    },
  };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}
