/** Boots a bundle: one `run --detach` of the OCI runtime, which leaves the supervisor waiting at its pipes. */
import { once } from "node:events";
import { closeSync } from "node:fs";
import { chmod, link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { Socket } from "node:net";
import { join } from "node:path";
import { runTool } from "../run-program.ts";
import { SandboxError } from "../sandbox.ts";
import { PIPES, openPipe } from "../temporary/scratch.ts";
import type { OpenPipe, Pipe, Scratch } from "../temporary/scratch.ts";
import type { Bind } from "./bundle.ts";
import { CHECKPOINT_MS_MAX, imageOf } from "./checkpoint.ts";
import type { OciRuntime } from "./oci-runtime.ts";
import { SUPERVISOR_PIPES } from "./supervisor-script.ts";

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

/** The folder of the pipes that a supervisor opens by name. */
const NAMED_PIPES = "supervisor";

/** What has to be mounted so that a supervisor finds its pipes; nothing when it inherits them. */
export function pipeBinds(runtime: OciRuntime, scratch: Scratch): Bind[] {
  if (runtime.inheritsPipes) return [];
  // Opened for writing by a shell, which would create them: nobody but root may create anything there.
  return [
    { source: join(scratch.folder, NAMED_PIPES), target: SUPERVISOR_PIPES, kind: "folder", writable: true },
  ];
}

export interface Bundle {
  /** The folder in which the runtime keeps its records. */
  readonly records: string;
  readonly id: string;
  readonly scratch: Scratch;
  readonly config: object;
  /** A folder that a sandbox was saved into; the bundle goes on where that was. */
  readonly saved: string | undefined;
}

/**
 * Writes the configuration into the scratch folder and runs it.
 * @throws SandboxError with the runtime's reason.
 */
export async function runBundle(
  runtime: OciRuntime,
  { records, id, scratch, config, saved }: Bundle,
): Promise<Booted> {
  await writeFile(join(scratch.folder, "config.json"), JSON.stringify(config));
  if (!runtime.inheritsPipes) await namePipes(scratch);
  const pipes = {} as Record<Pipe, OpenPipe>;
  for (const pipe of PIPES) pipes[pipe] = await openPipe(scratch, pipe);
  const { control, stdout, stderr, shared, status } = pipes;
  const log = join(scratch.folder, "runtime.log");
  const pidFile = join(scratch.folder, "pid");
  const [program = "", ...before] = runtime.command;
  const global = ["--root", records, "--log", log, "--log-format", "json"];
  const run = [
    ...(saved === undefined ? ["run"] : ["restore", "--image-path", imageOf(saved)]),
    "--detach",
    "--bundle",
    scratch.folder,
    "--pid-file",
    pidFile,
  ];
  // The supervisor's descriptors 3 and 4.
  const extra = runtime.inheritsPipes ? [status, shared] : [];
  if (extra.length > 0) run.push("--preserve-fds", String(extra.length));
  const written = [stdout, stderr, ...extra].map((pipe) => ({
    fd: pipe.writeEnd.fd,
    mode: "write" as const,
  }));
  const descriptors = new Map([{ fd: control.readEnd, mode: "read" as const }, ...written].entries());
  try {
    const args = [...before, ...global, ...run, id];
    const tool = { program, args, input: "", descriptors };
    const { code } = await runTool(tool, saved === undefined ? undefined : CHECKPOINT_MS_MAX);
    if (code !== 0) throw new SandboxError(`${program} ended with ${code}`);
    const pid = Number(await readFile(pidFile, "utf8"));
    closeSync(control.readEnd);
    const statusReader = reader(status);
    // A restored supervisor has its pipes as soon as it runs, and says nothing of it.
    if (!runtime.inheritsPipes && saved === undefined) await once(statusReader, "readable");
    if (!runtime.inheritsPipes) await forgetNames(scratch);
    await Promise.all([stdout, stderr, status, shared].map((pipe) => pipe.writeEnd.close()));
    return {
      pid,
      control: control.writeEnd,
      stdout: reader(stdout),
      stderr: reader(stderr),
      shared: reader(shared),
      status: statusReader,
    };
  } catch (error) {
    for (const pipe of Object.values(pipes)) await closePipe(pipe);
    const reason = lastMessage(await readFile(log, "utf8").catch(() => ""));
    throw new SandboxError(`cannot start sandbox ${id}: ${reason ?? String(error)}`, { cause: error });
  }
}

/** Removes what a runtime remembers of a sandbox; what its own `delete` would do beyond this is done already, without starting it. */
export async function forgetRecord(records: string, id: string): Promise<void> {
  const gvisor = ["state", "lock"].map((kind) => `${id}_sandbox:${id}.${kind}`);
  for (const name of [id, ...gvisor]) await rm(join(records, name), { recursive: true, force: true });
}

/** Second names for two pipes, in a folder that can be mounted, which the sandbox's user may open. */
async function namePipes(scratch: Scratch): Promise<void> {
  await mkdir(join(scratch.folder, NAMED_PIPES), { mode: 0o755 });
  for (const pipe of ["status", "shared"]) await chmod(join(scratch.folder, pipe), 0o622);
  await linkPipes(scratch);
}

/** Gives the pipes their names back: gVisor saves an open file by its name. */
export async function nameAgain(runtime: OciRuntime, scratch: Scratch): Promise<void> {
  if (!runtime.inheritsPipes) await linkPipes(scratch);
}

async function linkPipes(scratch: Scratch): Promise<void> {
  for (const pipe of ["status", "shared"])
    await link(join(scratch.folder, pipe), join(scratch.folder, NAMED_PIPES, pipe));
}

/** Takes the names away once the supervisor has its pipes, so that no function finds them. */
async function forgetNames(scratch: Scratch): Promise<void> {
  for (const pipe of ["status", "shared"]) await rm(join(scratch.folder, NAMED_PIPES, pipe));
}

function reader(pipe: OpenPipe): Socket {
  return new Socket({ fd: pipe.readEnd, readable: true, writable: false });
}

async function closePipe(pipe: OpenPipe): Promise<void> {
  closeSync(pipe.readEnd);
  await pipe.writeEnd.close();
}

/** The last error of a log of JSON lines. */
function lastMessage(log: string): string | undefined {
  const lines = log.split("\n").filter((line) => line.includes('"level":"error"'));
  const last = lines.at(-1);
  return last === undefined ? undefined : (JSON.parse(last) as { msg: string }).msg;
}
