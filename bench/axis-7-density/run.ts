/** Axis 7: the memory of one idle environment that nobody else has, against a bare process that holds the same handler. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { BareModules } from "../contenders/bare.ts";
import { startLambent } from "../contenders/lambent.ts";
import { findLanguages } from "../contenders/languages.ts";
import type { Language } from "../contenders/handlers.ts";
import { invokeOnce } from "../load/once.ts";
import { groupsIn, processesBelow } from "../machine/cpu-group.ts";
import { kernelBytes, privateBytes } from "../machine/memory.ts";
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
const MEBIBYTE = 1_048_576;
const FIRECRACKER_MIB = 5;

/** MiB, of each of several alike. */
interface Density {
  readonly processMib: number;
  readonly kernelMib: number;
  readonly serverMib: number;
  readonly bareMib: number;
}

/** Memory is counted once: it is not disturbed as times are, so that there are no rounds and no steal. */
export async function density(options: BenchOptions): Promise<AxisResult> {
  const { node, python } = await findLanguages();
  const measured = await measure(node, options);
  const rows: Row[] = [row(7, "node process", measured.bareMib / inSandbox(measured), 0)];
  const notes = [note("node", measured)];
  const addedMib = Math.max(0.01, inSandbox(measured) + measured.serverMib - measured.bareMib);
  rows.push(row(7, "Firecracker's 5 MiB, what the platform adds", FIRECRACKER_MIB / addedMib, 0));
  if (python) {
    const ofPython = await measure(python, options);
    rows.push(row(7, "python3 process", ofPython.bareMib / inSandbox(ofPython), 0));
    notes.push(note("python", ofPython));
  } else notes.push("SKIPPED: Python, since this machine has none that Lambent could run.");
  return { rows, notes };
}

function inSandbox({ processMib, kernelMib }: Density): number {
  return processMib + kernelMib;
}

async function measure(language: Language, options: BenchOptions): Promise<Density> {
  await using parts = new AsyncDisposableStack();
  const lambent = await startLambent({ sandbox: options.sandbox, cpus: "all" });
  parts.defer(() => lambent.stop());
  const size = options.quick ? QUICK_SIZE : SIZE;
  const { environments } = size;
  // The first one fills what is made once for all.
  for (const name of await lambent.deployFresh(language, 1)) await invokeOnce(lambent.targetOf(name));
  const names = await lambent.deployFresh(language, environments);
  const snapshot = () => ({
    sandboxes: groupsIn(lambent.sandboxGroup),
    server: privateBytes([lambent.pid]),
    processes: privateBytes(processesBelow(lambent.sandboxGroup)),
    kernel: kernelBytes(lambent.sandboxGroup),
  });
  await sleep(size.restMs);
  const before = snapshot();
  for (const name of names) await invokeOnce(lambent.targetOf(name));
  await sleep(size.restMs);
  const after = snapshot();
  const each = (part: "server" | "processes" | "kernel") =>
    (after[part] - before[part]) / environments / MEBIBYTE;
  return {
    processMib: each("processes"),
    kernelMib: each("kernel"),
    serverMib: each("server"),
    bareMib: await bareMib(language, size.processes),
  };
}

/** Several processes, so that what they share is counted for none: as for the environments. */
async function bareMib(language: Language, processes: number): Promise<number> {
  using modules = new BareModules();
  const children: ChildProcess[] = [];
  try {
    for (let count = 0; count < processes; count += 1) {
      const [program = "", ...words] = modules.command(language, stayingModule(language));
      const child = spawn(program, words, { stdio: ["ignore", "pipe", "inherit"] });
      children.push(child);
      await once(child.stdout, "data");
    }
    await sleep(500);
    return privateBytes(children.map((child) => child.pid as number)) / processes / MEBIBYTE;
  } finally {
    for (const child of children) child.kill("SIGKILL");
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

function note(name: string, { processMib, kernelMib, serverMib, bareMib }: Density): string {
  const [inside, kernel, server, bare] = [processMib, kernelMib, serverMib, bareMib].map((mib) =>
    mib.toFixed(2),
  );
  return `${name}: ${inside} MiB in the sandbox, ${kernel} of the kernel's for it, ${server} in the server; bare process ${bare} MiB`;
}
