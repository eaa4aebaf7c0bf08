/** Gives every invocation an execution environment: the newest idle one of its version, else whichever is free first, else a refusal. */
import type { Clock } from "../kit/clock.ts";
import type { Ids } from "../kit/id.ts";
import type { SandboxProvider } from "../sandbox/sandbox.ts";
import type { Log } from "../telemetry/log.ts";
import { prepareBoot } from "./boot.ts";
import type { NoEntrypoint } from "./boot.ts";
import { BootQueue } from "./boot-queue.ts";
import { Environment, EnvironmentEnded } from "./environment.ts";
import type { EnvironmentDeps } from "./environment.ts";
import { freezeAfterMs, idleMs, sweepMs } from "./limits.ts";
import type { InvokeLimits } from "./limits.ts";
import { runNowhere } from "./no-entrypoint.ts";
import { VersionPool } from "./pool.ts";
import type { Runner } from "./pool.ts";
import type { Runtimes } from "./runtimes/runtime.ts";
import type { FunctionVersion, Invocation, InvokePorts, Invoker, Outcome } from "./types.ts";

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
}

/** No execution environment is free and no more may be made. */
export class ThrottledError extends Error {
  readonly reason = "ConcurrentInvocationLimitExceeded";
  constructor() {
    super("Rate Exceeded.");
    this.name = "ThrottledError";
  }
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
  /** By version key; a retired pool is no longer among them. */
  readonly #pools = new Map<string, VersionPool>();
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
  #sweeper: NodeJS.Timeout | undefined;

  constructor(deps: InvokerDeps) {
    this.#deps = deps;
    this.#environmentDeps = {
      sandboxes: deps.sandboxes,
      stateDir: deps.stateDir,
      endpointPort: deps.endpointPort,
      ports: deps.ports,
      clock: deps.clock,
      ids: deps.ids,
      log: deps.log,
    };
  }

  /** @throws ThrottledError, RuntimeUnavailable, SandboxError, InvokerStopped. */
  async invoke(version: FunctionVersion, invocation: Invocation): Promise<Outcome> {
    if (this.#isStopped) throw new InvokerStopped();
    this.#running++;
    try {
      // A process may end between two invocations of its environment; the second has not begun then and goes elsewhere.
      for (;;) {
        const pool = this.#poolOf(version);
        const runner = pool.takeIdle() ?? (await this.#wait(pool));
        try {
          return await runner.invoke(invocation);
        } catch (error) {
          if (!(error instanceof EnvironmentEnded)) throw error;
          if (this.#isStopped) throw new InvokerStopped();
        }
      }
    } finally {
      this.#running--;
      if (this.#running === 0) this.#whenIdle();
    }
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
    clearInterval(this.#sweeper);
    if (this.#running > 0)
      await new Promise<void>((resolve) => {
        const grace = setTimeout(resolve, graceMs);
        this.#whenIdle = () => (clearTimeout(grace), resolve());
      });
    this.#isClosed = true;
    for (const pool of this.#pools.values()) pool.rejectAll(new InvokerStopped());
    await Promise.all([...this.#environments].map((environment) => environment.end()));
  }

  #poolOf(version: FunctionVersion): VersionPool {
    let pool = this.#pools.get(version.key);
    if (!pool) {
      pool = new VersionPool(version);
      this.#pools.set(version.key, pool);
    }
    return pool;
  }

  /** Begins a boot where too few are under way, and waits for whatever is free first. @throws ThrottledError. */
  #wait(pool: VersionPool): Promise<Runner> {
    const needsBoot = !pool.hasSpareBoot;
    if (needsBoot) this.#makeRoom();
    const runner = pool.wait();
    if (needsBoot) {
      this.#count++;
      pool.boots++;
      this.#boots.add(pool);
    }
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
        this.#sweeper ??= setInterval(() => this.#sweep(), sweepMs).unref();
      });
    this.#count--;
    pool.boots--;
    if (spec && "reason" in spec) pool.offer(this.#nowhere(pool.version, spec));
    else pool.bootFailed(failure ?? new InvokerStopped());
    this.#settle(pool);
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
    this.#settle(pool);
  }

  /** Whoever has waited longest has it: a new one even if it will not do for a second invocation. */
  #idle(pool: VersionPool, environment: Environment, isNew: boolean): void {
    if ((isNew || environment.isFresh()) && pool.offer(environment)) this.#dropSpareBoots(pool);
    else if (pool.isRetired || this.#isStopped) void environment.end();
    else pool.idle.push(environment);
  }

  /** Boots that have not begun and that nobody waits for any more. */
  #dropSpareBoots(pool: VersionPool): void {
    while (pool.hasSpareBoot && this.#boots.drop(pool)) {
      pool.boots--;
      this.#count--;
    }
  }

  #settle(pool: VersionPool): void {
    const { key } = pool.version;
    if (pool.isEmpty && this.#pools.get(key) === pool) this.#pools.delete(key);
    pool.wake();
  }

  /** Makes place for one more environment, at the cost of the one that has been idle longest. @throws ThrottledError. */
  #makeRoom(): void {
    if (this.#count < this.#deps.limits.environmentsMax) return;
    let oldest: { pool: VersionPool; environment: Environment } | undefined;
    for (const pool of this.#pools.values()) {
      const environment = pool.idle[0];
      if (environment && (!oldest || environment.idleSince < oldest.environment.idleSince))
        oldest = { pool, environment };
    }
    if (!oldest) throw new ThrottledError();
    oldest.pool.idle.shift();
    void oldest.environment.end();
  }

  /** Freezes what has rested a while and ends what has rested long. */
  #sweep(): void {
    const now = performance.now();
    for (const pool of this.#pools.values()) {
      while (pool.idle[0] && now - pool.idle[0].idleSince > idleMs) void pool.idle.shift()?.end();
      for (const environment of pool.idle)
        if (now - environment.idleSince > freezeAfterMs) environment.freeze();
    }
  }
}
