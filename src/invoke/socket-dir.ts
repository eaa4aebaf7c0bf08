/** The folder that a sandbox sees at /run/lambent. */
import { mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { socketName } from "./environment-variables.ts";

/** Longest path of a Unix socket that every system takes. */
const socketPathBytesMax = 103;

/** Removes what a server that was killed left; called before any folder is made. */
export function clearSocketDirs(stateDir: string): void {
  rmSync(join(stateDir, "run"), { recursive: true, force: true });
}

/** Makes the folder of one sandbox: below the state folder where a socket's path is short enough for that. */
export function makeSocketDir(stateDir: string, id: string): string {
  const wanted = join(stateDir, "run", id);
  const fits = Buffer.byteLength(join(wanted, socketName)) <= socketPathBytesMax;
  const folder = fits ? wanted : join(tmpdir(), `lambent-${id}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}
