/** Gives every invocation an execution environment: the newest idle one of its version, else whichever is free first, else a refusal. */
import type { Clock } from "../kit/clock.ts";
import type { Ids } from "../kit/id.ts";
import type { SandboxProvider } from "../sandbox/sandbox.ts";
import type { Log } from "../telemetry/log.ts";
import { prepareBoot } from "./boot.ts";
import type { NoEntrypoint } from "./boot.ts";
import { BootQueue } from "./boot-queue.ts";
import { Concurrency, ThrottledError } from "./concurrency.ts";
import type { FunctionConcurrency } from "./concurrency.ts";
import { Environment, EnvironmentEnded } from "./environment.ts";
import type { EnvironmentDeps } from "./environment.ts";
import { forgetMs } from "./limits.ts";
import type { InvokeLimits } from "./limits.ts";
import type { MemoryReading } from "./memory-pressure.ts";
import { VersionMetrics, sourceOf } from "./metrics.ts";
import type { LambdaMetrics } from "./metrics.ts";
import { runNowhere } from "./no-entrypoint.ts";
import { VersionPool } from "./pool.ts";
import type { Runner } from "./pool.ts";
import { Prebooted } from "./prebooted.ts";
import { Reclaim } from "./reclaim.ts";
import type { Runtimes } from "./runtimes/runtime.ts";
import type { FunctionOwner, FunctionVersion, Invocation, InvokePorts, Invoker, Outcome } from "./types.ts";

export interface InvokerDeps {
  readonly sandboxes: SandboxProvider;
  readonly runtimes: Runtimes;
  readonly ports: InvokePorts;
  /** Port of the server's AWS endpoint, which functions reach through AWS_ENDPOINT_URL. */
  readonly endpointPort: number;
  /** Folder for the sockets of execution environments. */
  readonly stateDir: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly limits: InvokeLimits;
  readonly metrics: LambdaMetrics;
  /** What functions are told of the zone that they run in; that of their region's first zone when absent. */
  readonly availabilityZoneId?: string;
  /** How the machine's memory is read. */
  readonly memory: () => Promise<MemoryReading>;
}

/** The server is stopping and takes no more invocations. */
export class InvokerStopped extends Error {
  constructor() {
    super("The server is stopping");
    this.name = "InvokerStopped";
  }
}

export function createInvoker(deps: InvokerDeps): Invoker {
  return new Pools(deps);
}

class Pools implements Invoker {
  readonly #deps: InvokerDeps;
  readonly #environmentDeps: EnvironmentDeps;
  readonly #concurrency: Concurrency;
  /** By version key; a retired pool is no longer among them. */
  readonly #pools = new Map<string, VersionPool>();
  readonly #reclaim: Reclaim;
  readonly #prebooted: Prebooted;
  readonly #environments = new Set<Environment>();
  readonly #boots = new BootQueue<VersionPool>((pool) => this.#boot(pool));
  /** Environments whose init phase has not ended, with what its end calls. */
  readonly #booting = new Map<Environment, () => void>();
  /** Environments that exist or are being made. */
  #count = 0;
  /** Invocations under way. */
  #running = 0;
  #whenIdle: () => void = () => {};
  #isStopped = false;
  /** The grace of `stop` is over. */
  #isClosed = false;
  #forgottenAt = 0;

  constructor(deps: InvokerDeps) {
    this.#deps = deps;
    this.#concurrency = new Concurrency(deps.limits);
    this.#reclaim = new Reclaim(deps, { [Symbol.iterator]: () => this.#pools.values() });
    this.#prebooted = new Prebooted({ ...deps, most: deps.limits.prebootedMax });
    this.#environmentDeps = {
      prebooted: this.#prebooted,
      sandboxes: deps.sandboxes,
      stateDir: deps.stateDir,
      endpointPort: deps.endpointPort,
      ports: deps.ports,
      clock: deps.clock,
      ids: deps.ids,
      log: deps.log,
      streaming: deps.limits.streaming,
      availabilityZoneId: deps.availabilityZoneId ?? "",
      metrics: deps.metrics,
    };
  }

  /** @throws ThrottledError, RuntimeUnavailable, SandboxError, InvokerStopped. */
  async invoke(version: FunctionVersion, invocation: Invocation): Promise<Outcome> {
    if (this.#isStopped) throw new InvokerStopped();
    const now = performance.now();
    const concurrency = this.#pools.get(version.key)?.concurrency ?? this.#concurrency.of(version, now);
    const refusal = concurrency.admit(invocation.isAsynchronous !== true, now);
    if (refusal) throw this.#throttled(refusal, version, invocation);
    this.#running++;
    try {
      return await this.#run(version, invocation, concurrency);
    } catch (error) {
      throw error instanceof ThrottledError ? this.#throttled(error, version, invocation) : error;
    } finally {
      concurrency.release();
      this.#running--;
      if (this.#running === 0) this.#whenIdle();
    }
  }

  reserve(owner: FunctionOwner, reserved: number | undefined): void {
    const now = performance.now();
    this.#concurrency.of(owner, now).reserve(reserved, now);
  }

  prepare({ runtime, memoryMb }: Pick<FunctionVersion, "runtime" | "memoryMb">): void {
    const { runtimes, log } = this.#deps;
    const expect = async () => {
      // What is not here yet is fetched by whoever needs it, not ahead.
      if ((await runtimes.find(runtime)).status === "ready")
        this.#prebooted.expect(await runtimes.install(runtime), memoryMb);
    };
    if (!this.#isStopped) expect().catch((error: unknown) => log.warn("cannot prepare a runtime", { error }));
  }

  async retire(key: string): Promise<void> {
    const pool = this.#pools.get(key);
    if (!pool) return;
    pool.isRetired = true;
    this.#pools.delete(key);
    for (const environment of pool.idle.splice(0)) void environment.end();
    this.#dropSpareBoots(pool);
    await pool.empty();
  }

  async stop(graceMs: number): Promise<void> {
    this.#isStopped = true;
    this.#reclaim.stop();
    if (this.#running > 0)
      await new Promise<void>((resolve) => {
        const grace = setTimeout(resolve, graceMs);
        this.#whenIdle = () => (clearTimeout(grace), resolve());
      });
    this.#isClosed = true;
    for (const pool of this.#pools.values()) pool.rejectAll(new InvokerStopped());
    await Promise.all([
      this.#prebooted.stop(),
      ...[...this.#environments].map((environment) => environment.end()),
    ]);
  }

  /** A process may end between two invocations of its environment; the second has not begun then and goes elsewhere. */
  async #run(
    version: FunctionVersion,
    invocation: Invocation,
    concurrency: FunctionConcurrency,
  ): Promise<Outcome> {
    const minute = this.#deps.metrics.minute();
    this.#poolOf(version, concurrency).metrics.began(concurrency, minute);
    for (;;) {
      const pool = this.#poolOf(version, concurrency);
      const runner = pool.takeIdle(this.#deps.limits.lifetimeMs) ?? (await this.#wait(pool));
      try {
        const outcome = await runner.invoke(invocation);
        pool.metrics.ended(invocation.invokedFunctionArn, outcome, minute);
        return outcome;
      } catch (error) {
        if (!(error instanceof EnvironmentEnded)) throw error;
        if (this.#isStopped) throw new InvokerStopped();
      }
    }
  }

  #throttled(error: ThrottledError, version: FunctionVersion, invocation: Invocation): ThrottledError {
    this.#deps.metrics.record(sourceOf(version, invocation.invokedFunctionArn), "Throttles", 1);
    return error;
  }

  #poolOf(version: FunctionVersion, concurrency: FunctionConcurrency): VersionPool {
    let pool = this.#pools.get(version.key);
    if (!pool) {
      pool = new VersionPool(version, concurrency, new VersionMetrics(this.#deps.metrics, version));
      this.#pools.set(version.key, pool);
      this.#forget();
    }
    return pool;
  }

  /** Once in a while: functions that have been quiet. */
  #forget(): void {
    const now = performance.now();
    if (now - this.#forgottenAt < forgetMs) return;
    this.#forgottenAt = now;
    for (const [key, pool] of this.#pools)
      if (pool.isEmpty && pool.concurrency.usedAt < now - forgetMs) this.#pools.delete(key);
    const held = new Set([...this.#pools.values()].map((pool) => pool.concurrency));
    this.#concurrency.forget(now - forgetMs, (one) => held.has(one));
  }

  /** Begins a boot where too few are under way, and waits for whatever is free first. @throws ThrottledError. */
  #wait(pool: VersionPool): Promise<Runner> {
    if (pool.hasSpareBoot) return pool.wait();
    const refusal = this.#makeRoom(pool) ?? pool.concurrency.admitEnvironment(performance.now());
    if (refusal) throw refusal;
    const runner = pool.wait();
    this.#count++;
    pool.boots++;
    this.#boots.add(pool);
    return runner;
  }

  /** Boots an environment of a version; resolves when its init phase has ended or cannot begin. */
  async #boot(pool: VersionPool): Promise<void> {
    let failure: unknown;
    const spec = await prepareBoot(this.#deps, pool.version).catch(
      (error: unknown) => void (failure = error),
    );
    if (spec && "credentials" in spec && !this.#isClosed)
      return new Promise((resolve) => {
        const environment = new Environment(this.#environmentDeps, spec, (changed) =>
          this.#changed(pool, changed),
        );
        pool.environments.add(environment);
        this.#environments.add(environment);
        this.#booting.set(environment, resolve);
        this.#reclaim.start();
      });
    this.#count--;
    pool.boots--;
    if (spec && "reason" in spec) pool.offer(this.#nowhere(pool.version, spec));
    else pool.bootFailed(failure ?? new InvokerStopped());
    pool.wake();
  }

  #nowhere(version: FunctionVersion, { runtime, reason }: NoEntrypoint): Runner {
    return { invoke: (invocation) => runNowhere(this.#deps, version, invocation, runtime, reason) };
  }

  /** An environment became idle or gone. */
  #changed(pool: VersionPool, environment: Environment): void {
    const initEnded = this.#booting.get(environment);
    if (initEnded) {
      this.#booting.delete(environment);
      pool.boots--;
      initEnded();
    }
    if (environment.state === "idle") this.#idle(pool, environment, initEnded !== undefined);
    else {
      this.#count--;
      this.#environments.delete(environment);
      pool.remove(environment);
      const { bootFailure } = environment;
      if (initEnded)
        pool.bootFailed(bootFailure instanceof EnvironmentEnded ? new InvokerStopped() : bootFailure);
    }
    pool.wake();
  }

  /** Whoever has waited longest has it: a new one even if it will not do for a second invocation. */
  #idle(pool: VersionPool, environment: Environment, isNew: boolean): void {
    const isFit = environment.isFresh() && environment.ageMs < this.#deps.limits.lifetimeMs;
    if ((isNew || isFit) && pool.offer(environment)) this.#dropSpareBoots(pool);
    else if (!isFit || pool.isRetired || this.#isStopped) void environment.end();
    else {
      pool.idle.push(environment);
      this.#reclaim.rested(environment);
    }
  }

  /** Boots that have not begun and that nobody waits for any more. */
  #dropSpareBoots(pool: VersionPool): void {
    while (pool.hasSpareBoot && this.#boots.drop(pool)) {
      pool.boots--;
      this.#count--;
      pool.concurrency.withdrawEnvironment();
    }
  }

  /**
   * Makes place for one more environment, at the cost of the one that has been idle longest. A function with a reservation
   * may have its share before what is ending has made place for it. Answers why there is no place for others.
   */
  #makeRoom({ concurrency }: VersionPool): ThrottledError | undefined {
    if (this.#count < this.#deps.limits.environmentsMax || this.#reclaim.endOldest()) return undefined;
    return concurrency.reserved === undefined ? concurrency.noPlace : undefined;
  }
}
