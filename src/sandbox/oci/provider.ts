/** Sandboxes on runc: an OCI bundle for each, with everything costly prepared ahead of use. */
import { chown, mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../../telemetry/log.ts";
import type { Hierarchies } from "../cgroup/hierarchies.ts";
import { sandboxCgroup } from "../cgroup/sandbox-cgroup.ts";
import { SANDBOX_GID, SANDBOX_UID } from "../limits.ts";
import type { Attachment, Network } from "../network/network.ts";
import type { Inside, Isolation, Sandbox, SandboxProvider, SandboxSpec } from "../sandbox.ts";
import { Registry } from "../registry.ts";
import type { ScratchStocks } from "../temporary/scratch-stocks.ts";
import type { Scratch } from "../temporary/scratch.ts";
import { bundleConfig, mountPoints } from "./bundle.ts";
import type { Bind, UserNamespace } from "./bundle.ts";
import type { OciRuntime } from "./oci-runtime.ts";
import type { RootSkeletons } from "./root-skeleton.ts";
import { forgetRecord, pipeBinds, runBundle } from "./run-bundle.ts";
import { controlRuncSandbox } from "./runc-sandbox.ts";

export interface RuncProviderDeps {
  readonly runtime: OciRuntime;
  readonly instance: string;
  readonly stateDir: string;
  readonly isolation: Isolation;
  /** Undefined where sandboxes get no cgroup of their own (rootless). */
  readonly hierarchies: Hierarchies | undefined;
  /** Who functions are outside, when the server is not root. */
  readonly userNamespace: UserNamespace | undefined;
  readonly network: Network;
  readonly scratch: ScratchStocks;
  readonly roots: RootSkeletons;
  /** Host folders that every sandbox sees at the same place. */
  readonly shared: readonly string[];
  readonly seccomp: object | undefined;
  /** Whether this machine's `env` knows --default-signal. */
  readonly defaultSignals: boolean;
  /** Removes what all sandboxes shared; called once, at the end. */
  clean(): Promise<void>;
  readonly log: Log;
}

/** Builds the provider out of its prepared parts. */
export function createRuncProvider(deps: RuncProviderDeps): SandboxProvider {
  const registry = new Registry();
  return {
    isolation: deps.isolation,
    create: (spec) => registry.boot(spec, (gone) => bootSandbox(deps, spec, gone)),
    async close() {
      await registry.close();
      await Promise.all([deps.scratch.close(), deps.network.close()]);
      await deps.clean();
    },
  };
}

async function bootSandbox(deps: RuncProviderDeps, spec: SandboxSpec, gone: () => void): Promise<Sandbox> {
  const [attachment, scratch] = await Promise.all([
    deps.network.take(),
    deps.scratch.take(spec.ephemeralStorageMb),
  ]);
  const cgroupsPath = `/lambent-${deps.instance}/${spec.id}`;
  const cgroup = deps.hierarchies && sandboxCgroup(deps.hierarchies, cgroupsPath);
  const release = async () => {
    await Promise.all([
      attachment.release(),
      deps.scratch.give(scratch),
      forgetRecord(join(deps.stateDir, "runc"), spec.id),
    ]);
    gone();
  };
  try {
    const inside = await describeInside(spec, attachment);
    await Promise.all([
      writeFile(join(scratch.folder, "hosts"), attachment.hosts),
      writeFile(join(scratch.folder, "resolv.conf"), deps.network.resolvConf),
      // A rootless server's own user is the function's user.
      spec.socketDir === undefined || deps.userNamespace ? undefined : giveToSandbox(spec.socketDir),
    ]);
    const binds = [...(await bindsOf(spec, scratch, deps.shared)), ...pipeBinds(deps.runtime, scratch)];
    const config = bundleConfig({
      runtime: deps.runtime,
      spec,
      root: await deps.roots.get(mountPoints(binds)),
      binds,
      hostname: attachment.hostname,
      cgroupsPath: cgroup && cgroupsPath,
      networkNamespace: attachment.namespace,
      seccomp: deps.seccomp,
      limitSwap: deps.hierarchies?.swapAccounting ?? false,
      userNamespace: deps.userNamespace,
    });
    const booted = await runBundle(deps.runtime, join(deps.stateDir, "runc"), spec.id, scratch, config);
    // What runc itself needed to start is not the function's.
    await cgroup?.resetPeak().catch(() => {});
    return controlRuncSandbox({
      spec,
      booted,
      cgroup,
      inside,
      address: attachment.address,
      defaultSignals: deps.defaultSignals,
      release,
      log: deps.log,
    });
  } catch (error) {
    await cgroup?.remove();
    await release();
    throw error;
  }
}

async function describeInside(spec: SandboxSpec, attachment: Attachment): Promise<Inside> {
  return {
    path: (path) => path,
    addressOf: (port) => attachment.addressOf(port),
    runtimeApi: spec.onRuntimeApiConnection
      ? await attachment.openRuntimeApi(spec.onRuntimeApiConnection)
      : undefined,
  };
}

/** The folder and the sockets that already listen in it. */
async function giveToSandbox(folder: string): Promise<void> {
  await chown(folder, SANDBOX_UID, SANDBOX_GID);
  for (const name of await readdir(folder)) await chown(join(folder, name), SANDBOX_UID, SANDBOX_GID);
}

async function bindsOf(spec: SandboxSpec, scratch: Scratch, shared: readonly string[]): Promise<Bind[]> {
  const binds: Bind[] = [
    ...shared.map((folder) => ({ source: folder, target: folder, kind: "folder" as const })),
    { source: join(scratch.folder, "hosts"), target: "/etc/hosts", kind: "file" },
    { source: join(scratch.folder, "resolv.conf"), target: "/etc/resolv.conf", kind: "file" },
    { source: spec.codeDir, target: "/var/task", kind: "folder" },
    { source: scratch.tmp, target: "/tmp", kind: "folder", writable: true },
  ];
  for (const { source, target } of spec.languageMounts) {
    const info = await stat(source);
    binds.push({ source, target, kind: info.isDirectory() ? "folder" : "file" });
  }
  if (spec.optDir !== undefined) binds.push({ source: spec.optDir, target: "/opt", kind: "folder" });
  if (spec.runtimeDir !== undefined)
    binds.push({ source: spec.runtimeDir, target: "/var/runtime", kind: "folder" });
  if (spec.socketDir !== undefined)
    binds.push({ source: spec.socketDir, target: "/run/lambent", kind: "folder", writable: true });
  // A mount may lie in another (/var/runtime/node_modules): the outer one, whose path is shorter, comes first.
  return binds.sort((one, other) => one.target.length - other.target.length);
}

/** Folders of the state directory that this provider owns. */
export async function makeStateFolders(stateDir: string): Promise<void> {
  for (const name of ["scratch", "roots", "runc"])
    await mkdir(join(stateDir, name), { recursive: true, mode: 0o700 });
}
