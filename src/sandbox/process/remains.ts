/** Processes that outlive a killed server: nothing ends them with it, and frozen ones would stay for ever. */
import { appendFile, readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { tryProgram } from "../run-program.ts";

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

/** When the process began, in a form that only its own equals; undefined when there is none. */
async function startOf(pid: number): Promise<string | undefined> {
  if (process.platform !== "linux") {
    const { code, stdout } = await tryProgram("ps", ["-o", "lstart=", "-p", String(pid)]);
    return code === 0 ? stdout.trim() : undefined;
  }
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The command's name stands in parentheses and may hold anything; the start is the 20th field after it (proc(5): starttime).
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
