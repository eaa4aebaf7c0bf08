/** Runs one of the host's tools to its end; the only place that starts them. */
import { spawn } from "node:child_process";
import { SandboxError } from "./sandbox.ts";

/** A tool that takes longer than this is stuck, in milliseconds. */
const TOOL_MS_MAX = 30_000;

export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program with `input` on its stdin. A program that is not there gives code 127. */
export function tryProgram(program: string, args: readonly string[], input = ""): Promise<ProgramResult> {
  return new Promise((resolve) => {
    const child = spawn(program, [...args], {
      stdio: ["pipe", "pipe", "pipe"],
      timeout: TOOL_MS_MAX,
      killSignal: "SIGKILL",
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    // A program that ends without reading its input is judged by its exit code.
    child.stdin.on("error", () => {});
    child.once("error", (error) => resolve({ code: 127, stdout, stderr: error.message }));
    child.once("close", (code, signal) =>
      resolve({ code: code ?? 128, stdout, stderr: signal ? `${stderr}${signal}` : stderr }),
    );
    child.stdin.end(input);
  });
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
