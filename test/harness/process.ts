/** A server in a process of its own, for tests that kill it or read what it prints. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const START_MS_MAX = 60_000;

export interface ServerProcess {
  readonly endpoint: string;
  readonly child: ChildProcess;
  /** Everything printed so far, both streams. */
  output(): string;
  /** `kill -9`; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  terminate(): Promise<number | null>;
}

/** Runs `lambent start` with the given flags and resolves once it is ready. */
export async function spawnServer(flags: readonly string[]): Promise<ServerProcess> {
  const child = spawn(process.execPath, [MAIN, "start", ...flags], { stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  child.stdout.on("data", (chunk: Buffer) => (printed += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (printed += chunk.toString()));
  const endpoint = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`not ready after ${START_MS_MAX} ms:\n${printed}`)),
      START_MS_MAX,
    );
    const look = () => {
      const match = /ready at (http:\/\/\S+)/i.exec(printed);
      if (!match?.[1]) return;
      clearTimeout(timer);
      resolve(match[1]);
    };
    child.stdout.on("data", look);
    child.once("exit", (code) => {
      clearTimeout(timer);
      reject(new Error(`lambent start ended with ${code}:\n${printed}`));
    });
  });
  const gone = child.exitCode === null ? once(child, "exit") : Promise.resolve([child.exitCode]);
  return {
    endpoint,
    child,
    output: () => printed,
    async kill() {
      child.kill("SIGKILL");
      await gone;
    },
    async terminate() {
      child.kill("SIGTERM");
      await gone;
      return child.exitCode;
    },
  };
}
