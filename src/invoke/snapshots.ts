/**
 * The snapshots of versions with SnapStart: made when a version is published, restored by its cold starts, made anew where one was lost
 * or where the runtime, gVisor or the machine is another. https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html
 */
import { createHash } from "node:crypto";
import { mkdir, open, readFile, readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StillConnected } from "../sandbox/index.ts";
import { prepareBoot } from "./boot.ts";
import type { BootDeps } from "./boot.ts";
import type { EnvironmentDeps, EnvironmentSpec } from "./environment-spec.ts";
import { runInitPhase } from "./init-phase.ts";
import { snapshotsAtOnce, snapshotsBytesMax } from "./limits.ts";
import { LogStream, streamName } from "./log-stream.ts";
import { RuntimeDomain } from "./runtime-domain.ts";
import type { Runtime } from "./runtimes/runtime.ts";
import { SnapStartFailed, SnapshotFailed } from "./snap-start-errors.ts";
import type { FunctionVersion } from "./types.ts";
import { judge } from "./verdict.ts";
import type { Verdict } from "./verdict.ts";

/** What a cold start restores. */
export interface Snapshot {
  /** Holds the saved sandbox. */
  readonly folder: string;
  /** What the function's process knows as its tokens: all that are restored from it have the same. */
  readonly token: string;
}

/** Beside the saved sandbox. */
interface Note {
  readonly identity: string;
  readonly token: string;
  readonly bytes: number;
}

const NOTE = "snapshot.json";
const HALF = ".half";
/** Attempts at a snapshot that a busy machine keeps from being taken. */
const TRIES_MAX = 3;

export type SnapshotsDeps = EnvironmentDeps & BootDeps;

export class Snapshots {
  readonly #deps: SnapshotsDeps;
  readonly #folder: string;
  readonly #making = new Map<string, Promise<Snapshot>>();
  #running = 0;
  /** Those that wait for their turn to be made. */
  readonly #waiting: (() => void)[] = [];

  constructor(deps: SnapshotsDeps) {
    this.#deps = deps;
    this.#folder = join(deps.stateDir, "snapshots");
  }

  /** Makes the snapshot of a version, unless there is one that will do. @throws SnapshotFailed with the reason. */
  async make(version: FunctionVersion): Promise<void> {
    const runtime = await this.#deps.runtimes.install(version.runtime, version.handler);
    if (!(await this.#find(version, runtime))) await this.#makeOnce(version);
  }

  /** The snapshot for a cold start; one that was lost is made anew. @throws SnapStartFailed where that cannot be. */
  async take({ version, runtime }: EnvironmentSpec): Promise<Snapshot> {
    const there = await this.#find(version, runtime);
    if (there) return there;
    try {
      return await this.#makeOnce(version);
    } catch (error) {
      const reason = `The snapshot of the function was lost, and could not be made anew: ${(error as Error).message}`;
      throw new SnapStartFailed(reason, { cause: error });
    }
  }

  /** Removes the snapshot of a version that is no longer invoked. */
  async remove(key: string): Promise<void> {
    await this.#making.get(key)?.catch(() => {});
    for (const folder of [this.#path(key), this.#path(key) + HALF])
      await rm(folder, { recursive: true, force: true });
  }

  /** Removes the snapshots of all other versions, and what a killed server left unfinished. */
  async keepOnly(keys: ReadonlySet<string>): Promise<void> {
    for (const name of await readdir(this.#folder).catch(() => []))
      if (!keys.has(name)) await rm(join(this.#folder, name), { recursive: true, force: true });
  }

  #path(key: string): string {
    return join(this.#folder, key.replaceAll("/", "_"));
  }

  async #find(version: FunctionVersion, runtime: Runtime): Promise<Snapshot | undefined> {
    const folder = this.#path(version.key);
    const text = await readFile(join(folder, NOTE), "utf8").catch(() => undefined);
    if (text === undefined) return undefined;
    const { identity, token } = JSON.parse(text) as Note;
    if (identity !== (await this.#identity(version, runtime))) return undefined;
    const now = new Date(this.#deps.clock.now());
    await utimes(folder, now, now).catch(() => {});
    return { folder, token };
  }

  #makeOnce(version: FunctionVersion): Promise<Snapshot> {
    const { key } = version;
    let making = this.#making.get(key);
    if (!making) {
      making = this.#inTurn(() => this.#make(version)).finally(() => this.#making.delete(key));
      this.#making.set(key, making);
    }
    return making;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < snapshotsAtOnce) this.#running++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }

  async #make(version: FunctionVersion, triesLeft = TRIES_MAX - 1): Promise<Snapshot> {
    try {
      return await this.#makeOf(version);
    } catch (error) {
      if (triesLeft === 0 || !((error as Error).cause instanceof StillConnected)) throw error;
      return this.#make(version, triesLeft - 1);
    }
  }

  async #makeOf(version: FunctionVersion): Promise<Snapshot> {
    const spec = await prepareBoot(this.#deps, version);
    if (!("credentials" in spec)) throw new SnapshotFailed("InvalidRuntime", spec.reason);
    const folder = this.#path(version.key);
    const half = folder + HALF;
    try {
      for (const each of [folder, half]) await rm(each, { recursive: true, force: true });
      const token = this.#deps.ids.hex(64);
      await mkdir(half, { recursive: true, mode: 0o700 });
      await this.#initialize(spec, token, half);
      const identity = await this.#identity(version, spec.runtime);
      const note: Note = { identity, token, bytes: await bytesBelow(half) };
      await this.#makeRoom(note.bytes);
      await writeFile(join(half, NOTE), JSON.stringify(note), { mode: 0o600 });
      await rename(half, folder);
      await syncFolder(this.#folder);
      return { folder, token };
    } catch (error) {
      await rm(half, { recursive: true, force: true });
      throw error;
    } finally {
      spec.releaseCode?.();
    }
  }

  /** Runs the init phase and the before-checkpoint hooks, and saves what is there then. @throws SnapshotFailed */
  async #initialize(spec: EnvironmentSpec, token: string, folder: string): Promise<void> {
    const { version, runtime, extensions } = spec;
    if (runtime.channel !== "frames" && !runtime.canBeSaved)
      throw new SnapshotFailed(
        "InvalidRuntime",
        `SnapStart of ${runtime.identifier} needs a JDK of version 17 or later on this machine, which compiles its bootstrap`,
      );
    if (extensions.length > 0) throw withExtensions(extensions.map(({ name }) => name));
    const initializationType = "snap-start" as const;
    const stream = this.#stream(version);
    const domainSpec = { ...spec, initializationType, stream, metadataToken: token };
    const domain = new RuntimeDomain(this.#deps, domainSpec, () => {});
    try {
      const phase = { domain, stream, version, runtime, phase: "init", isProvisioned: true } as const;
      const { failure } = await runInitPhase(phase);
      if (failure) throw initFailed(failure, version);
      const inside = domain.extensions.list.map(({ name }) => name);
      if (inside.length > 0) throw withExtensions(inside);
      await domain.checkpoint(folder).catch((error: unknown) => {
        throw new SnapshotFailed("FunctionError", (error as Error).message, { cause: error });
      });
    } finally {
      await domain.shutDown("spindown");
      stream.telemetry.close();
      await stream.flush();
    }
  }

  #stream(version: FunctionVersion): LogStream {
    const { ports, clock, ids } = this.#deps;
    return new LogStream({
      version,
      ports,
      clock,
      name: streamName(version, clock.now(), ids.hex(32)),
      initializationType: "snap-start",
      memoryMb: () => Promise.resolve(0),
    });
  }

  /** Everything that a saved process relies on and that may change below it. */
  async #identity(version: FunctionVersion, runtime: Runtime): Promise<string> {
    const { sandboxes, endpointPort } = this.#deps;
    const machine = await sandboxes.capabilities.checkpoints?.();
    const { runtimeDir = "", languageMounts } = runtime;
    const sources = [runtimeDir, ...languageMounts.map(({ source }) => source)];
    const files = await Promise.all(sources.map(async (source) => [source, await changedAt(source)]));
    const parts = [machine, endpointPort, runtime.version, runtime.command(version.memoryMb), files];
    return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
  }

  /** Removes those that were not restored for longest; their next cold start makes them anew. */
  async #makeRoom(bytes: number): Promise<void> {
    const kept: { folder: string; bytes: number; usedAt: number }[] = [];
    for (const name of await readdir(this.#folder)) {
      const folder = join(this.#folder, name);
      const text = await readFile(join(folder, NOTE), "utf8").catch(() => undefined);
      if (text === undefined) continue;
      kept.push({ folder, bytes: (JSON.parse(text) as Note).bytes, usedAt: await changedAt(folder) });
    }
    kept.sort((one, other) => one.usedAt - other.usedAt);
    let sum = kept.reduce((all, one) => all + one.bytes, bytes);
    for (const one of kept) {
      if (sum <= snapshotsBytesMax) return;
      await rm(one.folder, { recursive: true, force: true });
      sum -= one.bytes;
    }
  }
}

function withExtensions(names: readonly string[]): SnapshotFailed {
  const message = `Lambent does not implement SnapStart of functions with extensions yet (${names.join(", ")}): they hold connections that gVisor cannot save.`;
  return new SnapshotFailed("FunctionError.ExtensionInitError", message);
}

function initFailed(failure: Verdict, version: FunctionVersion): SnapshotFailed {
  const { payload, status, cause = "" } = judge(failure, "", version.timeoutMs);
  if (status === "timeout")
    return new SnapshotFailed("FunctionError.InitTimeout", "The function's init phase took too long.");
  const { errorMessage = "", errorType = cause } = JSON.parse(payload.toString()) as Record<string, string>;
  return new SnapshotFailed(
    "FunctionError",
    `The function's init phase failed: ${errorType}: ${errorMessage}`,
  );
}

async function changedAt(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.mtimeMs ?? 0;
}

/** What files below a folder take on disk. */
async function bytesBelow(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const info = entry.isFile()
      ? await stat(join(entry.parentPath, entry.name)).catch(() => undefined)
      : undefined;
    bytes += (info?.blocks ?? 0) * 512;
  }
  return bytes;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path);
  await folder.sync().finally(() => folder.close());
}
