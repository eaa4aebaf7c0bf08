/** Boots a bundle: one `runc run --detach`, whose output pipes become the sandbox's. */
import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { Socket } from "node:net";
import { join } from "node:path";
import { PassThrough, pipeline } from "node:stream";
import type { Readable } from "node:stream";
import { SandboxError } from "../sandbox.ts";
import { openPipe } from "../temporary/scratch.ts";
import type { Scratch } from "../temporary/scratch.ts";

export interface Booted {
  /** Host process id of the init script. */
  readonly pid: number;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** What the init script says when the function has ended; ends with the sandbox. */
  readonly status: Readable;
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
  const pipes = await Promise.all([
    openPipe(scratch, "stdout"),
    openPipe(scratch, "stderr"),
    openPipe(scratch, "status"),
  ]);
  const [stdout, stderr, status] = pipes.map(
    ({ readEnd }) => new Socket({ fd: readEnd, readable: true, writable: false }),
  );
  if (!stdout || !stderr || !status) throw new SandboxError("no pipes");
  const log = join(scratch.folder, "runc.log");
  const pidFile = join(scratch.folder, "pid");
  const global = ["--root", runcRoot, "--log", log, "--log-format", "json"];
  const run = [
    "run",
    "--detach",
    "--preserve-fds",
    "1",
    "--bundle",
    scratch.folder,
    "--pid-file",
    pidFile,
    id,
  ];
  try {
    await runDetached(
      runc,
      [...global, ...run],
      pipes.map(({ writeEnd }) => writeEnd.fd),
    );
    return {
      pid: Number(await readFile(pidFile, "utf8")),
      stdout: held(stdout),
      stderr: held(stderr),
      status,
    };
  } catch (error) {
    for (const pipe of [stdout, stderr, status]) pipe.destroy();
    const reason = lastMessage(await readFile(log, "utf8").catch(() => ""));
    throw new SandboxError(`cannot start sandbox ${id}: ${reason ?? String(error)}`, { cause: error });
  } finally {
    await Promise.all(pipes.map(({ writeEnd }) => writeEnd.close()));
  }
}

/**
 * A socket tells its end whether or not anybody listens yet, and a function may end before its caller does; this
 * stream tells it to the first who reads.
 */
function held(socket: Socket): Readable {
  const stream = new PassThrough();
  pipeline(socket, stream, () => {});
  return stream;
}

function runDetached(program: string, args: readonly string[], pipes: readonly number[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { stdio: ["ignore", ...pipes], detached: true });
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
