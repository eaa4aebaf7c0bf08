/** Compiles C# with the compiler of an SDK itself: building a project would take NuGet and ten times as long. */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { DotnetCompiler, DotnetHome } from "./dotnet-homes.ts";

const run = promisify(execFile);
const compileMs = 120_000;
/** Lines of what the compiler said that an error tells. */
const saidLinesMax = 5;

/** Of the compiler's own process, which sees nothing else: no welcome, no telemetry, and no library of cultures needed. */
const ENVIRONMENT = {
  DOTNET_NOLOGO: "true",
  DOTNET_CLI_TELEMETRY_OPTOUT: "true",
  DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: "1",
};

export interface Compilation {
  readonly target: "exe" | "library";
  /** Files of C#. */
  readonly sources: readonly string[];
  /** Assemblies beside those of .NET. */
  readonly references: readonly string[];
  /** The assembly to be written. */
  readonly output: string;
}

/** Compiles for a version of .NET. @throws Error with what the compiler said. */
export async function compileCSharp(
  { executable, assembly }: DotnetCompiler,
  { root, frameworks: [framework = ""] }: DotnetHome,
  { target, sources, references, output }: Compilation,
): Promise<void> {
  const shared = join(root, framework);
  const system = (await readdir(shared)).filter((name) => name.endsWith(".dll"));
  const all = [...system.map((name) => join(shared, name)), ...references];
  // More than a command line may have.
  const folder = await mkdtemp(join(tmpdir(), "lambent-csc-"));
  const response = join(folder, "references.rsp");
  try {
    await writeFile(response, all.map((file) => `-reference:"${file}"\n`).join(""));
    const options = ["-noconfig", "-nostdlib+", "-nologo", "-optimize+", "-deterministic+"];
    const words = [...options, `-target:${target}`, `-out:${output}`, `@${response}`, ...sources];
    await run(executable, ["exec", assembly, ...words], {
      timeout: compileMs,
      cwd: dirname(output),
      env: ENVIRONMENT,
    });
  } catch (error) {
    const { stdout = "", stderr = "", message = "" } = error as Partial<Record<string, string>>;
    const said = `${stdout}${stderr}`.trim().split("\n").slice(0, saidLinesMax).join("; ");
    throw new Error(`${assembly} could not compile: ${said || message}`, { cause: error });
  } finally {
    await rm(folder, { recursive: true });
  }
}
