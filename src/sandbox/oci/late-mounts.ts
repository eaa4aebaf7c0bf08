/**
 * Mounts that a sandbox gets after it was made. A few of its folders are slaves of a folder of the host whose mounts are shared:
 * what the server mounts there shows inside.
 */
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { SandboxError } from "../sandbox.ts";
import type { Scratch } from "../temporary/scratch.ts";
import type { Bind } from "./bundle.ts";
import type { MountCalls } from "./mount-calls.ts";

/** Path inside → the folder of the host, below `late` of the scratch folder, that shows there. */
const POINTS = {
  "/var/task": "task",
  "/opt": "opt",
  "/var/runtime": "runtime",
  "/var/lang": "lang",
  "/run/lambent": "run",
} as const satisfies Record<string, string>;

/** What a sandbox has to show at each of these paths when it is made. */
export function lateBinds(scratch: Scratch): Bind[] {
  return Object.entries(POINTS).map(([target, name]) => ({
    source: join(scratch.folder, "late", name),
    target,
    kind: "folder",
    late: true,
  }));
}

/** Makes the folders of the host. */
export async function openLatePoints(calls: MountCalls, scratch: Scratch): Promise<void> {
  const late = join(scratch.folder, "late");
  for (const name of Object.values(POINTS)) await mkdir(join(late, name), { recursive: true, mode: 0o755 });
  await mkdir(join(scratch.folder, "stage"), { recursive: true });
  await writeFile(join(scratch.folder, "stage-file"), "");
  await calls.bindShared(late);
}

/** Takes down everything that was mounted for a sandbox; called when no process of it is left. */
export async function closeLatePoints(calls: MountCalls, scratch: Scratch): Promise<void> {
  await calls.detach(join(scratch.folder, "late"));
}

/** Whether a path can be mounted late. */
export function isLate(target: string): boolean {
  return hostPath("", target) !== undefined;
}

/**
 * Mounts one source, read-only. Nothing here leaves the thread: a cold start waits for it, and each hop to
 * another costs more than these calls. @throws SandboxError when the path cannot be mounted late.
 */
export async function mountLate(
  calls: MountCalls,
  scratch: Scratch,
  bind: Pick<Bind, "source" | "target">,
): Promise<void> {
  const target = hostPath(join(scratch.folder, "late"), bind.target);
  if (target === undefined) throw new SandboxError(`nothing can be mounted at ${bind.target} any more`);
  const isFolder = statSync(bind.source).isDirectory();
  makePoint(target, isFolder);
  const stage = join(scratch.folder, isFolder ? "stage" : "stage-file");
  await calls.bind(bind.source, target, stage);
}

function hostPath(late: string, target: string): string | undefined {
  for (const [inside, name] of Object.entries(POINTS))
    if (target === inside || target.startsWith(`${inside}/`))
      return join(late, name, target.slice(inside.length));
  return undefined;
}

/** A mount point in a folder of ours; one in what is mounted there (/var/runtime/node_modules) has to be there. */
function makePoint(path: string, isFolder: boolean): void {
  if (existsSync(path)) return;
  mkdirSync(isFolder ? path : dirname(path), { recursive: true, mode: 0o755 });
  if (!isFolder) writeFileSync(path, "");
}

/** Whether the server may mount at all; tried, since no flag tells. */
export async function canMountLate(calls: MountCalls, folder: string): Promise<boolean> {
  const trial = join(folder, "late-trial");
  try {
    await mkdir(trial, { recursive: true });
    await calls.bindShared(trial);
    return true;
  } catch {
    return false;
  } finally {
    await calls.detach(trial);
    await rm(trial, { recursive: true, force: true });
  }
}
