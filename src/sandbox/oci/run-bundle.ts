/** Boots a bundle: one `runc run --detach`, which leaves the supervisor waiting at its pipes. */
import { spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { Socket } from "node:net";
import { join } from "node:path";
import { SandboxError } from "../sandbox.ts";
import { PIPES, openPipe } from "../temporary/scratch.ts";
import type { OpenPipe, Pipe, Scratch } from "../temporary/scratch.ts";

export interface Booted {
  /** Host process id of the supervisor. */
  readonly pid: number;
  /** Takes the supervisor's commands. */
  readonly control: FileHandle;
  readonly stdout: Socket;
  readonly stderr: Socket;
  /** What extensions write. */
  readonly shared: Socket;
  /** What the supervisor says of its programs; ends with the sandbox. */
  readonly status: Socket;
}

/**
 * Writes the configuration into the scratch folder and runs it.
 * @throws SandboxError with runc's reason.
 */
export async function runBundle(
  runc: string,
  runcRoot: string,
  id: string,
  scratch: Scratch,
  config: object,
): Promise<Booted> {
  await writeFile(join(scratch.folder, "config.json"), JSON.stringify(config));
  const pipes = {} as Record<Pipe, OpenPipe>;
  for (const pipe of PIPES) pipes[pipe] = await openPipe(scratch, pipe);
  const { control, stdout, stderr, shared, status } = pipes;
  const log = join(scratch.folder, "runc.log");
  const pidFile = join(scratch.folder, "pid");
  const global = ["--root", runcRoot, "--log", log, "--log-format", "json"];
  // The supervisor's descriptors 3 and 4.
  const run = [
    "run",
    "--detach",
    "--preserve-fds",
    "2",
    "--bundle",
    scratch.folder,
    "--pid-file",
    pidFile,
    id,
  ];
  const descriptors = [control.readEnd, ...[stdout, stderr, status, shared].map((pipe) => pipe.writeEnd.fd)];
  try {
    await runDetached(runc, [...global, ...run], descriptors);
    const pid = Number(await readFile(pidFile, "utf8"));
    closeSync(control.readEnd);
    await Promise.all([stdout, stderr, status, shared].map((pipe) => pipe.writeEnd.close()));
    return {
      pid,
      control: control.writeEnd,
      stdout: reader(stdout),
      stderr: reader(stderr),
      shared: reader(shared),
      status: reader(status),
    };
  } catch (error) {
    for (const pipe of Object.values(pipes)) await closePipe(pipe);
    const reason = lastMessage(await readFile(log, "utf8").catch(() => ""));
    throw new SandboxError(`cannot start sandbox ${id}: ${reason ?? String(error)}`, { cause: error });
  }
}

function reader(pipe: OpenPipe): Socket {
  return new Socket({ fd: pipe.readEnd, readable: true, writable: false });
}

async function closePipe(pipe: OpenPipe): Promise<void> {
  closeSync(pipe.readEnd);
  await pipe.writeEnd.close();
}

function runDetached(
  program: string,
  args: readonly string[],
  descriptors: readonly number[],
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { stdio: [...descriptors], detached: true });
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      if (code === 0) resolve();
      else reject(new SandboxError(`${program} ended with ${code ?? signal}`));
    });
  });
}

/** The last error of a log of JSON lines. */
function lastMessage(log: string): string | undefined {
  const lines = log.split("\n").filter((line) => line.includes('"level":"error"'));
  const last = lines.at(-1);
  return last === undefined ? undefined : (JSON.parse(last) as { msg: string }).msg;
}
