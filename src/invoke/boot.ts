/** What must be there before an execution environment of a version can boot. */
import type { EnvironmentSpec } from "./environment-spec.ts";
import { externalExtensionsOf, imageExtensionsOf } from "./extensions/external-extensions.ts";
import { bootstrapOf } from "./runtimes/provided.ts";
import { imageLaunch } from "./image-launch.ts";
import type { Runtime, Runtimes } from "./runtimes/runtime.ts";
import type { FunctionVersion, InvokePorts } from "./types.ts";

export interface BootDeps {
  readonly runtimes: Runtimes;
  readonly ports: Pick<InvokePorts, "credentials">;
}

/** A custom runtime whose package, or an image that, has no program that can be run: there is nothing to boot. */
export interface NoEntrypoint {
  readonly runtime: Runtime;
  readonly errorType: string;
  readonly reason: string;
}

/**
 * Installs the runtime, fetches credentials, has the code unpacked and looks for the program. Whoever gets a spec calls its
 * `releaseCode` once nothing runs the code any more. @throws RuntimeUnavailable, and what the ports throw.
 */
export async function prepareBoot(
  deps: BootDeps,
  version: FunctionVersion,
): Promise<EnvironmentSpec | NoEntrypoint> {
  const releaseCode = await version.holdCode?.();
  try {
    const spec = await specOf(deps, version);
    if ("credentials" in spec) return { ...spec, ...(releaseCode ? { releaseCode } : {}) };
    releaseCode?.();
    return spec;
  } catch (error) {
    releaseCode?.();
    throw error;
  }
}

async function specOf(deps: BootDeps, version: FunctionVersion): Promise<EnvironmentSpec | NoEntrypoint> {
  const { image, codeDir, optDir } = version;
  const [runtime, credentials, extensions] = await Promise.all([
    deps.runtimes.install(version.runtime, version.handler),
    deps.ports.credentials(version, version.functionName),
    image ? imageExtensionsOf(codeDir) : externalExtensionsOf(optDir),
  ]);
  if (image) {
    const launch = await imageLaunch(version, image);
    if ("reason" in launch) return { runtime, ...launch };
    return { version, runtime, entrypoint: undefined, launch, credentials, extensions };
  }
  const entrypoint = runtime.kind === "provided" ? await bootstrapOf(codeDir, optDir) : undefined;
  if (entrypoint && "reason" in entrypoint)
    return { runtime, errorType: "Runtime.InvalidEntrypoint", reason: entrypoint.reason };
  return { version, runtime, entrypoint: entrypoint?.path, credentials, extensions };
}
