/** What is mounted at /var/runtime for .NET: the script that starts functions and, for class libraries, AWS's client with our program. */
import { createHash } from "node:crypto";
import { chmod, copyFile, readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileCSharp } from "./csharp.ts";
import type { DotnetCompiler, DotnetHome } from "./dotnet-homes.ts";
import { exists, installOnce } from "./install.ts";
import { nugetAssemblies } from "./nuget.ts";

const SOURCES = fileURLToPath(new URL("../../../runtimes/dotnet/", import.meta.url));
const SCRIPT = "bootstrap";
const PROGRAM = "LambentBootstrap.dll";
const PROGRAM_SOURCES = ["Bootstrap.cs", "Connections.cs", "SnapStart.cs"] as const;

/** AWS's runtime interface client. It brings what it needs: Amazon.Lambda.Core and SnapshotRestore.Registry. */
const CLIENT = { id: "Amazon.Lambda.RuntimeSupport", version: "1.14.1" } as const;

/** Enough for a function that is an executable, which brings AWS's client. */
export async function executableBootstrap(cacheDir: string): Promise<string> {
  const script = await readFile(join(SOURCES, SCRIPT));
  const hash = createHash("sha256").update(script).digest("hex").slice(0, 16);
  return installOnce(cacheDir, `bootstrap-dotnet-${hash}`, (folder) => copyScript(folder));
}

/** For class libraries. @throws Error that names what could not be fetched or compiled. */
export async function libraryBootstrap(
  cacheDir: string,
  dotnet: DotnetHome,
  compiler: DotnetCompiler | undefined,
  tell: (message: string) => void,
): Promise<string> {
  return installOnce(cacheDir, await nameFor(dotnet), async (folder) => {
    if (!compiler) throw new Error("there is no .NET SDK");
    const client = await nugetAssemblies(cacheDir, CLIENT, dotnet.major, tell);
    const assemblies = (await readdir(client)).filter((name) => name.endsWith(".dll"));
    for (const name of assemblies) await copyFile(join(client, name), join(folder, name));
    await compileCSharp(compiler, dotnet, {
      target: "exe",
      sources: PROGRAM_SOURCES.map((name) => join(SOURCES, name)),
      references: assemblies.map((name) => join(folder, name)),
      output: join(folder, PROGRAM),
    });
    for (const name of await readdir(folder)) await chmod(join(folder, name), 0o644);
    await copyScript(folder);
  });
}

/** Whether it was made before: then no SDK is needed. */
export async function hasLibraryBootstrap(cacheDir: string, dotnet: DotnetHome): Promise<boolean> {
  return exists(join(cacheDir, await nameFor(dotnet)));
}

async function nameFor({ major }: DotnetHome): Promise<string> {
  const hash = createHash("sha256").update(`${CLIENT.version} ${major}`);
  for (const name of [SCRIPT, ...PROGRAM_SOURCES]) hash.update(await readFile(join(SOURCES, name)));
  return `bootstrap-dotnet${major}-${hash.digest("hex").slice(0, 16)}`;
}

async function copyScript(folder: string): Promise<void> {
  await copyFile(join(SOURCES, SCRIPT), join(folder, SCRIPT));
  await chmod(join(folder, SCRIPT), 0o755);
}
