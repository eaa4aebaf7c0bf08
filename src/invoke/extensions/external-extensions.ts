/** The extensions that run as programs of their own, beside the runtime: how they are found, started and ended. */
import { constants } from "node:fs";
import { access, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Readable } from "node:stream";
import { findInside } from "../../sandbox/index.ts";
import type { Inside, RunningProgram, Sandbox, SandboxExit } from "../../sandbox/sandbox.ts";
import { signalWords } from "../payloads.ts";
import type { ExtensionSet } from "./extension-set.ts";
import { ExtensionError } from "./extension-set.ts";

/** A file in a layer's `extensions` folder. */
export interface ExternalExtension {
  readonly name: string;
  /** Whether the user of the sandbox may run it. */
  readonly isExecutable: boolean;
}

/** Those that a function's layers hold, in the order of their names. */
export async function externalExtensionsOf(
  optDir: string | undefined,
): Promise<readonly ExternalExtension[]> {
  if (optDir === undefined) return [];
  const folder = join(optDir, "extensions");
  const names: readonly string[] = await readdir(folder).catch(() => []);
  const extensions: ExternalExtension[] = [];
  for (const name of names.toSorted()) {
    const file = join(folder, name);
    const info = await stat(file).catch(() => undefined);
    if (!info?.isFile()) continue;
    const isOurs = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    extensions.push({ name, isExecutable: isOurs && (info.mode & 0o001) !== 0 });
  }
  return extensions;
}

/** Those that a container image holds. @param root Its root file system, whose links lead to nothing outside. */
export async function imageExtensionsOf(root: string): Promise<readonly ExternalExtension[]> {
  const folder = await findInside(root, "/opt/extensions");
  const names: readonly string[] = folder ? await readdir(folder.path).catch(() => []) : [];
  const extensions: ExternalExtension[] = [];
  for (const name of names.toSorted()) {
    const file = await findInside(root, `/opt/extensions/${name}`);
    if (file?.info.isFile()) extensions.push({ name, isExecutable: (file.info.mode & 0o001) !== 0 });
  }
  return extensions;
}

/** An extension ended while it was needed, or could not be started. */
export interface ExtensionFailure {
  readonly errorType: "Extension.Crash" | "Extension.LaunchError";
  readonly name: string;
  readonly message: string;
}

/** Turns of the event loop until what an ended extension wrote has been read. */
const lastWordsTurns = 3;

export interface ExternalExtensionsDeps {
  readonly extensions: ExtensionSet;
  readonly environment: (inside: Inside) => Readonly<Record<string, string>>;
  /** Takes what all of them write. */
  readonly output: { write(chunk: Buffer): void };
  onFailure(failure: ExtensionFailure): void;
}

export class ExternalExtensions {
  readonly #deps: ExternalExtensionsDeps;
  readonly #programs = new Map<string, RunningProgram>();
  readonly #write = (chunk: Buffer) => this.#deps.output.write(chunk);
  /** One stream for all of them, which outlasts them with the sandbox. */
  #output: Readable | undefined;
  #isEnding = false;

  constructor(deps: ExternalExtensionsDeps) {
    this.#deps = deps;
  }

  /** Starts them, unless one of them cannot be. @throws SandboxError. */
  async start(sandbox: Sandbox, wanted: readonly ExternalExtension[]): Promise<void> {
    for (const extension of wanted) {
      const failure = this.#refuse(extension);
      if (failure) return this.#deps.onFailure(failure);
    }
    for (const { name } of wanted) {
      const program = await sandbox.start({
        command: [`/opt/extensions/${name}`],
        workingDirectory: "/",
        environment: this.#deps.environment,
        output: "shared",
      });
      if (!this.#output) this.#output = program.stdout.on("data", this.#write);
      this.#programs.set(name, program);
      void program.exited.then((exit) => this.#ended(name, exit));
    }
  }

  /**
   * Tells those that want to know that the environment ends, kills the others, and waits for all of them, `graceMs` at the longest.
   * @param event The SHUTDOWN event.
   */
  async shutDown(event: object, graceMs: number): Promise<void> {
    this.#isEnding = true;
    const { extensions } = this.#deps;
    for (const { name, events, isExternal } of extensions.list)
      if (isExternal && !events.includes("SHUTDOWN")) await this.#programs.get(name)?.signal("SIGKILL");
    extensions.send("SHUTDOWN", event);
    const exits = [...this.#programs.values()].map((program) => program.exited);
    const grace = new AbortController();
    await Promise.race([
      Promise.all(exits),
      sleep(graceMs, undefined, { signal: grace.signal, ref: false }).catch(() => {}),
    ]);
    grace.abort();
    // Their end is told by another pipe than their last words, which are read in the next turns of the loop.
    for (let turn = 0; turn < lastWordsTurns; turn++) await new Promise(setImmediate);
  }

  /** From now on their end is what is wanted, and what they write is another life's. */
  dismiss(): void {
    this.#isEnding = true;
    this.#output?.off("data", this.#write);
  }

  #refuse({ name, isExecutable }: ExternalExtension): ExtensionFailure | undefined {
    const { extensions } = this.#deps;
    try {
      extensions.expect(name);
    } catch (error) {
      if (!(error instanceof ExtensionError)) throw error;
      return { errorType: "Extension.LaunchError", name, message: error.message };
    }
    if (isExecutable) return undefined;
    extensions.launchFailed(name, "PermissionDenied");
    const message = `fork/exec /opt/extensions/${name}: permission denied`;
    return { errorType: "Extension.LaunchError", name, message };
  }

  #ended(name: string, exit: SandboxExit): void {
    this.#programs.delete(name);
    if (this.#isEnding) this.#deps.extensions.ended(name, exit.code === 0);
    else this.#deps.onFailure({ errorType: "Extension.Crash", name, message: exitWords(exit) });
  }
}

/** Go's words for how a process ended, as AWS's platform prints them. */
function exitWords({ code, signal }: SandboxExit): string {
  if (signal) return `signal: ${signalWords(signal)}`;
  return code ? `exit status ${code}` : "exit code 0";
}
