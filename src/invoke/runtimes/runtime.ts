/** What a language runtime is to the data path, however it got onto this machine. */
import type { Log } from "../../telemetry/log.ts";
import type { Inside, SandboxSpec } from "../../sandbox/sandbox.ts";

export interface RuntimesDeps {
  /** Folder for what is fetched; shared by every server of this user. */
  readonly cacheDir: string;
  readonly log: Log;
}

/** A runtime that can be started now. */
export interface Runtime {
  /** As Lambda's API names it: `nodejs22.x`. */
  readonly identifier: string;
  readonly kind: "nodejs" | "python" | "ruby" | "java" | "dotnet" | "provided" | "image";
  /** How it speaks: frames on a socket (src/invoke/frames.ts), or HTTP to the Runtime API, as what functions bring themselves. */
  readonly channel: "frames" | "http";
  /** It speaks HTTP, and our program beside AWS's client closes what cannot be saved while a snapshot is made (runtimes/dotnet/SnapStart.cs). */
  readonly canBeSaved?: boolean;
  /** The real version: `22.23.3`; empty for OS-only runtimes, whose program comes with the function. */
  readonly version: string;
  /** Host folder mounted at /var/runtime. */
  readonly runtimeDir?: string;
  readonly languageMounts: SandboxSpec["languageMounts"];
  /** Program and arguments, in paths of the layout; none where the function brings its own. */
  command(memoryMb: number): readonly string[];
  /** The command itself starts the function's wrapper script, and hands it what is to be run. */
  readonly startsWrapper?: true;
  /**
   * Modules that a process may have loaded before it is known for which function, and that a function's code could bring itself;
   * undefined where processes are not booted ahead.
   */
  readonly loadedAhead?: ReadonlySet<string>;
  /** Folders of a function's code and layers whose files and folders are modules that it brings; without, those of the code itself. */
  moduleFolders?(codeDir: string, optDir: string | undefined): readonly string[];
  /** Environment variables of its own; a function may override them. */
  variables(inside: Inside): Record<string, string>;
}

/** One line of what this machine offers. */
export interface RuntimeListing {
  readonly identifier: string;
  /** The exact version; empty where the function brings the program, or nothing is here. */
  readonly version: string;
  /** For people: where it is, where it would come from, or what to install. */
  readonly detail: string;
  /** Whether functions of this runtime can run here, after a fetch perhaps. */
  readonly available: boolean;
  readonly installed: boolean;
}

/** All runtimes of one language: where they come from, and how each is started. */
export interface RuntimeFamily {
  /** Of the language, for people. */
  readonly language: string;
  /** All that Lambent knows, oldest first. */
  readonly identifiers: readonly string[];
  /** Where its programs come from, for people. */
  readonly source: string;
  /** Names what a function with this handler needs of the runtime, where that differs: each variant is looked for and installed apart. */
  variant?(handler: string): string;
  /** Those of this machine, and those that AWS has live and this machine lacks. */
  list(): Promise<readonly RuntimeListing[]>;
  /** Undefined for an identifier of another family. */
  find(identifier: string, variant?: string): Promise<RuntimeListing | undefined>;
  /** Brings one here that `find` calls available. @throws RuntimeUnavailable, naming it and what to do. */
  install(identifier: string, tell: (message: string) => void, variant?: string): Promise<Runtime>;
}

export type RuntimeAnswer =
  /** It is here. */
  | { readonly status: "ready"; readonly listing: RuntimeListing }
  /** It is not here, and `install` brings it. */
  | { readonly status: "installable"; readonly listing: RuntimeListing }
  /** It cannot be had here; `reason` names it and says what to do. */
  | { readonly status: "refused"; readonly reason: string };

export interface InstallProgress {
  readonly identifier: string;
  /** A sentence for people: what is being done. */
  readonly message: string;
}

export interface Runtimes {
  /** Every runtime that Lambent knows, also those that this machine lacks. */
  list(): Promise<readonly RuntimeListing[]>;
  /** Whether functions of this runtime can run here, with this handler where one is given. */
  find(identifier: string, handler?: string): Promise<RuntimeAnswer>;
  /** Brings a runtime here and answers how to start it. @throws RuntimeUnavailable, naming it and what to do. */
  install(
    identifier: string,
    handler?: string,
    onProgress?: (progress: InstallProgress) => void,
  ): Promise<Runtime>;
}

export class RuntimeUnavailable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "RuntimeUnavailable";
  }
}
