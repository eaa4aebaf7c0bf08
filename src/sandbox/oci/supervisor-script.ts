/**
 * What runs in a sandbox beside its programs: a shell as process 1, and a second one that starts programs as the server tells it.
 *
 * A program must not be process 1 of its namespace: the kernel would ignore its SIGTERM, its abort() and its kill(self).
 * Process 1 waits for the second shell, and reaps orphans meanwhile. The second shell reads commands from its standard input,
 * a pipe that only the server can write; each command starts a program under a third shell that waits for it and writes
 * its exit status to the status pipe, since a detached container has no parent that could ask. All this takes about
 * 300 KB of memory, most of which the shells share.
 *
 *   descriptor 0  commands       1, 2  the runtime's output       3  status       4  the shared output of extensions
 */
import { constants } from "node:os";
import { environmentWords } from "../environment-words.ts";
import { RECORDS_DESCRIPTOR } from "../sandbox.ts";
import type { SandboxExit } from "../sandbox.ts";

/** Processes beside the function's own: process 1, the one that starts programs, and the one that waits for the runtime. */
export const SUPERVISOR_PROCESSES = 3;

/** The programs that a supervisor is made of, each as the words that start it. */
export interface SupervisorTools {
  readonly shell: readonly string[];
  readonly env: readonly string[];
}

/** Those of the root that we make ourselves. */
export const ROOT_TOOLS: SupervisorTools = { shell: ["/bin/sh"], env: ["env"] };

/** Where the supervisor finds its pipes when it cannot inherit them: a folder with the pipes `status` and `shared`. */
export const SUPERVISOR_PIPES = "/run/supervisor";

/**
 * The first process of a sandbox. The shells' own remarks ("Killed") go nowhere; descriptor 9 keeps the stderr of programs. One that opens
 * its pipes by name says that it has them: their names are taken away then, before any function runs.
 */
export function supervisorCommand({ shell }: SupervisorTools, inheritsPipes: boolean): string[] {
  const opened = inheritsPipes
    ? ""
    : ` 3>${SUPERVISOR_PIPES}/status 4>${SUPERVISOR_PIPES}/shared; echo ready >&3`;
  return [...shell, "-c", `exec 9>&2 2>/dev/null${opened}; ${shell.map(quote).join(" ")} -s; :`];
}

export interface StartLine {
  readonly tools: SupervisorTools;
  /** Names the program in the status. */
  readonly number: number;
  readonly command: readonly string[];
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly output: "own" | "shared";
  readonly hasRecords: boolean;
  /** Whether `env` can give back the signals that a shell makes its background commands ignore. */
  readonly defaultSignals: boolean;
}

/** The command that starts a program: it gets its own environment, output and signals, and none of the supervisor's descriptors. */
export function startLine(line: StartLine): string {
  const own = line.output === "own";
  const output = own ? "2>&9 4>&-" : ">&4 2>&4 4>&-";
  // The status pipe's number is free once it is closed.
  const records = line.hasRecords ? `3>&- ${RECORDS_DESCRIPTOR}>&1` : "3>&-";
  const signals = line.defaultSignals ? "--default-signal=INT,QUIT " : "";
  const { shell, env } = line.tools;
  const words = environmentWords({ PWD: line.workingDirectory, ...line.environment }, line.command, shell);
  const run = `cd ${quote(line.workingDirectory)} && exec ${env.map(quote).join(" ")} ${signals}-i ${words.map(quote).join(" ")}`;
  return (
    `{ { ${run}; } ${output} ${records} 9>&- & ` +
    `echo "${line.number} began $!" >&3; wait $!; echo "${line.number} ended $?" >&3; } </dev/null &\n`
  );
}

/** The command that signals a program by its process id inside. */
export function signalLine(pid: number, signal: NodeJS.Signals): string {
  return `kill -${signal.slice("SIG".length)} ${pid}\n`;
}

/**
 * The command that kills everything but the two shells: kill(-1) spares process 1 and who calls it. The dead count as processes until
 * they are reaped, here and by process 1; while a fork bomb's are, nothing else could be started. (Only what the shell does itself
 * needs no process.)
 */
export const SWEEP_LINE =
  'kill -s KILL -- -1; wait; while set -- /proc/[0-9]*; [ $# -gt 2 ]; do :; done; echo "0 swept 0" >&3\n';

/** One line of the status pipe; undefined for what is none. */
export function readStatus(
  line: string,
):
  | { readonly number: number; readonly event: "began" | "ended" | "swept"; readonly value: number }
  | undefined {
  const [, number, event, value] = /^(\d+) (began|ended|swept) (\d+)$/.exec(line) ?? [];
  if (event !== "began" && event !== "ended" && event !== "swept") return undefined;
  return { number: Number(number), event, value: Number(value) };
}

/** A shell says 128 + n for signal n, as does every program that passes such a status on. */
export function exitOf(status: number): Omit<SandboxExit, "outOfMemory"> {
  const signal = Object.entries(constants.signals).find(([, number]) => number === status - 128)?.[0];
  return signal === undefined
    ? { code: status, signal: undefined }
    : { code: undefined, signal: signal as NodeJS.Signals };
}

/** Any bytes but NUL, which neither arguments nor variables can hold, as one word of the shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
