/** .NET runtimes: the .NET that the host has; class libraries get AWS's own runtime interface client, executables bring it. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { systemLibraries } from "../../sandbox/system-libraries.ts";
import { executableBootstrap, hasLibraryBootstrap, libraryBootstrap } from "./dotnet-bootstrap.ts";
import { findDotnets } from "./dotnet-homes.ts";
import type { DotnetHome, FoundDotnets } from "./dotnet-homes.ts";
import { DOTNET_VERSIONS } from "./identifiers.ts";
import { exists } from "./install.ts";
import { RuntimeUnavailable } from "./runtime.ts";
import type { Runtime, RuntimeFamily, RuntimeListing, RuntimesDeps } from "./runtime.ts";

/** A handler with a colon: `Assembly::Namespace.Type::Method`. Every other is the name of an executable. */
const LIBRARY = "class library";

/** What is installed while the server runs is seen after this. */
const freshMs = 30_000;

export function dotnetFamily(deps: RuntimesDeps): RuntimeFamily {
  const dotnets = new Dotnets();
  return {
    language: ".NET, PowerShell",
    identifiers: Object.keys(DOTNET_VERSIONS),
    source: "the host; AWS's runtime interface client fetched from NuGet",
    variant: (handler) => (handler.includes(":") ? LIBRARY : "executable"),
    async list() {
      const { byMajor } = await dotnets.all();
      return Object.entries(DOTNET_VERSIONS).map(([identifier, major]) =>
        listing(identifier, byMajor.get(major)),
      );
    },
    async find(identifier, variant) {
      const major = DOTNET_VERSIONS[identifier];
      if (major === undefined) return undefined;
      const dotnet = await dotnets.get(major);
      const found = listing(identifier, dotnet);
      if (!dotnet || variant !== LIBRARY || (await dotnets.all()).compiler) return found;
      return (await hasLibraryBootstrap(deps.cacheDir, dotnet)) ? found : withoutSdk(found);
    },
    async install(identifier, tell, variant) {
      const dotnet = await dotnets.get(DOTNET_VERSIONS[identifier] ?? 0);
      if (!dotnet) throw new RuntimeUnavailable(listing(identifier, dotnet).detail);
      const { compiler } = await dotnets.all();
      // Fetched ahead, for no function: all that there may be.
      const forLibraries = variant === undefined ? compiler !== undefined : variant === LIBRARY;
      const runtimeDir = forLibraries
        ? await libraryBootstrap(deps.cacheDir, dotnet, compiler, tell).catch((error: unknown) => {
            throw new RuntimeUnavailable(
              `The runtime ${identifier} needs AWS's runtime interface client for class libraries, and could not get it ready: ` +
                (error as Error).message,
              { cause: error },
            );
          })
        : await executableBootstrap(deps.cacheDir);
      return {
        ...dotnetRuntime(identifier, dotnet, runtimeDir, await hasIcu()),
        canBeSaved: forLibraries,
      };
    },
  };
}

/** What the host has, looked for anew when it is old or was removed. */
class Dotnets {
  #found: Promise<FoundDotnets> | undefined;
  #at = 0;

  all(): Promise<FoundDotnets> {
    if (this.#found === undefined || performance.now() - this.#at > freshMs) {
      this.#found = findDotnets();
      this.#at = performance.now();
    }
    return this.#found;
  }

  async get(major: number): Promise<DotnetHome | undefined> {
    const known = (await this.#found)?.byMajor.get(major);
    if (known && (await exists(known.executable))) return known;
    return (await this.all()).byMajor.get(major);
  }
}

function listing(identifier: string, dotnet: DotnetHome | undefined): RuntimeListing {
  if (dotnet)
    return { identifier, version: dotnet.version, detail: dotnet.root, available: true, installed: true };
  const major = DOTNET_VERSIONS[identifier] ?? 0;
  const detail =
    `The runtime ${identifier} is not on this machine: install .NET ${major} (apt-get install dotnet-sdk-${major}.0, or Microsoft's ` +
    `dotnet-install.sh --channel ${major}.0) so that it is on the path, in /usr/share/dotnet, /usr/lib/dotnet or ~/.dotnet`;
  return { identifier, version: "", detail, available: false, installed: false };
}

function withoutSdk({ identifier, version, detail }: RuntimeListing): RuntimeListing {
  const major = DOTNET_VERSIONS[identifier] ?? 0;
  const reason =
    `The handler names a class library, and for those the runtime ${identifier} needs the .NET SDK, which compiles its bootstrap; ` +
    `${detail} has .NET ${version} without one: install an SDK of any version (apt-get install dotnet-sdk-${major}.0), or deploy an ` +
    `executable, whose handler is the name of its assembly`;
  return { identifier, version: "", detail: reason, available: false, installed: false };
}

function dotnetRuntime(
  identifier: string,
  { version, root, executable, frameworks }: DotnetHome,
  runtimeDir: string,
  icu: boolean,
): Runtime {
  return {
    identifier,
    kind: "dotnet",
    channel: "http",
    version,
    runtimeDir,
    // AWS's place. The SDK stays outside.
    languageMounts: [
      { source: executable, target: "/var/lang/bin/dotnet" },
      ...["host", ...frameworks].map((folder) => ({
        source: join(root, folder),
        target: `/var/lang/bin/${folder}`,
      })),
    ],
    command: () => ["/var/runtime/bootstrap", "/var/lang/bin/dotnet"],
    startsWrapper: true,
    // As in AWS's images. https://docs.aws.amazon.com/lambda/latest/dg/csharp-image.html
    variables: () => ({
      DOTNET_VERSION: version,
      DOTNET_RUNNING_IN_CONTAINER: "true",
      DOTNET_NOLOGO: "true",
      DOTNET_CLI_TELEMETRY_OPTOUT: "true",
      // Without the library of cultures, which AWS's images have, .NET would not start.
      ...(icu ? {} : { DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: "1" }),
    }),
  };
}

/** Whether functions see ICU, with the system's libraries. */
async function hasIcu(): Promise<boolean> {
  const names = await readdir(systemLibraries() ?? "/usr/lib64").catch((): string[] => []);
  return names.some((name) => name.startsWith("libicuuc.so."));
}
