/** Processes that outlive a killed server: nothing ends them with it, and frozen ones would stay for ever. */
import { appendFile, readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { startOf } from "../process-start.ts";

const RECORD = "process";

/** Writes down, in the sandbox's folder, which process group is to be ended too if this server cannot. */
export async function remember(home: string, pid: number): Promise<void> {
  await appendFile(join(home, RECORD), `${pid} ${(await startOf(pid)) ?? ""}\n`);
}

/** Ends what a predecessor left running. A process id that was given to another process since is left alone. */
export async function endRemembered(root: string): Promise<void> {
  for (const name of await readdir(root).catch(() => [])) {
    const record = await readFile(join(root, name, RECORD), "utf8").catch(() => "");
    for (const [, pid, startedAt] of record.matchAll(/^(\d+) (.+)$/gm))
      if (pid !== undefined && (await startOf(Number(pid))) === startedAt) killGroup(Number(pid));
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
