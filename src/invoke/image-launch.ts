/** How a container image's program is started: what its configuration says, and what the function's says in its place. */
import { open } from "node:fs/promises";
import { endianness } from "node:os";
import { findInside } from "../sandbox/index.ts";
import type { FunctionVersion } from "./types.ts";

export interface ImageLaunch {
  /** Program and arguments. */
  readonly command: readonly string[];
  readonly workingDirectory: string;
  /** The image's own, which the function's and the platform's go before. */
  readonly variables: Readonly<Record<string, string>>;
}

/** Nothing can be started; in AWS's words. */
export interface NoLaunch {
  readonly errorType: "Runtime.InvalidEntrypoint" | "Runtime.InvalidWorkingDir";
  readonly reason: string;
}

/** Where programs are looked for when the image does not say, as container engines do. */
const PATH_DEFAULT = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** ELF's numbers of the processors that Node runs on. */
const MACHINES: Readonly<Record<string, number>> = { x64: 62, arm64: 183 };

/**
 * What an image function starts; the reason where it cannot be started, found out before anything is.
 * Entry point and command are overridden each on its own. https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
 */
export async function imageLaunch(
  { codeDir, environment }: Pick<FunctionVersion, "codeDir" | "environment">,
  image: NonNullable<FunctionVersion["image"]>,
): Promise<ImageLaunch | NoLaunch> {
  const defaults = image.defaults();
  const command = [...(image.entryPoint ?? defaults.entryPoint), ...(image.command ?? defaults.command)];
  const workingDirectory = image.workingDirectory || defaults.workingDirectory || "/";
  const own = Object.fromEntries(defaults.environment.map(splitVariable));
  const variables = { PATH: PATH_DEFAULT, ...own };
  const [program] = command;
  if (program === undefined || program === "")
    return {
      errorType: "Runtime.InvalidEntrypoint",
      reason: "entrypoint is empty: the image has neither ENTRYPOINT nor CMD",
    };
  const folder = await findInside(codeDir, workingDirectory);
  if (!folder?.info.isDirectory()) {
    const why = folder ? "not a directory" : "no such file or directory";
    return { errorType: "Runtime.InvalidWorkingDir", reason: `chdir ${workingDirectory}: ${why}` };
  }
  const path = environment["PATH"] ?? variables.PATH;
  const fault = await faultOf(codeDir, workingDirectory, program, path);
  return fault === undefined
    ? { command, workingDirectory, variables }
    : { errorType: "Runtime.InvalidEntrypoint", reason: fault };
}

/** Why a program cannot be started; undefined where nothing speaks against it. */
async function faultOf(
  root: string,
  workingDirectory: string,
  program: string,
  path: string,
): Promise<string | undefined> {
  if (program.includes("/")) {
    const fault = await fileFault(root, program.startsWith("/") ? program : `${workingDirectory}/${program}`);
    return fault && `fork/exec ${program}: ${fault}`;
  }
  for (const folder of path.split(":"))
    if ((await fileFault(root, `${folder || workingDirectory}/${program}`)) === undefined) return undefined;
  return `exec: "${program}": executable file not found in $PATH`;
}

/** The kernel's words for what is wrong with a program, as far as its file tells. */
async function fileFault(root: string, inner: string): Promise<string | undefined> {
  const file = await findInside(root, inner);
  if (!file) return "no such file or directory";
  if (!file.info.isFile() || (file.info.mode & 0o111) === 0) return "permission denied";
  const head = await headOf(file.path);
  if (head.subarray(0, 2).toString("latin1") === "#!") {
    const [, interpreter = ""] = /^#![ \t]*([^ \t\n]*)/.exec(head.toString("latin1")) ?? [];
    return (await findInside(root, interpreter)) ? undefined : "no such file or directory";
  }
  if (head.readUInt32BE(0) !== 0x7f45_4c46) return "exec format error";
  const machine = endianness() === "LE" ? head.readUInt16LE(18) : head.readUInt16BE(18);
  return machine === (MACHINES[process.arch] ?? machine) ? undefined : "exec format error";
}

async function headOf(path: string): Promise<Buffer> {
  const head = Buffer.alloc(256);
  const file = await open(path);
  try {
    await file.read(head, 0, head.length, 0);
    return head;
  } finally {
    await file.close();
  }
}

function splitVariable(line: string): [string, string] {
  const equals = line.indexOf("=");
  return equals === -1 ? [line, ""] : [line.slice(0, equals), line.slice(equals + 1)];
}
