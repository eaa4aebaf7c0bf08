/** Tells a process from another that was given its id later. */
import { readFile } from "node:fs/promises";
import { tryProgram } from "./run-program.ts";

/** When the process began, in a form that only its own equals; undefined when there is none. */
export async function startOf(pid: number): Promise<string | undefined> {
  if (process.platform !== "linux") {
    const { code, stdout } = await tryProgram("ps", ["-o", "lstart=", "-p", String(pid)]);
    return code === 0 ? stdout.trim() : undefined;
  }
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The command's name stands in parentheses and may hold anything; the start is the 20th field after it (proc(5): starttime).
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}
