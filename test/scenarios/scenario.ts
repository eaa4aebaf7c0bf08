/** What a scenario is: bad functions, and what must hold when they run. */
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { LambdaClient, Runtime } from "@aws-sdk/client-lambda";
import type { Kind } from "./stage.ts";

/** A size of /tmp other than the default that scenarios may use, in MB; the server keeps some ready of each size in use. */
export const OTHER_STORAGE_MB = 600;

export interface Scenario {
  /** What must hold: the title of its test. */
  readonly title: string;
  /** Deployed once; runs invoke them again and again, several at once. */
  readonly functions: Readonly<Record<string, BadFunction>>;
  /** Runs once and asserts. */
  run(stage: Stage): Promise<void>;
  /** Holds only where nothing else of the scenario runs at the same time. */
  readonly alone?: true;
  /** Too dear to be run more than once by `npm test`. */
  readonly dear?: true;
  /** Why it says nothing on a provider. */
  readonly notOn?: Partial<Record<Kind, string>>;
}

export interface BadFunction {
  /** Name in the zip → content. Python code has the handler `index.handler` too; a `bootstrap` is a custom runtime. */
  readonly files: Readonly<Record<string, string>>;
  /** `node` when absent. */
  readonly language?: "node" | "python" | "shell";
  /** 512 when absent. */
  readonly memoryMb?: number;
  /** 15 when absent. */
  readonly timeoutSeconds?: number;
  /** 512 when absent. */
  readonly storageMb?: number;
  readonly environment?: Readonly<Record<string, string>>;
}

/** What a run is given. */
export interface Stage {
  readonly kind: Kind;
  /** Invokes a function of the scenario by its name there. */
  invoke(name: string, event?: unknown): Promise<Answer>;
  readonly client: LambdaClient;
  /** For creating more functions. */
  readonly role: string;
  readonly nodeRuntime: Runtime;
  readonly server: { readonly port: number; readonly pid: number; readonly dataDir: string };
  /** Everything that CloudWatch Logs has of a function of the scenario, or of a stream of it since some time (epoch milliseconds). */
  logs(name: string, part?: { readonly logStreamName: string; readonly since: number }): Promise<string[]>;
}

export interface Answer {
  /** The payload, parsed. */
  // oxlint-disable-next-line typescript/no-explicit-any -- a scenario reads whatever its function answered
  readonly json: any;
  readonly functionError: string | undefined;
  readonly requestId: string;
  /** The last 4 KB of the invocation's log. */
  readonly tail: string;
  readonly maxMemoryUsedMb: number;
}

/** The code of a function: what lies beside the scenario's file, or in a folder there. */
export function filesBeside(url: string, folder = "."): Record<string, string> {
  const place = new URL(`${folder}/`, url);
  const names = readdirSync(place, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".ts"))
    .map((entry) => entry.name);
  return Object.fromEntries(
    names.map((name) => [name, readFileSync(fileURLToPath(new URL(name, place)), "utf8")]),
  );
}

/** The document of an invocation that its timeout ended. */
export function timedOut({ requestId }: Answer, seconds: number) {
  return {
    errorType: "Sandbox.Timedout",
    errorMessage: `RequestId: ${requestId} Error: Task timed out after ${seconds.toFixed(2)} seconds`,
  };
}

/** The document of an invocation whose runtime ended: `exit status 1`, `signal: aborted`. */
export function exited({ requestId }: Answer, how: string) {
  return {
    errorType: "Runtime.ExitError",
    errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: ${how}`,
  };
}

/** The document of an invocation that the kernel ended for its memory. */
export function outOfMemory({ requestId }: Answer) {
  return {
    errorType: "Runtime.OutOfMemory",
    errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: signal: killed`,
  };
}
