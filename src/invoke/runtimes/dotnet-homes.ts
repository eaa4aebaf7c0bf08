/** The .NET installations of the host: which versions each holds, and whether there is an SDK that compiles. */
import { constants } from "node:fs";
import { access, readFile, readdir, realpath } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { exists } from "./install.ts";

const run = promisify(execFile);
const probeMs = 10_000;

/** One version of .NET of the host. */
export interface DotnetHome {
  /** `8` of 8.0.17. */
  readonly major: number;
  /** Of the shared framework. */
  readonly version: string;
  /** Real path of the installation. */
  readonly root: string;
  /** Its `dotnet` program. */
  readonly executable: string;
  /** Folders of shared frameworks, below the root: .NET's own, and ASP.NET Core's where it is there. */
  readonly frameworks: readonly string[];
}

/** The C# compiler of an SDK, which a `dotnet` program runs. */
export interface DotnetCompiler {
  readonly executable: string;
  readonly assembly: string;
}

export interface FoundDotnets {
  readonly byMajor: ReadonlyMap<number, DotnetHome>;
  /** Of the newest SDK. */
  readonly compiler: DotnetCompiler | undefined;
}

/** Where packages, dotnet-install.sh and version managers put it. https://learn.microsoft.com/dotnet/core/install/linux */
const PLACES = [
  "/usr/share/dotnet",
  "/usr/lib/dotnet",
  "/usr/lib64/dotnet",
  "/usr/local/share/dotnet",
  "/usr/local/dotnet",
  "/opt/dotnet",
  "/snap/dotnet-sdk/current",
] as const;
/** The file that installers register an installation in. */
const REGISTERED = "/etc/dotnet/install_location";

const FRAMEWORK = "shared/Microsoft.NETCore.App";
const WEB_FRAMEWORK = "shared/Microsoft.AspNetCore.App";
/** Previews are nobody's runtime. */
const RELEASE = /^(\d+)\.\d+\.\d+$/;

/** Of each major version the one of the first place that has it: the path, DOTNET_ROOT, then the usual places. */
export async function findDotnets(): Promise<FoundDotnets> {
  const roots = await rootsOfHost();
  const found = (await Promise.all(roots.map(homesIn))).flat();
  const byMajor = new Map<number, DotnetHome>();
  for (const home of found) if (!byMajor.has(home.major)) byMajor.set(home.major, home);
  const compilers = (await Promise.all(roots.map(compilersIn))).flat();
  return { byMajor, compiler: compilers.sort((a, b) => newestFirst(a.version, b.version))[0] };
}

async function rootsOfHost(): Promise<string[]> {
  const registered = await readFile(REGISTERED, "utf8").catch(() => "");
  const folders = [
    registered.trim(),
    ...PLACES,
    join(homedir(), ".dotnet"),
    join(homedir(), ".local/share/mise/dotnet-root"),
  ];
  const names = [...(await namedByShell()), ...folders.map((folder) => join(folder, "dotnet"))];
  const programs = await Promise.all(
    names.filter((name) => name.startsWith("/")).map((name) => realpath(name).catch(() => undefined)),
  );
  const roots: string[] = [];
  for (const program of programs.filter((one) => one !== undefined))
    if ((await isProgram(program)) && !roots.includes(dirname(program))) roots.push(dirname(program));
  return roots;
}

/** The program that a shell would start, and that of DOTNET_ROOT. */
async function namedByShell(): Promise<string[]> {
  const words = ["-c", 'command -v dotnet; echo "$DOTNET_ROOT/dotnet"'];
  const { stdout } = await run("/bin/sh", words, { timeout: probeMs }).catch(() => ({ stdout: "" }));
  return stdout.split("\n");
}

async function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => exists(join(dirname(path), "host/fxr")),
    () => false,
  );
}

/** The newest of each major version. */
async function homesIn(root: string): Promise<DotnetHome[]> {
  const versions = await releasesIn(join(root, FRAMEWORK));
  const webVersions = await releasesIn(join(root, WEB_FRAMEWORK));
  return versions
    .filter((version, at) => versions.findIndex((one) => majorOf(one) === majorOf(version)) === at)
    .map((version) => {
      const web = webVersions.find((one) => majorOf(one) === majorOf(version));
      return {
        major: majorOf(version),
        version,
        root,
        executable: join(root, "dotnet"),
        frameworks: [join(FRAMEWORK, version), ...(web === undefined ? [] : [join(WEB_FRAMEWORK, web)])],
      };
    });
}

async function compilersIn(root: string): Promise<(DotnetCompiler & { version: string })[]> {
  const versions = await releasesIn(join(root, "sdk"));
  const all = versions.map((version) => ({
    version,
    executable: join(root, "dotnet"),
    assembly: join(root, "sdk", version, "Roslyn/bincore/csc.dll"),
  }));
  const there = await Promise.all(all.map(({ assembly }) => exists(assembly)));
  return all.filter((_, at) => there[at]);
}

/** Versions that a folder has folders of, newest first. */
async function releasesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((): string[] => []);
  return names.filter((name) => RELEASE.test(name)).sort(newestFirst);
}

function newestFirst(one: string, other: string): number {
  return other.localeCompare(one, "en", { numeric: true });
}

function majorOf(version: string): number {
  return Number(RELEASE.exec(version)?.[1]);
}
