/** Axis 7: the memory of one idle environment that nobody else has, against a bare process that holds the same handler. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { BareModules } from "../contenders/bare.ts";
import { startLambent } from "../contenders/lambent.ts";
import { settled } from "../contenders/settled.ts";
import type { LambentServer } from "../contenders/lambent.ts";
import { findLanguages } from "../contenders/languages.ts";
import type { Language } from "../contenders/handlers.ts";
import { invokeOnce } from "../load/once.ts";
import { groupsIn, processesBelow } from "../machine/cpu-group.ts";
import { kernelBytes, makeMemoryGroup, privateBytes } from "../machine/memory.ts";
import { row } from "../report.ts";
import type { AxisResult, Row } from "../report.ts";
import type { BenchOptions } from "../options.ts";

interface Size {
  readonly environments: number;
  /** Bare ones. */
  readonly processes: number;
  /** Until buffers of the start are given back and what idles is frozen. */
  readonly restMs: number;
}

const SIZE: Size = { environments: 40, processes: 10, restMs: 4_000 };
const QUICK_SIZE: Size = { environments: 1, processes: 2, restMs: 100 };
/** Until processes wait for what was deployed. */
const SETTLE_MS_MAX = 60_000;
const MEBIBYTE = 1_048_576;
const FIRECRACKER_MIB = 5;
/** What the platform adds is a difference; below this it is lost in the noise. */
const ADDED_MIB_MIN = 0.01;
const BARE_REST_MS = 500;

/** MiB, of each of several alike. */
interface Memory {
  /** Pages of its processes that no other process shares. */
  readonly processes: number;
  /** What the kernel keeps for it. */
  readonly kernel: number;
}

interface Density {
  readonly environment: Memory;
  readonly bare: Memory;
  /** By how much the server itself grew for each environment. */
  readonly serverMib: number;
}

/** Memory is counted once: it is not disturbed as times are, so that there are no rounds and no steal. */
export async function density(options: BenchOptions): Promise<AxisResult> {
  const { node, python } = await findLanguages();
  const ofNode = await measure(node, options);
  const addedMib = whole(ofNode.environment) + ofNode.serverMib - whole(ofNode.bare);
  const rows: Row[] = [
    row(7, "node process", whole(ofNode.bare) / whole(ofNode.environment), 0),
    row(
      7,
      "Firecracker's 5 MiB, what the platform adds",
      FIRECRACKER_MIB / Math.max(addedMib, ADDED_MIB_MIN),
      0,
    ),
  ];
  const notes = [note("node", ofNode)];
  if (python) {
    const ofPython = await measure(python, options);
    rows.push(row(7, "python3 process", whole(ofPython.bare) / whole(ofPython.environment), 0));
    notes.push(note("python", ofPython));
  } else notes.push("SKIPPED: Python, since this machine has none that Lambent could run.");
  return { rows, notes };
}

function whole({ processes, kernel }: Memory): number {
  return processes + kernel;
}

async function measure(language: Language, options: BenchOptions): Promise<Density> {
  await using parts = new AsyncDisposableStack();
  const lambent = await startLambent({ sandbox: options.sandbox, cpus: "all" });
  parts.defer(() => lambent.stop());
  const { environments, processes, restMs } = options.quick ? QUICK_SIZE : SIZE;
  // The first one fills what is made once for all.
  for (const name of await lambent.deployFresh(language, 1)) await invokeOnce(lambent.targetOf(name));
  const names = await lambent.deployFresh(language, environments);
  // A process waits for each of them then: that is what holds more.
  await settled(lambent, SETTLE_MS_MAX, options);
  const before = privateBytes([lambent.pid]);
  for (const name of names) await invokeOnce(lambent.targetOf(name));
  await sleep(restMs);
  return {
    environment: largest(lambent, environments),
    bare: await bareMemory(language, processes),
    serverMib: (privateBytes([lambent.pid]) - before) / environments / MEBIBYTE,
  };
}

/**
 * The mean of so many of the largest sandboxes: others wait for their function and hold less. Where functions are not isolated
 * there is but the server's group.
 */
function largest(lambent: LambentServer, count: number): Memory {
  const sandboxes = groupsIn(lambent.sandboxGroup);
  const sizes = (sandboxes.length === 0 ? [lambent.sandboxGroup] : sandboxes)
    .map(memoryOf)
    .sort((one, other) => whole(other) - whole(one))
    .slice(0, count);
  return {
    processes: sizes.reduce((sum, size) => sum + size.processes, 0) / sizes.length,
    kernel: sizes.reduce((sum, size) => sum + size.kernel, 0) / sizes.length,
  };
}

function memoryOf(group: string): Memory {
  return {
    processes: privateBytes(processesBelow(group)) / MEBIBYTE,
    kernel: kernelBytes(group) / MEBIBYTE,
  };
}

/** Several processes, so that what they share is counted for none: as for the environments. */
async function bareMemory(language: Language, processes: number): Promise<Memory> {
  using modules = new BareModules();
  using group = makeMemoryGroup(`lambent-bench-bare-${process.pid}`);
  const children: ChildProcess[] = [];
  try {
    for (let count = 0; count < processes; count += 1) {
      const command = modules.command(language, stayingModule(language));
      const join = `echo $$ > "$0" && exec "$@"`;
      const child = spawn("/bin/sh", ["-c", join, group.processesFile, ...command], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      children.push(child);
      await once(child.stdout, "data");
    }
    await sleep(BARE_REST_MS);
    const pids = children.map((child) => child.pid as number);
    return {
      processes: privateBytes(pids) / processes / MEBIBYTE,
      kernel: kernelBytes(group.name) / processes / MEBIBYTE,
    };
  } finally {
    const gone = children.map((child) => once(child, "exit"));
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(gone);
  }
}

/** The handler's module, and something that keeps the process. */
function stayingModule(language: Language): string {
  const stay = {
    node: "setInterval(() => {}, 1_000_000);",
    python: "import threading\nthreading.Timer(1_000_000, lambda: None).start()",
  };
  return `${language.fresh()}\n${stay[language.name]}\n`;
}

function note(name: string, { environment, bare, serverMib }: Density): string {
  const shown = ({ processes, kernel }: Memory) =>
    `${processes.toFixed(2)} MiB in processes and ${kernel.toFixed(2)} in the kernel`;
  return `${name}: an idle environment has ${shown(environment)}, and ${serverMib.toFixed(2)} in the server; a bare process has ${shown(bare)}`;
}
