/** A server under measurement: a process in a CPU group of its own. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { dirname } from "node:path";
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
  /** What it keeps on disk; removed when it has stopped. */
  readonly folder: string;
  /** `one` unless told otherwise. */
  readonly cpus?: Cpus;
  readonly command: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const PRINTED_CHARS_MAX = 16_384;
const STOP_MS_MAX = 30_000;
/**
 * Does what `stop` does when the benchmark ends without it (Ctrl-C, a crash, kill -9): its standard input closes then. The id of a
 * process that has ended is no longer in the group.
 */
const CARETAKER = `read -r stopped && exit
runs() { grep -qx "$1" "$2/cgroup.procs"; }
runs "$1" "$2" && kill -TERM "$1"
for i in $(seq ${STOP_MS_MAX / 100}); do runs "$1" "$2" || break; sleep 0.1; done
for pid in $(cat "$2/cgroup.procs"); do kill -KILL "$pid"; done
sleep 0.1; rmdir "$2"; rm -rf "$3"`;
let groups = 0;

/** Runs a program in a CPU group of its own; it ends with this process at the latest. */
export function startMeasured({ name, folder, command, cwd, env, cpus = "one" }: Program): MeasuredProcess {
  groups += 1;
  const group = makeCpuGroup(`lambent-bench-${process.pid}-${groups}`);
  const bound = cpus === "one" ? serverCpus() : undefined;
  const pinned = bound === undefined ? command : ["taskset", "-c", bound, ...command];
  const join = `echo $$ > "$0" && exec "$@"`;
  const child = spawn("/bin/sh", ["-c", join, group.processesFile, ...pinned], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    // Ctrl-C is for us; it is told to end by its caretaker then, once.
    detached: true,
  });
  const words = [String(child.pid), dirname(group.processesFile), folder];
  const caretaker = spawn("/bin/sh", ["-c", CARETAKER, "sh", ...words], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  caretaker.unref();
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
      rmSync(folder, { recursive: true, force: true });
      caretaker.stdin.end("stopped\n");
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
