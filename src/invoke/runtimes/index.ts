/** The runtimes that this machine has or can fetch. A version that is not there is refused by name, never swapped. */
import type { Log } from "../../telemetry/log.ts";
import { FoundInterpreters } from "./found-interpreters.ts";
import {
  LIVE_RUBY_VERSIONS,
  NODE_VERSIONS,
  PROVIDED,
  RUBY_VERSIONS,
  pythonMinor,
  pythonMinorMax,
  refusal,
  rubyVersion,
} from "./identifiers.ts";
import type { RubyVersion } from "./identifiers.ts";
import { installNode, listNode, nodeListing } from "./nodejs.ts";
import { providedRuntime } from "./provided.ts";
import { findPythons, installPython } from "./python.ts";
import type { HostPython } from "./python.ts";
import { findRubies, installRuby } from "./ruby.ts";
import type { HostRuby } from "./ruby.ts";
import { RuntimeUnavailable } from "./runtime.ts";
import type { InstallProgress, Runtime, RuntimeAnswer, RuntimeListing, Runtimes } from "./runtime.ts";

export { RuntimeUnavailable } from "./runtime.ts";
export type { InstallProgress, Runtime, RuntimeAnswer, RuntimeListing, Runtimes } from "./runtime.ts";

/** The oldest Python that AWS itself still names live. */
const livePythonMin = 10;

export interface RuntimesDeps {
  /** Folder for what is fetched; shared by every server of this user. */
  readonly cacheDir: string;
  readonly log: Log;
}

export function createRuntimes(deps: RuntimesDeps): Runtimes {
  const pythons = new FoundInterpreters(findPythons);
  const rubies = new FoundInterpreters(findRubies);
  const installs = new Map<string, Promise<Runtime>>();

  async function listing(identifier: string): Promise<RuntimeListing | string> {
    if (identifier in NODE_VERSIONS) return nodeListing(deps.cacheDir, identifier);
    if (isProvided(identifier)) return providedListing(identifier);
    const minor = pythonMinor(identifier);
    if (minor !== undefined) return pythonListing(minor, await pythons.get(minor));
    const version = rubyVersion(identifier);
    if (version !== undefined) return rubyListing(version, await rubies.get(version));
    return refusal(identifier) ?? `Lambent does not know the runtime ${identifier}`;
  }

  async function bring(identifier: string, tell: (progress: InstallProgress) => void): Promise<Runtime> {
    if (identifier in NODE_VERSIONS) return installNode(deps.cacheDir, identifier, deps.log, tell);
    if (isProvided(identifier)) return providedRuntime(identifier);
    const minor = pythonMinor(identifier);
    const python = minor === undefined ? undefined : await pythons.get(minor);
    if (python) return installPython(deps.cacheDir, python, deps.log, tell);
    const version = rubyVersion(identifier);
    const ruby = version === undefined ? undefined : await rubies.get(version);
    if (ruby) return installRuby(deps.cacheDir, ruby);
    const found = await listing(identifier);
    throw new RuntimeUnavailable(typeof found === "string" ? found : found.detail);
  }

  return {
    async list() {
      const [known, knownRubies] = await Promise.all([pythons.all(), rubies.all()]);
      const minors = new Set([...known.keys(), ...range(livePythonMin, pythonMinorMax - 1)]);
      return [
        ...(await listNode(deps.cacheDir)),
        ...[...minors].sort((a, b) => a - b).map((minor) => pythonListing(minor, known.get(minor))),
        ...RUBY_VERSIONS.filter(
          (version) => knownRubies.has(version) || LIVE_RUBY_VERSIONS.includes(version),
        ).map((version) => rubyListing(version, knownRubies.get(version))),
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

function rubyListing(wanted: RubyVersion, ruby: HostRuby | undefined): RuntimeListing {
  const identifier = `ruby${wanted}`;
  return ruby
    ? { identifier, version: ruby.version, detail: ruby.executable, available: true, installed: true }
    : {
        identifier,
        version: "",
        detail:
          `The runtime ${identifier} is not on this machine: install Ruby ${wanted} (apt-get install ruby where this is Debian's, ` +
          `or rbenv install ${wanted}) so that ${identifier} or ruby of that version is on the path, and not below /opt or /tmp, where functions have files of their own`,
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
