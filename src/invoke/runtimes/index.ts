/** The runtimes that this machine has or can fetch. A version that is not there is refused by name, never swapped. */
import type { Log } from "../../telemetry/log.ts";
import { NODE_VERSIONS, PROVIDED, pythonMinor, pythonMinorMax, refusal } from "./identifiers.ts";
import { exists } from "./install.ts";
import { installNode, listNode, nodeListing } from "./nodejs.ts";
import { providedRuntime } from "./provided.ts";
import { findPythons, installPython } from "./python.ts";
import type { HostPython } from "./python.ts";
import { RuntimeUnavailable } from "./runtime.ts";
import type { InstallProgress, Runtime, RuntimeAnswer, RuntimeListing, Runtimes } from "./runtime.ts";

export { RuntimeUnavailable } from "./runtime.ts";
export type { InstallProgress, Runtime, RuntimeAnswer, RuntimeListing, Runtimes } from "./runtime.ts";

/** A Python installed while the server runs is seen after this. */
const pythonsFreshMs = 30_000;
/** The oldest Python that AWS itself still names live. */
const livePythonMin = 10;

export interface RuntimesDeps {
  /** Folder for what is fetched; shared by every server of this user. */
  readonly cacheDir: string;
  readonly log: Log;
}

export function createRuntimes(deps: RuntimesDeps): Runtimes {
  const pythons = new Pythons();
  const installs = new Map<string, Promise<Runtime>>();

  async function listing(identifier: string): Promise<RuntimeListing | string> {
    if (identifier in NODE_VERSIONS) return nodeListing(deps.cacheDir, identifier);
    if (isProvided(identifier)) return providedListing(identifier);
    const minor = pythonMinor(identifier);
    if (minor !== undefined) return pythonListing(minor, await pythons.get(minor));
    return refusal(identifier) ?? `Lambent does not know the runtime ${identifier}`;
  }

  async function bring(identifier: string, tell: (progress: InstallProgress) => void): Promise<Runtime> {
    if (identifier in NODE_VERSIONS) return installNode(deps.cacheDir, identifier, deps.log, tell);
    if (isProvided(identifier)) return providedRuntime(identifier);
    const minor = pythonMinor(identifier);
    const python = minor === undefined ? undefined : await pythons.get(minor);
    if (python) return installPython(deps.cacheDir, python, deps.log, tell);
    const found = await listing(identifier);
    throw new RuntimeUnavailable(typeof found === "string" ? found : found.detail);
  }

  return {
    async list() {
      const known = await pythons.all();
      const minors = new Set([...known.keys(), ...range(livePythonMin, pythonMinorMax - 1)]);
      return [
        ...(await listNode(deps.cacheDir)),
        ...[...minors].sort((a, b) => a - b).map((minor) => pythonListing(minor, known.get(minor))),
        ...PROVIDED.map(providedListing),
      ];
    },
    async find(identifier): Promise<RuntimeAnswer> {
      const found = await listing(identifier);
      if (typeof found === "string") return { status: "refused", reason: found };
      if (!found.available) return { status: "refused", reason: found.detail };
      return { status: found.installed ? "ready" : "installable", listing: found };
    },
    install(identifier, onProgress = () => {}) {
      let install = installs.get(identifier);
      if (install === undefined) {
        install = bring(identifier, (progress) => {
          deps.log.info(progress.message, { runtime: progress.identifier });
          onProgress(progress);
        });
        installs.set(identifier, install);
        // A failed fetch is tried again by the next function that needs it.
        install.catch(() => installs.delete(identifier));
      }
      return install;
    },
  };
}

class Pythons {
  #found: Promise<ReadonlyMap<number, HostPython>> | undefined;
  #at = 0;

  /** Asking every interpreter takes the better part of a second, so what is known is not asked again at once. */
  all(): Promise<ReadonlyMap<number, HostPython>> {
    if (this.#found === undefined || performance.now() - this.#at > pythonsFreshMs) {
      this.#found = findPythons();
      this.#at = performance.now();
    }
    return this.#found;
  }

  async get(minor: number): Promise<HostPython | undefined> {
    const known = (await this.#found)?.get(minor);
    if (known && (await exists(known.executable))) return known;
    return (await this.all()).get(minor);
  }
}

function pythonListing(minor: number, python: HostPython | undefined): RuntimeListing {
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

function providedListing(identifier: string): RuntimeListing {
  const detail = "runs the function's own bootstrap";
  return { identifier, version: "", detail, available: true, installed: true };
}

function isProvided(identifier: string): boolean {
  return PROVIDED.some((each) => each === identifier);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}
