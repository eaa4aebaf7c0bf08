/** All execution environments of this machine: makes them in turn, within the machine's bound, and ends them. */
import { SandboxError } from "../sandbox/index.ts";
import { prepareBoot } from "./boot.ts";
import type { BootDeps, NoEntrypoint } from "./boot.ts";
import { BootQueue } from "./boot-queue.ts";
import type { FunctionConcurrency, ThrottledError } from "./concurrency.ts";
import { Environment } from "./environment.ts";
import type { EnvironmentDeps, EnvironmentSpec } from "./environment-spec.ts";
import type { InvokeLimits } from "./limits.ts";
import { runNowhere } from "./no-entrypoint.ts";
import type { InitializationType } from "./platform-events.ts";
import type { Runner, VersionPool } from "./pool.ts";
import { Prebooted } from "./prebooted.ts";
import { Snapshots } from "./snapshots.ts";
import { Reclaim } from "./reclaim.ts";
import type { ReclaimDeps } from "./reclaim.ts";
import type { ExpectedVersion, Outcome } from "./types.ts";

export interface FleetDeps
  extends
    Omit<EnvironmentDeps, "streaming" | "availabilityZoneId" | "prebooted" | "credentials">,
    BootDeps,
    ReclaimDeps {
  /** What functions are told of the zone that they run in; that of their region's first zone when absent. */
  readonly availabilityZoneId?: string;
  readonly limits: InvokeLimits;
  readonly ports: EnvironmentDeps["ports"];
}

/** Whom environments are made for: the calls of a version on demand, or its provisioned concurrency. */
export interface Owner {
  readonly pool: VersionPool;
  readonly initializationType: InitializationType;
  /** Boots that wait for their turn or run; each of them holds the place of an environment. */
  boots: number;
  /** An environment has ended its init phase, or an invocation. */
  rested(environment: Environment, isNew: boolean): void;
  /** A boot came to nothing, or to what answers in its place where there is no program to be run. */
  bootFailed(error: unknown, standIn?: Runner): void;
  /** Nothing is left of an environment. */
  gone(environment: Environment): void;
}

export class Fleet {
  readonly snapshots: Snapshots;
  readonly #deps: FleetDeps & EnvironmentDeps;
  readonly #prebooted: Prebooted;
  readonly #reclaim: Reclaim;
  readonly #environments = new Set<Environment>();
  readonly #boots = new BootQueue<Owner>((owner) => this.#boot(owner));
  /** Environments whose init phase has not ended, with what its end calls. */
  readonly #booting = new Map<Environment, () => void>();
  /** Environments that exist or are being made. */
  #count = 0;
  /** No environment is kept for later any more. */
  #isStopping = false;
  #isClosed = false;

  /** @param pools Those whose idle environments may be ended. */
  constructor(deps: FleetDeps, pools: Iterable<VersionPool>) {
    this.#prebooted = new Prebooted({ ...deps, most: deps.limits.prebootedMax });
    this.#deps = {
      ...deps,
      prebooted: this.#prebooted,
      streaming: deps.limits.streaming,
      availabilityZoneId: deps.availabilityZoneId ?? "",
      credentials: (version) => deps.ports.credentials(version, version.functionName),
    };
    this.snapshots = new Snapshots(this.#deps);
    this.#reclaim = new Reclaim(deps, pools, () => this.#prebooted.giveUp());
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  get environmentsMax(): number {
    return this.#deps.limits.environmentsMax;
  }

  get lifetimeMs(): number {
    return this.#deps.limits.lifetimeMs;
  }

  /** Whether an environment will do for another invocation. */
  isFit(environment: Environment): boolean {
    return environment.isIdle && this.lasts(environment);
  }

  /** Whether one that is at work will do for more. */
  lasts(environment: Environment): boolean {
    return environment.ageMs < this.lifetimeMs && environment.hasCredentials;
  }

  /** Makes ahead what the first invocation of a version will need: a process that waits, and a session of its role. */
  prepare({ runtime, handler, memoryMb, session }: ExpectedVersion): void {
    const { runtimes, ports, log } = this.#deps;
    // A role that Lambda may not assume is told to whoever invokes.
    if (session) void ports.credentials(session, session.functionName).catch(() => {});
    const expect = async () => {
      // What is not here yet is fetched by whoever needs it, not ahead.
      if ((await runtimes.find(runtime, handler)).status === "ready")
        this.#prebooted.expect(await runtimes.install(runtime, handler), memoryMb, session !== undefined);
    };
    expect().catch((error: unknown) => log.warn("cannot prepare a runtime", { error }));
  }

  /** Begins an environment; it takes its turn. Whether there is place was asked before. */
  begin(owner: Owner): void {
    this.#count++;
    owner.boots++;
    this.#boots.add(owner);
  }

  /** Takes back one that has not begun. False when there is none. */
  drop(owner: Owner): boolean {
    if (!this.#boots.drop(owner)) return false;
    owner.boots--;
    this.#count--;
    return true;
  }

  /** An environment is kept for later. */
  keep(environment: Environment): void {
    this.#reclaim.rested(environment);
  }

  /**
   * Makes place for one more environment, at the cost of the one that has been idle longest. Answers why there is none.
   * A function with a reservation may have its share before what is ending has made place for it.
   */
  makeRoom(concurrency: FunctionConcurrency): ThrottledError | undefined {
    if (this.hasRoom()) return undefined;
    return concurrency.reserved === undefined ? concurrency.noPlace : undefined;
  }

  /** The same, as yes or no and for everybody alike. */
  hasRoom(): boolean {
    return this.#count < this.#deps.limits.environmentsMax || this.#reclaim.endOldest();
  }

  /** Environments that become idle from now on are ended. */
  stop(): void {
    this.#isStopping = true;
    this.#reclaim.stop();
  }

  /** Ends every environment. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([
      this.#prebooted.stop(),
      ...[...this.#environments].map((environment) => environment.end()),
    ]);
  }

  /** Boots an environment; resolves when its init phase has ended or cannot begin. */
  async #boot(owner: Owner): Promise<void> {
    const { pool, initializationType } = owner;
    let failure: unknown;
    const spec = await this.#prepare(owner).catch((error: unknown) => void (failure = error));
    if (spec && "credentials" in spec && !this.#isClosed)
      return new Promise((resolve) => {
        const environment = new Environment(this.#deps, { ...spec, initializationType }, (changed) =>
          this.#changed(owner, changed),
        );
        pool.environments.add(environment);
        this.#environments.add(environment);
        this.#booting.set(environment, resolve);
        this.#reclaim.start();
      });
    if (spec && "credentials" in spec) spec.releaseCode?.();
    this.#count--;
    owner.boots--;
    if (spec && "reason" in spec) {
      const invoke: Runner["invoke"] = (invocation): Promise<Outcome> =>
        runNowhere(this.#deps, pool.version, invocation, spec);
      owner.bootFailed(new Error(spec.reason), { invoke });
    } else owner.bootFailed(failure);
    pool.wake();
  }

  #bootFailed(owner: Owner, failure: unknown): void {
    const { pool, initializationType } = owner;
    // What cannot be restored may be broken: the next cold start makes it anew.
    if (initializationType === "snap-start" && failure instanceof SandboxError)
      void this.snapshots.remove(pool.version.key).catch(() => {});
    owner.bootFailed(failure);
  }

  /** @throws what keeps it from being booted, or restored. */
  async #prepare({ pool, initializationType }: Owner): Promise<EnvironmentSpec | NoEntrypoint> {
    const spec = await prepareBoot(this.#deps, pool.version);
    if (initializationType !== "snap-start" || !("credentials" in spec)) return spec;
    try {
      return { ...spec, snapshot: await this.snapshots.take(spec) };
    } catch (error) {
      spec.releaseCode?.();
      throw error;
    }
  }

  #changed(owner: Owner, environment: Environment): void {
    const { pool } = owner;
    const initEnded = this.#booting.get(environment);
    if (initEnded) {
      this.#booting.delete(environment);
      owner.boots--;
      initEnded();
    }
    if (environment.isIdle) owner.rested(environment, initEnded !== undefined);
    else {
      this.#count--;
      this.#environments.delete(environment);
      pool.environments.delete(environment);
      owner.gone(environment);
      if (initEnded) this.#bootFailed(owner, environment.bootFailure);
    }
    pool.wake();
  }
}
