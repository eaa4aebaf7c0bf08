/** Runs the host's tools to their end; the only place that starts them. */
import { SandboxError } from "./sandbox.ts";
import { ToolShell } from "./tool-shell.ts";
import type { ProgramResult, ToolRun } from "./tool-shell.ts";

export type { ProgramResult } from "./tool-shell.ts";

/** A tool that takes longer than this is stuck, in milliseconds. */
const TOOL_MS_MAX = 30_000;
/** Tools that run at the same time. */
const SHELLS_MAX = 4;
/** A shell that has started nothing for this long is ended, in milliseconds. */
const IDLE_MS = 10_000;

/** The newest is last. */
const idle: { readonly shell: ToolShell; readonly timer: NodeJS.Timeout }[] = [];
const waiting: (() => void)[] = [];
let shells = 0;

/** Runs a program with `input` on its stdin. A program that is not there gives code 127. */
export function tryProgram(program: string, args: readonly string[], input = ""): Promise<ProgramResult> {
  return runTool({ program, args, input });
}

/**
 * Runs a program and answers its stdout.
 * @throws SandboxError with its last words when it fails.
 */
export async function runProgram(program: string, args: readonly string[], input = ""): Promise<string> {
  const { code, stdout, stderr } = await tryProgram(program, args, input);
  if (code === 0) return stdout;
  throw new SandboxError(`${program} ${args.join(" ")} failed (${code}): ${(stderr || stdout).trim()}`);
}

/** Runs a tool in a shell that is free, or waits for one. @param msMax It is stuck when it takes longer, in milliseconds. */
export async function runTool(tool: ToolRun, msMax = TOOL_MS_MAX): Promise<ProgramResult> {
  const shell = await takeShell();
  try {
    return await shell.run(tool, msMax);
  } finally {
    giveBack(shell);
  }
}

async function takeShell(): Promise<ToolShell> {
  for (;;) {
    const free = idle.pop();
    if (free) {
      clearTimeout(free.timer);
      if (!free.shell.isOver) return free.shell;
      shells--;
    } else if (shells < SHELLS_MAX) {
      shells++;
      return new ToolShell();
    } else await new Promise<void>((resolve) => waiting.push(resolve));
  }
}

function giveBack(shell: ToolShell): void {
  if (shell.isOver) shells--;
  else {
    const timer = setTimeout(() => {
      shell.close();
      idle.splice(
        idle.findIndex((one) => one.shell === shell),
        1,
      );
      shells--;
    }, IDLE_MS);
    timer.unref();
    idle.push({ shell, timer });
  }
  waiting.shift()?.();
}
