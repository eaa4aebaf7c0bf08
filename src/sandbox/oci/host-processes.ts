/** A sandbox's processes as the host sees them. */
import { readFile } from "node:fs/promises";

/** Signals one process; one that is gone is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Signals a process and all below it. */
export async function signalAll(pid: number, name: NodeJS.Signals): Promise<void> {
  for (const child of await childrenOf(pid)) await signalAll(child, name);
  signal(pid, name);
}

/** The children of a process's first thread. */
export async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  return text.trim().split(" ").filter(Boolean).map(Number);
}
