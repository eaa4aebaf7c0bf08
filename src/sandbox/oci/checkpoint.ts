/** Sandboxes on disk: gVisor's `checkpoint` of all that runs, and beside it what is not gVisor's to save. */
import { createHash } from "node:crypto";
import { mkdir, open, readFile, readdir, stat, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runProgram, runTool, tryProgram } from "../run-program.ts";
import { SandboxError, StillConnected } from "../sandbox.ts";
import type { OciRuntime } from "./oci-runtime.ts";

/** A program that runs in a saved sandbox, as the supervisor knows it. */
export interface SavedProgram {
  readonly number: number;
  /** Its process id inside. */
  readonly pid: number;
}

/** Longest time that saving or restoring may take, in milliseconds: gVisor packs and unpacks all memory. */
export const CHECKPOINT_MS_MAX = 120_000;
/** How long connections have to hear of their end, in milliseconds: 50 were too few for a machine with much else to do. */
const RESET_MS = 250;
const REASON_CHARS_MAX = 400;

/**
 * Names what saved sandboxes depend on here: another version of gVisor or another processor restores none of them, and a process that goes on
 * with another C library below it would fail. A cold start asks for it, so it starts no program.
 * @param folders Those of the host that every sandbox sees. @param addresses What a process inside may know of its network.
 */
export async function checkpointNames(
  runtime: OciRuntime,
  folders: readonly string[],
  addresses: string,
): Promise<() => Promise<string>> {
  const { stdout } = await tryProgram("/bin/sh", ["-c", "command -v runsc; runsc --version"]);
  const cpuInfo = await readFile("/proc/cpuinfo", "utf8").catch(() => "");
  const flags = /^(flags|Features)\s*:.*$/m.exec(cpuInfo)?.[0] ?? "";
  const fixed = [stdout, runtime.command, cpus()[0]?.model, flags, folders, addresses];
  // What was built from source may not know its version.
  const paths = [stdout.split("\n")[0] ?? "", ...folders];
  return async () => {
    const changed = await Promise.all(
      paths.map((path) =>
        stat(path).then(
          ({ mtimeMs, size }) => [mtimeMs, size],
          () => [],
        ),
      ),
    );
    return createHash("sha256")
      .update(JSON.stringify([fixed, changed]))
      .digest("hex")
      .slice(0, 16);
  };
}

/** The image of a saved sandbox. */
export function imageOf(saved: string): string {
  return join(saved, "image");
}

export async function savedPrograms(saved: string): Promise<readonly SavedProgram[]> {
  return JSON.parse(await readFile(join(saved, "programs.json"), "utf8")) as SavedProgram[];
}

export interface Saving {
  readonly runtime: OciRuntime;
  /** The folder in which the runtime keeps its records. */
  readonly records: string;
  readonly id: string;
  /** The sandbox's, on the host's side of its link. */
  readonly address: string;
  readonly tmp: string;
  readonly programs: readonly SavedProgram[];
}

/** Saves a sandbox into an empty folder; it is to be killed then. @throws SandboxError with what cannot be saved. */
export async function saveSandbox(saving: Saving, folder: string): Promise<void> {
  const { runtime, records, id, tmp, programs } = saving;
  const image = imageOf(folder);
  await mkdir(image, { recursive: true });
  await mkdir(join(folder, "tmp"));
  await resetConnections(saving.address);
  const [program = "", ...before] = runtime.command;
  const args = [...before, "--root", records, "checkpoint", ...(await unpacked()), "--image-path", image, id];
  const { code, stdout, stderr } = await runTool({ program, args, input: "" }, CHECKPOINT_MS_MAX);
  if (code !== 0) throw whyNotSaved(stderr || stdout);
  await runProgram("cp", ["-a", "--sparse=always", `${tmp}/.`, join(folder, "tmp")]);
  await writeFile(join(folder, "programs.json"), JSON.stringify(programs));
  for (const file of await readdir(image)) await sync(join(image, file));
}

/** Puts back what lay in /tmp. */
export async function restoreTmp(saved: string, tmp: string): Promise<void> {
  await runProgram("cp", ["-a", "--sparse=always", `${join(saved, "tmp")}/.`, tmp]);
}

/** Unpacking takes longer than reading; gVisor of 2022 has no choice. */
async function unpacked(): Promise<string[]> {
  const { stdout, stderr } = await tryProgram("runsc", ["checkpoint", "--help"]);
  return `${stdout}${stderr}`.includes("-compression ") ? ["--compression=none"] : [];
}

/** gVisor saves no open connection: those to this host's own ports end with a reset, as all of them would on AWS. */
async function resetConnections(address: string): Promise<void> {
  await tryProgram("ss", ["-K", "-t", "dst", address]);
  await sleep(RESET_MS);
}

/** gVisor says it with the state of its own objects, and a stack. */
function whyNotSaved(output: string): SandboxError {
  const [, , remote] = /connected state: local ([\d.:]+), remote ([\d.:]+)/.exec(output) ?? [];
  if (remote !== undefined)
    return new SandboxError(
      `The function has an open connection to ${remote}, which gVisor cannot save; ` +
        "close it before the snapshot is taken (in a hook), and open it anew after the restore",
    );
  if (output.includes("endpoint still has waiters upon save"))
    return new SandboxError(
      "The function has an open TCP socket that it watches by epoll, which gVisor cannot save; " +
        "close it before the snapshot is taken (in a hook), and open it anew after the restore",
    );
  // The one to this server's runtime API is all that there is; the runtime has closed it.
  if (output.includes("transport.") && output.includes("ConnectedEndpoint"))
    return new StillConnected("The function has an open Unix socket to the host, which gVisor cannot save");
  const reason = (output.split("\n")[0] ?? "").slice(0, REASON_CHARS_MAX);
  return new SandboxError(`gVisor could not save the sandbox: ${reason}`);
}

async function sync(path: string): Promise<void> {
  const file = await open(path);
  await file.sync().finally(() => file.close());
}
