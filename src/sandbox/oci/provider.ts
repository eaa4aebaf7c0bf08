/** Sandboxes on an OCI runtime: containers made ahead where code can be mounted into them, else made for their function. */
import { chownSync, readdirSync, statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { SANDBOX_GID, SANDBOX_UID } from "../limits.ts";
import type { Attachment } from "../network/network.ts";
import type { Inside, Isolation, SandboxProvider, SandboxSpec } from "../sandbox.ts";
import { Registry } from "../registry.ts";
import type { Bind } from "./bundle.ts";
import type { Container, ContainerDeps } from "./container.ts";
import { makeContainer } from "./container.ts";
import { ContainerStock, preparedSpec } from "./container-stock.ts";
import { isLate, mountLate } from "./late-mounts.ts";
import { RuncSandbox } from "./runc-sandbox.ts";
import { SandboxError } from "../sandbox.ts";

export interface RuncProviderDeps extends ContainerDeps {
  readonly isolation: Isolation;
  readonly checkpoints: SandboxProvider["capabilities"]["checkpoints"];
  /** Whether this machine's `env` knows --default-signal. */
  readonly defaultSignals: boolean;
  /** Removes what all sandboxes shared; called once, at the end. */
  clean(): Promise<void>;
}

/** Builds the provider out of its prepared parts. */
export function createRuncProvider(deps: RuncProviderDeps): SandboxProvider {
  const registry = new Registry();
  const stock = deps.mounts && new ContainerStock(deps);
  let made = 0;

  /** A container with everything of the spec in it, and none of it running. A cold start waits for it, and asks no other thread. */
  async function containerFor(spec: SandboxSpec): Promise<Container> {
    const binds = bindsOf(spec);
    if (stock === undefined || !canBePrepared(spec, binds))
      return makeContainer(deps, { ...spec, id: `f-${++made}`, binds, root: spec.rootDir });
    const container = await stock.take();
    try {
      for (const bind of binds) await mountLate(stock.mounts, container.scratch, bind);
      return container;
    } catch (error) {
      await container.kill();
      throw error;
    }
  }

  async function create(spec: SandboxSpec, gone: () => void, saved?: string): Promise<RuncSandbox> {
    // A rootless server's own user is the function's user.
    if (spec.socketDir !== undefined && !deps.userNamespace) giveToSandbox(spec.socketDir);
    const container =
      saved === undefined
        ? await containerFor(spec)
        : await makeContainer(deps, { ...spec, id: `f-${++made}`, binds: bindsOf(spec), saved });
    void container.cleaned.catch(() => {}).then(gone);
    const sandbox = new RuncSandbox({
      id: spec.id,
      container,
      inside: await describeInside(spec, container.attachment),
      memoryMb: spec.memoryMb,
      overheadMb: deps.runtime.overheadMb,
      mounts: container.spec.binds === undefined ? deps.mounts : undefined,
      defaultSignals: deps.defaultSignals,
      canBeSaved: deps.checkpoints !== undefined,
    });
    if (container.spec.memoryMb !== spec.memoryMb) await sandbox.setLimits(spec);
    // What runc itself needed to start is not the function's.
    else await container.forgetPeak();
    return sandbox;
  }

  return {
    isolation: deps.isolation,
    capabilities: { lateMounts: stock !== undefined, checkpoints: deps.checkpoints },
    create: (spec) => registry.boot(spec, (gone) => create(spec, gone)),
    async restore(spec, folder) {
      if (deps.checkpoints === undefined) throw new SandboxError("nothing can be restored by this provider");
      let restored: RuncSandbox | undefined;
      const sandbox = await registry.boot(
        spec,
        async (gone) => (restored = await create(spec, gone, folder)),
      );
      return { sandbox, programs: restored?.programs ?? [] };
    },
    async close() {
      await registry.close();
      await stock?.close();
      await Promise.all([deps.scratch.close(), deps.network.close()]);
      await deps.clean();
    },
  };
}

/** Whether all that a spec wants can be had by a container that was made before it was known. */
function canBePrepared(spec: SandboxSpec, binds: readonly Bind[]): boolean {
  return (
    spec.rootDir === undefined &&
    spec.ephemeralStorageMb === preparedSpec.ephemeralStorageMb &&
    binds.every(({ target }) => isLate(target))
  );
}

async function describeInside(spec: SandboxSpec, attachment: Attachment): Promise<Inside> {
  const runtimeApi =
    spec.onRuntimeApiConnection && (await attachment.openRuntimeApi(spec.onRuntimeApiConnection));
  return {
    path: (path) => path,
    addressOf: (port) => attachment.addressOf(port),
    runtimeApi,
    credentials: runtimeApi && (attachment.credentials ?? runtimeApi),
  };
}

/** The folder and the sockets that already listen in it. */
function giveToSandbox(folder: string): void {
  chownSync(folder, SANDBOX_UID, SANDBOX_GID);
  for (const name of readdirSync(folder)) chownSync(join(folder, name), SANDBOX_UID, SANDBOX_GID);
}

/** A mount may lie in another (/var/runtime/node_modules): the outer one, whose path is shorter, comes first. */
function bindsOf(spec: SandboxSpec): Bind[] {
  const binds: Bind[] = [];
  for (const { source, target } of spec.languageMounts) {
    binds.push({ source, target, kind: statSync(source).isDirectory() ? "folder" : "file" });
  }
  if (spec.codeDir !== undefined) binds.push({ source: spec.codeDir, target: "/var/task", kind: "folder" });
  if (spec.optDir !== undefined) binds.push({ source: spec.optDir, target: "/opt", kind: "folder" });
  if (spec.runtimeDir !== undefined)
    binds.push({ source: spec.runtimeDir, target: "/var/runtime", kind: "folder" });
  if (spec.socketDir !== undefined)
    binds.push({ source: spec.socketDir, target: "/run/lambent", kind: "folder" });
  return binds.sort((one, other) => one.target.length - other.target.length);
}

/** Folders of the state directory that this provider owns. */
export async function makeStateFolders(stateDir: string): Promise<void> {
  for (const name of ["scratch", "roots", "runc"])
    await mkdir(join(stateDir, name), { recursive: true, mode: 0o700 });
}
