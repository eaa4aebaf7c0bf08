/** Gives every invocation an execution environment: the newest idle one of its version, else a new one, else a refusal. */
import type { Clock } from "../kit/clock.ts";
import type { Ids } from "../kit/id.ts";
import type { SandboxProvider } from "../sandbox/sandbox.ts";
import type { Log } from "../telemetry/log.ts";
import { Environment, EnvironmentEnded } from "./environment.ts";
import type { EnvironmentDeps, EnvironmentSpec } from "./environment.ts";
import { freezeAfterMs, idleMs, sweepMs } from "./limits.ts";
import type { InvokeLimits } from "./limits.ts";
import { runNowhere } from "./no-entrypoint.ts";
import { bootstrapOf, extensionsOf } from "./runtimes/provided.ts";
import { RuntimeUnavailable } from "./runtimes/runtime.ts";
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
  return new Pool(deps);
}

/** The environments of one version. */
interface VersionPool {
  readonly key: string;
  /** The newest is last. */
  readonly idle: Environment[];
  readonly all: Set<Environment>;
  /** Woken whenever one of them is gone. */
  readonly waiters: (() => void)[];
  isRetired: boolean;
}

class Pool implements Invoker {
  readonly #deps: InvokerDeps;
  readonly #environmentDeps: EnvironmentDeps;
  readonly #pools = new Map<string, VersionPool>();
  readonly #environments = new Set<Environment>();
  readonly #running = new Set<Promise<unknown>>();
  /** Environments that exist or are being made. */
  #count = 0;
  #isStopped = false;
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
  invoke(version: FunctionVersion, invocation: Invocation): Promise<Outcome> {
    if (this.#isStopped) return Promise.reject(new InvokerStopped());
    const idle = this.#takeIdle(version.key);
    const running = idle ? this.#invokeWarm(idle, invocation) : this.#invokeCold(version, invocation);
    this.#running.add(running);
    return running.finally(() => this.#running.delete(running));
  }

  async retire(key: string): Promise<void> {
    const pool = this.#pools.get(key);
    if (!pool) return;
    pool.isRetired = true;
    this.#pools.delete(key);
    for (const environment of pool.idle.splice(0)) void environment.end();
    while (pool.all.size > 0) await new Promise<void>((resolve) => pool.waiters.push(resolve));
  }

  async stop(graceMs: number): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#sweeper);
    const grace = new Promise<void>((resolve) => setTimeout(resolve, graceMs).unref());
    await Promise.race([Promise.allSettled(this.#running), grace]);
    await Promise.all([...this.#environments].map((environment) => environment.end()));
  }

  #takeIdle(key: string): Environment | undefined {
    const idle = this.#pools.get(key)?.idle;
    for (let environment = idle?.pop(); environment; environment = idle?.pop()) {
      if (environment.isFresh()) return environment;
      void environment.end();
    }
    return undefined;
  }

  /** A process may end between two invocations of its environment; the second has not begun then and goes elsewhere. */
  async #invokeWarm(environment: Environment, invocation: Invocation): Promise<Outcome> {
    try {
      return await environment.invoke(invocation);
    } catch (error) {
      if (!(error instanceof EnvironmentEnded)) throw error;
      if (this.#isStopped) throw new InvokerStopped();
      return this.#invokeCold(environment.version, invocation);
    }
  }

  async #invokeCold(version: FunctionVersion, invocation: Invocation): Promise<Outcome> {
    this.#makeRoom();
    this.#count += 1;
    let environment: Environment | undefined;
    try {
      await refuseExtensions(version);
      const [runtime, credentials] = await Promise.all([
        this.#deps.runtimes.install(version.runtime),
        this.#deps.ports.credentials(version, version.functionName),
      ]);
      const entrypoint =
        runtime.kind === "provided" ? await bootstrapOf(version.codeDir, version.optDir) : undefined;
      if (entrypoint && "reason" in entrypoint)
        return await runNowhere(this.#deps, version, invocation, runtime, entrypoint.reason);
      if (this.#isStopped) throw new InvokerStopped();
      environment = this.#add({ version, runtime, entrypoint: entrypoint?.path, credentials });
      return await environment.invoke(invocation);
    } catch (error) {
      throw error instanceof EnvironmentEnded ? new InvokerStopped() : error;
    } finally {
      // Once there is an environment, its end gives the place back.
      if (!environment) this.#count -= 1;
    }
  }

  #add(spec: EnvironmentSpec): Environment {
    const pool = this.#poolOf(spec.version.key);
    const environment = new Environment(this.#environmentDeps, spec, (changed) =>
      this.#changed(pool, changed),
    );
    pool.all.add(environment);
    this.#environments.add(environment);
    this.#sweeper ??= setInterval(() => this.#sweep(), sweepMs).unref();
    return environment;
  }

  #poolOf(key: string): VersionPool {
    let pool = this.#pools.get(key);
    if (!pool) {
      pool = { key, idle: [], all: new Set(), waiters: [], isRetired: false };
      this.#pools.set(key, pool);
    }
    return pool;
  }

  /** An environment became idle or gone. */
  #changed(pool: VersionPool, environment: Environment): void {
    if (environment.state === "idle") {
      if (pool.isRetired || this.#isStopped) void environment.end();
      else pool.idle.push(environment);
      return;
    }
    this.#count -= 1;
    this.#environments.delete(environment);
    pool.all.delete(environment);
    const at = pool.idle.indexOf(environment);
    if (at !== -1) pool.idle.splice(at, 1);
    if (pool.all.size === 0 && this.#pools.get(pool.key) === pool) this.#pools.delete(pool.key);
    for (const wake of pool.waiters.splice(0)) wake();
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

/** A function that counts on its extensions must not run without them. */
async function refuseExtensions(version: FunctionVersion): Promise<void> {
  const extensions = await extensionsOf(version.optDir);
  if (extensions.length > 0)
    throw new RuntimeUnavailable(
      `Lambent does not implement extensions yet; the layers of ${version.functionName} hold ${extensions.join(", ")}`,
    );
}
