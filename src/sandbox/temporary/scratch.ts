/** The host's side of one sandbox: its /tmp, a file system of the promised size in a sparse file, and the supervisor's pipes. */
import { closeSync, constants, openSync } from "node:fs";
import { mkdir, open, rm, writeFile } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { SANDBOX_GID, SANDBOX_UID } from "../limits.ts";
import { runProgram, tryProgram } from "../run-program.ts";
import { SandboxError } from "../sandbox.ts";

/** What ext4 keeps for itself: inode tables and bitmaps take under 4 % without a journal. The promised size is what a function can fill. */
const OVERHEAD = 1.04;

export interface Scratch {
  readonly folder: string;
  readonly tmp: string;
  readonly ephemeralStorageMb: number;
}

/** Names of the pipes in a scratch folder. */
export const PIPES = ["control", "stdout", "stderr", "shared", "status"] as const;
export type Pipe = (typeof PIPES)[number];

/** Both ends of a pipe. */
export interface OpenPipe {
  readonly readEnd: number;
  readonly writeEnd: FileHandle;
}

/**
 * Real pipes, not the socket pairs that node makes: a script inside may open /dev/stderr, and a socket cannot be opened. What
 * goes between the server and the supervisor no function can open.
 */
const MAKE_PIPES = `mkfifo -m 622 "$1/stdout" "$1/stderr" "$1/shared" && mkfifo -m 600 "$1/control" "$1/status"`;

/** nosuid and nodev because everything in it is the function's; no journal because nothing in it outlives the sandbox. */
const MAKE_TMP =
  `truncate -s "$2" "$1/tmp.img" && ` +
  `mkfs.ext4 -q -F -O ^has_journal -m 0 -E lazy_itable_init=1,nodiscard,root_owner=${SANDBOX_UID}:${SANDBOX_GID} "$1/tmp.img" && ` +
  `mount -o loop,nosuid,nodev,noatime "$1/tmp.img" "$1/tmp" && ` +
  `rmdir "$1/tmp/lost+found" && chmod 700 "$1/tmp"`;

/**
 * Makes a scratch folder.
 * @param limited Whether /tmp is a file system of its own; without loop devices it is a plain folder.
 */
export async function makeScratch(
  folder: string,
  ephemeralStorageMb: number,
  limited: boolean,
): Promise<Scratch> {
  const tmp = join(folder, "tmp");
  await mkdir(tmp, { recursive: true, mode: 0o700 });
  const bytes = Math.ceil(ephemeralStorageMb * OVERHEAD) * 1024 * 1024;
  // A rootless server's own user is the function's user.
  const owner = process.getuid?.() === 0 ? `chown ${SANDBOX_UID}:${SANDBOX_GID} "$1/tmp" && ` : "";
  const script = limited ? `${MAKE_TMP} && ${MAKE_PIPES}` : `${owner}${MAKE_PIPES}`;
  try {
    await runProgram("/bin/sh", ["-c", script, "sh", folder, String(bytes)]);
  } catch (error) {
    await removeScratch(folder, limited);
    throw new SandboxError(`cannot make /tmp of ${ephemeralStorageMb} MB`, { cause: error });
  }
  return { folder, tmp, ephemeralStorageMb };
}

/** Unmounts and removes a scratch folder, whatever state it is in. */
export async function removeScratch(folder: string, limited: boolean): Promise<void> {
  if (limited) {
    const { code } = await tryProgram("umount", [join(folder, "tmp")]);
    // Not mounted is fine; busy is not expected, and lazily unmounting still frees it with its last user.
    if (code !== 0) await tryProgram("umount", ["-l", join(folder, "tmp")]);
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** Opens a pipe for reading, then for writing, in this order: a pipe without reader would block its writer. */
export async function openPipe(scratch: Scratch, pipe: Pipe): Promise<OpenPipe> {
  const path = join(scratch.folder, pipe);
  const first = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeEnd = await open(path, constants.O_WRONLY);
  if (pipe !== "control") return { readEnd: first, writeEnd };
  // A shell reads it, which expects to be kept waiting.
  const readEnd = openSync(path, constants.O_RDONLY);
  closeSync(first);
  return { readEnd, writeEnd };
}

/** Whether this machine can mount a file as a file system; tried, since no flag tells. */
export async function canMountLoop(folder: string): Promise<true | string> {
  const trial = join(folder, "loop-trial");
  try {
    await mkdir(trial, { recursive: true });
    await writeFile(join(trial, "note"), "");
    await makeScratch(join(trial, "one"), 16, true);
    return true;
  } catch (error) {
    const cause =
      error instanceof SandboxError && error.cause instanceof Error ? error.cause.message : String(error);
    return cause;
  } finally {
    await removeScratch(join(trial, "one"), true);
    await rm(trial, { recursive: true, force: true });
  }
}
