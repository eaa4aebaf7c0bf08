/** One program of the `process` provider: a child in a process group of its own. */
import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { readFile } from "node:fs/promises";
import { isAbsolute } from "node:path";
import { PassThrough } from "node:stream";
import type { Readable } from "node:stream";
import { FILE_DESCRIPTORS_MAX } from "../limits.ts";
import { environmentWords } from "../environment-words.ts";
import { RECORDS_DESCRIPTOR, SandboxError } from "../sandbox.ts";
import type { Inside, Program, RunningProgram, SandboxExit } from "../sandbox.ts";

type Child = ChildProcessByStdio<null, Readable, Readable>;

export interface ProcessProgram extends RunningProgram {
  readonly pid: number;
  /** Signals everything that it started and that stayed in its group; a group that is gone is no error. */
  signalGroup(name: NodeJS.Signals): void;
  /** Its largest resident set, in bytes; 0 where /proc does not tell. */
  peakMemoryBytes(): Promise<number>;
}

/**
 * Starts a program. What it leaves running ends with it.
 * @param shared Takes what it writes, when its output is shared.
 * @throws SandboxError when it cannot be started.
 */
export async function startProcessProgram(
  program: Program,
  inside: Inside,
  tmp: string,
  shared: PassThrough,
): Promise<ProcessProgram> {
  const { environment } = program;
  const command = program.command.map((word) => ofHost(word, inside));
  const cwd = inside.path(program.workingDirectory);
  const variables = {
    PWD: cwd,
    TMPDIR: tmp,
    ...(typeof environment === "function" ? environment(inside) : environment),
  };
  // The shell itself must not see the variables: some, such as OPTIND, mean something to it.
  const words = environmentWords(variables, command);
  const records = program.hasRecords ? ` ${RECORDS_DESCRIPTOR}>&1` : "";
  const child = spawn(
    "/bin/sh",
    [
      "-c",
      `ulimit -n ${FILE_DESCRIPTORS_MAX} 2>/dev/null; exec /usr/bin/env -i "$@"${records}`,
      "sh",
      ...words,
    ],
    { cwd, env: {}, detached: true, stdio: ["ignore", "pipe", "pipe"] },
  );
  const signalGroup = (name: NodeJS.Signals) => signalGroupOf(child, name);
  const exited = exitOf(child);
  const isShared = program.output === "shared";
  const [stdout, stderr] = isShared ? [shared, shared] : [held(child.stdout), held(child.stderr)];
  if (isShared) for (const output of [child.stdout, child.stderr]) output.pipe(shared, { end: false });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (error) =>
      reject(new SandboxError(`cannot start ${command[0] ?? "nothing"}: ${error.message}`, { cause: error })),
    );
  });
  void exited.then(() => signalGroup("SIGKILL"));
  return {
    pid: child.pid ?? 0,
    stdout,
    stderr,
    exited,
    signalGroup,
    signal(name) {
      if (child.exitCode === null && child.signalCode === null) child.kill(name);
      return Promise.resolve();
    },
    peakMemoryBytes: () => highWaterMark(child.pid),
  };
}

/** A word of a command with its path, if it is or ends in one, as the host has it. */
function ofHost(word: string, inside: Inside): string {
  const at = word.startsWith("-") ? word.indexOf("=/") + 1 : 0;
  const path = word.slice(at);
  return isAbsolute(path) ? word.slice(0, at) + inside.path(path) : word;
}

/** Node throws away the output of a child that ends before anyone listens; this stream keeps it. */
function held(output: Readable): Readable {
  return output.pipe(new PassThrough());
}

function exitOf(child: Child): Promise<SandboxExit> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) =>
      resolve({ code: code ?? undefined, signal: signal ?? undefined, outOfMemory: false }),
    );
  });
}

function signalGroupOf(child: Child, name: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, name);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ESRCH" && code !== "EPERM") throw error;
  }
}

async function highWaterMark(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}
