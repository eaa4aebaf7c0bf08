/**
 * What starts programs in the root of an image, which may hold nothing but one program: the host's shell and `env`, with the libraries
 * that they need and the loader that finds these, in a folder of their own.
 */
import { chmod, copyFile, mkdir, realpath, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { runProgram, tryProgram } from "../run-program.ts";
import type { Bind } from "./bundle.ts";
import type { SupervisorTools } from "./supervisor-script.ts";

/** Where they are inside. */
const INSIDE = "/run/lambent";

interface Tools extends SupervisorTools {
  readonly binds: readonly Bind[];
}

export class ImageTools {
  readonly #folder: string;
  #made: Promise<Tools> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Copied when they are first wanted. @throws SandboxError where the host has no such programs. */
  get(): Promise<Tools> {
    if (this.#made === undefined) {
      this.#made = make(this.#folder);
      // A failed attempt (a full disk) is tried again by the next sandbox.
      this.#made.catch(() => (this.#made = undefined));
    }
    return this.#made;
  }
}

async function make(folder: string): Promise<Tools> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const found = await runProgram("/bin/sh", ["-c", "command -v env"]);
  const [shell, env] = await Promise.all([
    copyTool(folder, "sh", "/bin/sh"),
    copyTool(folder, "env", found.trim()),
  ]);
  return { shell, env, binds: [{ source: folder, target: INSIDE, kind: "folder" }] };
}

/** Copies a program with what it is linked to. Answers the words that start it inside. */
async function copyTool(folder: string, name: string, path: string): Promise<readonly string[]> {
  await copy(path, join(folder, name));
  const { stdout } = await tryProgram("ldd", [path]);
  // `libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)`, and the loader as a path alone.
  const libraries = [...stdout.matchAll(/(?:=>\s*)?(\/\S+)\s+\(0x/g)].map(([, library = ""]) => library);
  const loader = libraries.find((library) => basename(library).startsWith("ld-"));
  if (loader === undefined) return [`${INSIDE}/${name}`];
  for (const library of libraries) await copy(library, join(folder, basename(library)));
  return [`${INSIDE}/${basename(loader)}`, "--library-path", INSIDE, `${INSIDE}/${name}`];
}

async function copy(source: string, target: string): Promise<void> {
  await copyFile(await realpath(source), target);
  await chmod(target, 0o755);
}
