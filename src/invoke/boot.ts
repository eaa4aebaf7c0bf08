/** What must be there before an execution environment of a version can boot. */
import type { EnvironmentSpec } from "./environment.ts";
import { bootstrapOf, extensionsOf } from "./runtimes/provided.ts";
import { RuntimeUnavailable } from "./runtimes/runtime.ts";
import type { Runtime, Runtimes } from "./runtimes/runtime.ts";
import type { FunctionVersion, InvokePorts } from "./types.ts";

export interface BootDeps {
  readonly runtimes: Runtimes;
  readonly ports: Pick<InvokePorts, "credentials">;
}

/** A custom runtime whose package has no program that can be run: there is nothing to boot. */
export interface NoEntrypoint {
  readonly runtime: Runtime;
  readonly reason: string;
}

/** Installs the runtime, fetches credentials and looks for the program. @throws RuntimeUnavailable, and what the ports throw. */
export async function prepareBoot(
  deps: BootDeps,
  version: FunctionVersion,
): Promise<EnvironmentSpec | NoEntrypoint> {
  await refuseExtensions(version);
  const [runtime, credentials] = await Promise.all([
    deps.runtimes.install(version.runtime),
    deps.ports.credentials(version, version.functionName),
  ]);
  const entrypoint =
    runtime.kind === "provided" ? await bootstrapOf(version.codeDir, version.optDir) : undefined;
  if (entrypoint && "reason" in entrypoint) return { runtime, reason: entrypoint.reason };
  return { version, runtime, entrypoint: entrypoint?.path, credentials };
}

/** A function that counts on its extensions must not run without them. */
async function refuseExtensions(version: FunctionVersion): Promise<void> {
  const extensions = await extensionsOf(version.optDir);
  if (extensions.length > 0)
    throw new RuntimeUnavailable(
      `Lambent does not implement extensions yet; the layers of ${version.functionName} hold ${extensions.join(", ")}`,
    );
}
