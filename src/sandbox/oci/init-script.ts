/**
 * The first process of a sandbox, a shell script of one line. A function must not be process 1 of its namespace: the kernel
 * would ignore its SIGTERM, its abort() and its kill(self), and nobody would reap its orphans. The script also tells
 * the server how the function ended, since a detached container has no parent that could ask.
 */
import type { SandboxExit } from "../sandbox.ts";
import { constants } from "node:os";

/** The descriptor on which the script writes the function's exit status. */
const STATUS_FD = 3;

/**
 * The words that run `command` under the script. The shell's own remarks ("Killed") go nowhere; the function keeps its stderr
 * and does not get the status descriptor.
 * @param dropHome runc adds HOME; a function that was given none has none.
 */
export function initCommand(command: readonly string[], dropHome: boolean): string[] {
  const home = dropHome ? "unset HOME; " : "";
  const script = `${home}exec 9>&2 2>/dev/null; "$@" 2>&9 9>&- ${STATUS_FD}>&-; echo $? >&${STATUS_FD}`;
  return ["/bin/sh", "-c", script, "init", ...command];
}

/** Reads what the script wrote. Nothing written means that the whole sandbox was killed. */
export function readStatus(text: string): Omit<SandboxExit, "outOfMemory"> {
  const status = Number.parseInt(text, 10);
  if (Number.isNaN(status)) return { code: undefined, signal: "SIGKILL" };
  // A shell says 128 + n for signal n, as does every program that passes such a status on.
  const signal = Object.entries(constants.signals).find(([, number]) => number === status - 128)?.[0];
  return signal === undefined
    ? { code: status, signal: undefined }
    : { code: undefined, signal: signal as NodeJS.Signals };
}
