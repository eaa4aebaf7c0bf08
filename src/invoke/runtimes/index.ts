/** The runtimes that this machine has or can fetch. A version that is not there is refused by name, never swapped. */
import { dotnetFamily } from "./dotnet.ts";
import { refusal } from "./identifiers.ts";
import { imageFamily } from "./image.ts";
import { javaFamily } from "./java.ts";
import { nodeFamily } from "./nodejs.ts";
import { providedFamily } from "./provided.ts";
import { pythonFamily } from "./python.ts";
import { rubyFamily } from "./ruby.ts";
import { RuntimeUnavailable } from "./runtime.ts";
import type {
  InstallProgress,
  Runtime,
  RuntimeFamily,
  RuntimeListing,
  Runtimes,
  RuntimesDeps,
} from "./runtime.ts";

export { IMAGE_RUNTIME } from "./image.ts";
export { RuntimeUnavailable } from "./runtime.ts";
export type { InstallProgress, Runtime, RuntimeAnswer, RuntimeListing, Runtimes } from "./runtime.ts";

/** One for each language. */
export function runtimeFamilies(deps: RuntimesDeps): readonly RuntimeFamily[] {
  return [
    nodeFamily(deps),
    pythonFamily(deps),
    rubyFamily(deps),
    javaFamily(deps),
    dotnetFamily(deps),
    providedFamily(),
  ];
}

export function createRuntimes(deps: RuntimesDeps): Runtimes {
  const families = [...runtimeFamilies(deps), imageFamily];
  const installs = new Map<string, Promise<Runtime>>();

  /** Of the family that has the identifier; or why none has it. */
  async function find(identifier: string, handler: string | undefined) {
    const variant = variantOf(identifier, handler);
    for (const family of families) {
      const listing = await family.find(identifier, variant);
      if (listing !== undefined) return { family, listing };
    }
    return refusal(identifier) ?? `Lambent does not know the runtime ${identifier}`;
  }

  function variantOf(identifier: string, handler: string | undefined): string | undefined {
    if (handler === undefined) return undefined;
    return families.find(({ identifiers }) => identifiers.includes(identifier))?.variant?.(handler);
  }

  async function bring(
    identifier: string,
    handler: string | undefined,
    onProgress: (progress: InstallProgress) => void,
  ) {
    const found = await find(identifier, handler);
    if (typeof found === "string") throw new RuntimeUnavailable(found);
    if (!found.listing.available) throw new RuntimeUnavailable(found.listing.detail);
    const tell = (message: string) => {
      deps.log.info(message, { runtime: identifier });
      onProgress({ identifier, message });
    };
    return found.family.install(identifier, tell, variantOf(identifier, handler));
  }

  return {
    list: async (): Promise<RuntimeListing[]> =>
      (await Promise.all(families.map((family) => family.list()))).flat(),
    async find(identifier, handler) {
      const found = await find(identifier, handler);
      if (typeof found === "string") return { status: "refused", reason: found };
      const { listing } = found;
      if (!listing.available) return { status: "refused", reason: listing.detail };
      return { status: listing.installed ? "ready" : "installable", listing };
    },
    install(identifier, handler, onProgress = () => {}) {
      const key = `${identifier} ${variantOf(identifier, handler) ?? ""}`;
      let install = installs.get(key);
      if (install === undefined) {
        install = bring(identifier, handler, onProgress);
        installs.set(key, install);
        // A failed fetch is tried again by the next function that needs it.
        install.catch(() => installs.delete(key));
      }
      return install;
    },
  };
}
