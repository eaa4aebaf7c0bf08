/** Python runtimes: every CPython that the host has, taken with its own standard library and nothing else of the host. */
import { execFile } from "node:child_process";
import { readdir, realpath } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import type { SandboxSpec } from "../../sandbox/sandbox.ts";
import { boto3Folder } from "./aws-sdk.ts";
import { bootstrapFolder } from "./bootstrap-folder.ts";
import { exists } from "./install.ts";
import { moduleName, namesIn } from "./module-name.ts";
import { livePythonMin, pythonMinor, pythonMinorMax, pythonMinorMin } from "./identifiers.ts";
import { FoundInterpreters } from "./found-interpreters.ts";
import { RuntimeUnavailable } from "./runtime.ts";
import type { Runtime, RuntimeFamily, RuntimeListing, RuntimesDeps } from "./runtime.ts";

const run = promisify(execFile);
const probeMs = 10_000;

/** A CPython of the host. */
interface HostPython {
  readonly minor: number;
  readonly version: string;
  /** Real path of the program. */
  readonly executable: string;
  readonly prefix: string;
  readonly hasPip: boolean;
}

const PROBE =
  "import json,sys,os,platform,importlib.util as u;" +
  "print(json.dumps([platform.python_implementation(),platform.python_version(),os.path.realpath(sys.executable),sys.base_prefix,u.find_spec('pip') is not None]))";

export function pythonFamily(deps: RuntimesDeps): RuntimeFamily {
  const pythons = new FoundInterpreters(findPythons);
  return {
    language: "Python",
    identifiers: Array.from(
      { length: pythonMinorMax - pythonMinorMin + 1 },
      (_, at) => `python3.${pythonMinorMin + at}`,
    ),
    source: "the host; boto3 fetched from PyPI",
    async list() {
      const known = await pythons.all();
      const live = Array.from({ length: pythonMinorMax - livePythonMin }, (_, at) => livePythonMin + at);
      const minors = new Set([...known.keys(), ...live]);
      return [...minors].sort((a, b) => a - b).map((minor) => listing(minor, known.get(minor)));
    },
    async find(identifier) {
      const minor = pythonMinor(identifier);
      return minor === undefined ? undefined : listing(minor, await pythons.get(minor));
    },
    async install(identifier, tell) {
      const minor = pythonMinor(identifier) ?? 0;
      const python = await pythons.get(minor);
      if (!python) throw new RuntimeUnavailable(listing(minor, python).detail);
      return installPython(deps, python, await pipFor(python, pythons), tell);
    },
  };
}

function listing(minor: number, python: HostPython | undefined): RuntimeListing {
  const identifier = `python3.${minor}`;
  return python
    ? { identifier, version: python.version, detail: python.executable, available: true, installed: true }
    : {
        identifier,
        version: "",
        detail:
          `The runtime ${identifier} is not on this machine: install Python 3.${minor} ` +
          `(apt-get install ${identifier}, or pyenv install 3.${minor}) so that ${identifier} is on the path`,
        available: false,
        installed: false,
      };
}

/** One Python for each minor version: first the one on the path, then the usual places, then pyenv's. */
async function findPythons(): Promise<ReadonlyMap<number, HostPython>> {
  const found = new Map<number, HostPython>();
  const minors = Array.from({ length: pythonMinorMax - pythonMinorMin + 1 }, (_, at) => pythonMinorMin + at);
  for (const candidates of [
    minors.map((minor) => `python3.${minor}`),
    minors.map((minor) => `/usr/local/bin/python3.${minor}`),
    minors.map((minor) => `/usr/bin/python3.${minor}`),
    await pyenvPythons(),
  ]) {
    for (const python of await Promise.all(candidates.map(probe)))
      if (python && !found.has(python.minor)) found.set(python.minor, python);
  }
  return found;
}

/** Whose pip fetches packages for it: its own, else the newest one's. Distributions have Pythons without. */
async function pipFor(
  python: HostPython,
  pythons: FoundInterpreters<number, HostPython>,
): Promise<string | undefined> {
  if (python.hasPip) return python.executable;
  const others = [...(await pythons.all()).values()].filter(({ hasPip }) => hasPip);
  return others.sort((a, b) => b.minor - a.minor)[0]?.executable;
}

async function installPython(
  { cacheDir, log }: RuntimesDeps,
  python: HostPython,
  pip: string | undefined,
  tell: (message: string) => void,
): Promise<Runtime> {
  const identifier = `python3.${python.minor}`;
  const runtimeDir = await bootstrapFolder(cacheDir, "python", ["site-packages"]);
  if (pip === undefined)
    log.warn(`No Python here has pip, so functions of ${identifier} have no boto3 but their own`);
  const programs = { minor: python.minor, python: python.executable };
  const boto3 = pip === undefined ? undefined : await boto3Folder(cacheDir, { ...programs, pip }, log, tell);
  return {
    identifier,
    kind: "python",
    channel: "frames",
    version: python.version,
    runtimeDir,
    languageMounts: [
      ...(await mountsOf(python, join(runtimeDir, "site-packages"))),
      ...(boto3 === undefined ? [] : [{ source: boto3, target: "/var/runtime/site-packages" }]),
    ],
    // -s: the site packages of the server's user are no part of the function's world.
    command: () => [
      `/var/lang/bin/python3.${python.minor}`,
      "-s",
      "/var/runtime/bootstrap.py",
      "/opt",
      "/var/runtime/site-packages",
    ],
    loadedAhead: await standardModules(python),
    moduleFolders,
    variables: (inside) => ({ PYTHONPATH: inside.path("/var/runtime") }),
  };
}

/**
 * A Python in a prefix of its own is shown whole at /var/lang, from where it finds its library by itself. One that shares
 * its prefix with the system shows its program and its library alone.
 */
async function mountsOf(python: HostPython, empty: string): Promise<SandboxSpec["languageMounts"]> {
  const shared = ["/usr", "/usr/local", "/"].includes(python.prefix);
  const name = `python3.${python.minor}`;
  const lib = join(python.prefix, "lib");
  // What the host's people installed into it is no part of the runtime.
  const hasPackages = await exists(join(lib, name, "site-packages"));
  const hidden = hasPackages ? [{ source: empty, target: `/var/lang/lib/${name}/site-packages` }] : [];
  if (!shared) return [{ source: python.prefix, target: "/var/lang" }, ...hidden];
  const libraries = (await readdir(lib)).filter((file) => file.startsWith(`lib${name}.so`));
  return [
    { source: python.executable, target: `/var/lang/bin/${name}` },
    { source: join(lib, name), target: `/var/lang/lib/${name}` },
    ...libraries.map((file) => ({ source: join(lib, file), target: `/var/lang/lib/${file}` })),
    ...hidden,
  ];
}

function moduleFolders(codeDir: string, optDir: string | undefined): readonly string[] {
  if (optDir === undefined) return [codeDir];
  const layers = join(optDir, "python");
  const versions = namesIn(join(layers, "lib"));
  return [codeDir, layers, ...versions.map((version) => join(layers, "lib", version, "site-packages"))];
}

/** The names of the standard library's modules. */
async function standardModules(python: HostPython): Promise<ReadonlySet<string>> {
  const library = join(python.prefix, "lib", `python3.${python.minor}`);
  const files = await Promise.all(
    [library, join(library, "lib-dynload")].map((folder) => readdir(folder).catch((): string[] => [])),
  );
  return new Set(files.flat().map(moduleName));
}

async function pyenvPythons(): Promise<string[]> {
  const versions = join(homedir(), ".pyenv", "versions");
  const names = await readdir(versions).catch((): string[] => []);
  return names
    .filter((name) => /^3\.\d+\.\d+$/.test(name))
    .sort((a, b) => b.localeCompare(a, "en", { numeric: true }))
    .map((name) => join(versions, name, "bin", `python${name.split(".").slice(0, 2).join(".")}`));
}

/** What a program says of itself; undefined when it is no CPython of a known version (a pyenv shim without one, PyPy). */
async function probe(program: string): Promise<HostPython | undefined> {
  try {
    const { stdout } = await run(program, ["-I", "-c", PROBE], { timeout: probeMs });
    const [implementation, version, executable, prefix, hasPip] = JSON.parse(stdout) as [
      string,
      string,
      string,
      string,
      boolean,
    ];
    const minor = Number(version.split(".")[1]);
    if (implementation !== "CPython" || minor < pythonMinorMin || minor > pythonMinorMax) return undefined;
    const real = await realpath(prefix);
    // A virtual environment's program lies elsewhere; only the base interpreter is whole.
    if (real !== "/usr" && !basename(dirname(executable)).startsWith("bin")) return undefined;
    return { minor, version, executable, prefix: real, hasPip };
  } catch {
    return undefined;
  }
}
