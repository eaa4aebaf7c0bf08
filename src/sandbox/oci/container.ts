/** One container as its OCI runtime leaves it: namespaces, a network slot, /tmp and a cgroup around a supervisor that waits. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../../telemetry/log.ts";
import type { Hierarchies } from "../cgroup/hierarchies.ts";
import { sandboxCgroup } from "../cgroup/sandbox-cgroup.ts";
import type { SandboxCgroup } from "../cgroup/sandbox-cgroup.ts";
import type { Attachment, Network } from "../network/network.ts";
import type { ScratchStocks } from "../temporary/scratch-stocks.ts";
import type { Scratch } from "../temporary/scratch.ts";
import { bundleConfig, mountPoints } from "./bundle.ts";
import type { Bind, UserNamespace } from "./bundle.ts";
import { closeLatePoints, lateBinds, openLatePoints } from "./late-mounts.ts";
import type { MountCalls } from "./mount-calls.ts";
import type { OciRuntime } from "./oci-runtime.ts";
import type { RootSkeletons } from "./root-skeleton.ts";
import { restoreTmp, saveSandbox, savedPrograms } from "./checkpoint.ts";
import { forgetRecord, nameAgain, pipeBinds, runBundle } from "./run-bundle.ts";
import { childrenOf, signal } from "./host-processes.ts";
import type { SandboxSpec } from "../sandbox.ts";
import { Supervisor } from "./supervisor.ts";
import type { ImageTools } from "./image-tools.ts";
import { ROOT_TOOLS, supervisorCommand } from "./supervisor-script.ts";
import type { SupervisorTools } from "./supervisor-script.ts";

export interface ContainerDeps {
  readonly runtime: OciRuntime;
  readonly instance: string;
  readonly stateDir: string;
  /** Undefined where sandboxes get no cgroup of their own (rootless). */
  readonly hierarchies: Hierarchies | undefined;
  /** Who functions are outside, when the server is not root. */
  readonly userNamespace: UserNamespace | undefined;
  readonly network: Network;
  readonly scratch: ScratchStocks;
  readonly roots: RootSkeletons;
  readonly imageTools: ImageTools;
  /** Host folders that every sandbox sees at the same place. */
  readonly shared: readonly string[];
  readonly seccomp: object | undefined;
  /** Undefined where nothing can be mounted into a sandbox that runs. */
  readonly mounts: MountCalls | undefined;
  readonly log: Log;
}

export interface ContainerSpec {
  /** Unique in this server: names the cgroup and the runtime's record. */
  readonly id: string;
  readonly memoryMb: number;
  readonly ephemeralStorageMb: number;
  /** What is mounted from the beginning; the rest comes late when undefined. */
  readonly binds: readonly Bind[] | undefined;
  /** A root with nothing of ours in it but mount points: an image's. */
  readonly root?: string | undefined;
  /** The folder that it was saved into; it goes on where that was. */
  readonly saved?: string;
  /** Who serves its connections to the Runtime API; one that goes on where it was saved may make some before anything else is known of it. */
  readonly onRuntimeApiConnection?: SandboxSpec["onRuntimeApiConnection"];
}

export interface Container {
  readonly spec: ContainerSpec;
  /** Host process id of the supervisor. */
  readonly pid: number;
  readonly supervisor: Supervisor;
  readonly tools: SupervisorTools;
  readonly cgroup: SandboxCgroup | undefined;
  readonly attachment: Attachment;
  readonly scratch: Scratch;
  /** Saves it into an empty folder and ends it. @throws SandboxError with what cannot be saved; it has ended then too. */
  save(folder: string): Promise<void>;
  hasEnded(): boolean;
  /** Peak memory since `forgetPeak`, in bytes; the last figure once it has ended. */
  peakBytes(): Promise<number>;
  forgetPeak(): Promise<void>;
  /** Kills everything in it and resolves when nothing is left of it. */
  kill(): Promise<void>;
  /** Resolves when it has ended, for whatever reason, and nothing is left of it. */
  readonly cleaned: Promise<void>;
}

/** Makes one and leaves it waiting. @throws SandboxError when it cannot be made; nothing is left of it then. */
export async function makeContainer(deps: ContainerDeps, spec: ContainerSpec): Promise<Container> {
  const [attachment, scratch] = await Promise.all([
    deps.network.take(),
    deps.scratch.take(spec.ephemeralStorageMb),
  ]);
  const cgroupsPath = `/lambent-${deps.instance}/${spec.id}`;
  const records = join(deps.stateDir, "runc");
  // gVisor listens under this name for the whole machine, where other servers have sandboxes too.
  const containerId = `${deps.instance}-${spec.id}`;
  const cgroup = deps.hierarchies && sandboxCgroup(deps.hierarchies, cgroupsPath);
  const release = async () => {
    await cgroup?.remove();
    if (deps.mounts && spec.binds === undefined) await closeLatePoints(deps.mounts, scratch);
    await Promise.all([attachment.release(), deps.scratch.give(scratch), forgetRecord(records, containerId)]);
  };
  try {
    if (deps.mounts && spec.binds === undefined) await openLatePoints(deps.mounts, scratch);
    await Promise.all([
      writeFile(join(scratch.folder, "hosts"), attachment.hosts),
      writeFile(join(scratch.folder, "resolv.conf"), deps.network.resolvConf),
    ]);
    const image = spec.root === undefined ? undefined : await deps.imageTools.get();
    const binds = allBinds(deps, scratch, spec, image);
    const tools = image ?? ROOT_TOOLS;
    const config = bundleConfig({
      runtime: deps.runtime,
      memoryMb: spec.memoryMb,
      root: spec.root ?? (await deps.roots.get(mountPoints(binds))),
      supervisor: supervisorCommand(tools, deps.runtime.inheritsPipes),
      binds,
      hostname: attachment.hostname,
      cgroupsPath: cgroup && cgroupsPath,
      networkNamespace: attachment.namespace,
      seccomp: deps.seccomp,
      limitSwap: deps.hierarchies?.swapAccounting ?? false,
      userNamespace: deps.userNamespace,
    });
    if (spec.saved !== undefined) {
      await restoreTmp(spec.saved, scratch.tmp);
      if (spec.onRuntimeApiConnection) await attachment.openRuntimeApi(spec.onRuntimeApiConnection);
    }
    const bundle = { records, id: containerId, scratch, config, saved: spec.saved };
    const booted = await runBundle(deps.runtime, bundle);
    const supervisor = new Supervisor(booted, oomCounter(cgroup));
    if (spec.saved !== undefined) supervisor.adopt(await savedPrograms(spec.saved));
    const save = async (folder: string) => {
      await nameAgain(deps.runtime, scratch);
      const { address } = attachment;
      const programs = supervisor.saved();
      const { tmp } = scratch;
      const saving = { runtime: deps.runtime, records, id: containerId, address, tmp, programs };
      await saveSandbox(saving, folder);
    };
    const parts = { spec, pid: booted.pid, supervisor, tools, cgroup, attachment, scratch };
    return control(deps, parts, release, save);
  } catch (error) {
    await release();
    throw error;
  }
}

type Parts = Pick<Container, "spec" | "pid" | "supervisor" | "tools" | "cgroup" | "attachment" | "scratch">;

function control(
  deps: ContainerDeps,
  parts: Parts,
  release: () => Promise<void>,
  save: (folder: string) => Promise<void>,
): Container {
  const { spec, pid, supervisor, cgroup } = parts;
  let ended = false;
  /** Its /tmp is needed until this has ended. */
  let saving: Promise<void> | undefined;
  let peak = 0;
  const peakBytes = async () => {
    if (!ended)
      peak = Math.max(peak, await (cgroup ? cgroup.peakBytes().catch(() => 0) : residentBytes(pid)));
    return peak;
  };
  const clean = async () => {
    await supervisor.over;
    await saving?.catch(() => {});
    await peakBytes();
    ended = true;
    await release();
  };
  const cleaned = clean();
  cleaned.catch((error: unknown) =>
    deps.log.error("a sandbox could not be cleaned up", { sandbox: spec.id, error }),
  );
  const kill = async () => {
    // The end of a process namespace's first process is the end of all in it.
    if (!supervisor.isOver) signal(pid, "SIGKILL");
    await cleaned;
  };
  return {
    ...parts,
    hasEnded: () => ended || supervisor.isOver,
    async save(folder) {
      saving = save(folder);
      try {
        await saving;
      } finally {
        await kill();
      }
    },
    peakBytes,
    async forgetPeak() {
      peak = 0;
      await cgroup?.resetPeak().catch(() => {});
    },
    kill,
    cleaned,
  };
}

/** @returns A function that says whether the kernel has killed something for memory since it was last asked. */
function oomCounter(cgroup: SandboxCgroup | undefined): () => Promise<boolean> {
  let known = 0;
  return async () => {
    const before = known;
    known = (await cgroup?.oomKills()) ?? 0;
    return known > before;
  };
}

/** A mount may lie in another (/var/runtime/node_modules): the outer one, whose path is shorter, comes first. */
function allBinds(
  deps: ContainerDeps,
  scratch: Scratch,
  { binds }: ContainerSpec,
  image: { readonly binds: readonly Bind[] } | undefined,
): Bind[] {
  const shared = deps.shared.map((folder) => ({ source: folder, target: folder, kind: "folder" as const }));
  const all: Bind[] = [
    ...(image?.binds ?? shared),
    { source: join(scratch.folder, "hosts"), target: "/etc/hosts", kind: "file" },
    { source: join(scratch.folder, "resolv.conf"), target: "/etc/resolv.conf", kind: "file" },
    { source: scratch.tmp, target: "/tmp", kind: "folder", writable: true },
    ...(binds ?? lateBinds(scratch)),
    ...pipeBinds(deps.runtime, scratch),
  ];
  return all.sort((one, other) => one.target.length - other.target.length);
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  let bytes = Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  for (const child of await childrenOf(pid)) bytes += await residentBytes(child);
  return bytes;
}
