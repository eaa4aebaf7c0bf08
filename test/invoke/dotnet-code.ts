/** Code of functions in C#, compiled here by the host's SDK, with AWS's packages of NuGet. */
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../src/config/index.ts";
import { compileCSharp } from "../../src/invoke/runtimes/csharp.ts";
import { findDotnets } from "../../src/invoke/runtimes/dotnet-homes.ts";
import { DOTNET_VERSIONS } from "../../src/invoke/runtimes/identifiers.ts";
import { nugetAssemblies } from "../../src/invoke/runtimes/nuget.ts";
import { runtimes } from "./harness.ts";

const PACKAGES = [
  { id: "Amazon.Lambda.Core", version: "2.8.0" },
  { id: "Amazon.Lambda.RuntimeSupport", version: "1.14.1" },
  { id: "Amazon.Lambda.Serialization.SystemTextJson", version: "2.4.4" },
] as const;
const LIBRARY = PACKAGES.filter(({ id }) => !id.endsWith("RuntimeSupport"));

/** The runtimes of .NET that this machine has and can compile for; why others are not tested is printed. */
export const dotnetsHere: string[] = [];
for (const identifier of Object.keys(DOTNET_VERSIONS)) {
  const reason = await missing(identifier);
  if (reason === undefined) dotnetsHere.push(identifier);
  else console.log(`# SKIPPED ${identifier}: ${reason}`);
}

async function missing(identifier: string): Promise<string | undefined> {
  const found = await runtimes.find(identifier, "Assembly::Type::Method");
  if (found.status === "refused") return found.reason;
  if ((await findDotnets()).compiler === undefined) return "the tests need the .NET SDK, which is not here";
  return assembliesOf(identifier, PACKAGES).then(
    () => undefined,
    (error: Error) => `AWS's packages could not be had from NuGet: ${error.message}`,
  );
}

/**
 * What `dotnet publish` makes of sources, by file name: assembly, description of what it needs, configuration of its runtime.
 * @param name Of the assembly.
 */
export async function published(
  identifier: string,
  name: string,
  target: "exe" | "library",
  sources: readonly URL[],
): Promise<Record<string, Buffer | string>> {
  const { byMajor, compiler } = await findDotnets();
  const major = DOTNET_VERSIONS[identifier] ?? 0;
  const dotnet = byMajor.get(major);
  if (!dotnet || !compiler) throw new Error(`${identifier} is not here`);
  const libraries = await assembliesOf(identifier, target === "exe" ? PACKAGES : LIBRARY);
  const folder = await mkdtemp(join(tmpdir(), "lambent-dotnet-"));
  try {
    const output = join(folder, `${name}.dll`);
    const references = [...libraries.values()];
    const files = sources.map(({ pathname }) => pathname);
    await compileCSharp(compiler, dotnet, { target, sources: files, references, output });
    const assemblies: Record<string, Buffer> = { [`${name}.dll`]: await readFile(output) };
    for (const [file, path] of libraries) assemblies[file] = await readFile(path);
    return { ...assemblies, ...descriptions(name, major, [...libraries.keys()]) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** File name → path. */
async function assembliesOf(
  identifier: string,
  packages: readonly { id: string; version: string }[],
): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const one of packages) {
    const major = DOTNET_VERSIONS[identifier] ?? 0;
    const folder = await nugetAssemblies(loadConfig().runtimesDir, one, major, () => {});
    for (const name of (await readdir(folder)).filter((file) => file.endsWith(".dll")))
      // What is wanted here in a newer version than another package needs at least.
      if (!files.has(name)) files.set(name, join(folder, name));
  }
  return files;
}

function descriptions(name: string, major: number, assemblies: readonly string[]): Record<string, string> {
  const framework = `.NETCoreApp,Version=v${major}.0`;
  const all = [`${name}.dll`, ...assemblies].map((file) => [file.replace(/\.dll$/, "/1.0.0"), file] as const);
  const dependencies = {
    runtimeTarget: { name: framework, signature: "" },
    targets: {
      [framework]: Object.fromEntries(all.map(([library, file]) => [library, { runtime: { [file]: {} } }])),
    },
    libraries: Object.fromEntries(
      all.map(([library]) => [library, { type: "project", serviceable: false, sha512: "" }]),
    ),
  };
  const configuration = {
    runtimeOptions: {
      tfm: `net${major}.0`,
      framework: { name: "Microsoft.NETCore.App", version: `${major}.0.0` },
    },
  };
  return {
    [`${name}.deps.json`]: JSON.stringify(dependencies),
    [`${name}.runtimeconfig.json`]: JSON.stringify(configuration),
  };
}
