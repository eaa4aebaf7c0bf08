/** Gives every invocation an execution environment: a provisioned one, else the newest idle one of its version, else whichever is free first. */
import { Concurrency, ThrottledError } from "./concurrency.ts";
import type { FunctionConcurrency } from "./concurrency.ts";
import { EnvironmentEnded, InvokerStopped } from "./errors.ts";
import { Fleet } from "./fleet.ts";
import type { FleetDeps } from "./fleet.ts";
import { forgetMs } from "./limits.ts";
import { VersionMetrics, sourceOf } from "./metrics.ts";
import type { LambdaMetrics } from "./metrics.ts";
import { VersionPool } from "./pool.ts";
import { Provisioned } from "./provisioned.ts";
import { clearSocketDirs } from "./socket-dir.ts";
import type {
  ExpectedVersion,
  FunctionOwner,
  FunctionVersion,
  Invocation,
  Invoker,
  Outcome,
  ProvisionedStatus,
} from "./types.ts";

export interface InvokerDeps extends FleetDeps {
  readonly metrics: LambdaMetrics;
}

export function createInvoker(deps: InvokerDeps): Invoker {
  clearSocketDirs(deps.stateDir);
  return new Pools(deps);
}

class Pools implements Invoker {
  readonly #metrics: LambdaMetrics;
  readonly #concurrency: Concurrency;
  /** By version key; a retired pool is no longer among them. */
  readonly #pools = new Map<string, VersionPool>();
  readonly #fleet: Fleet;
  /** Invocations under way. */
  #running = 0;
  #whenIdle: () => void = () => {};
  #isStopped = false;
  #forgottenAt = 0;

  constructor(deps: InvokerDeps) {
    this.#metrics = deps.metrics;
    this.#concurrency = new Concurrency(deps.limits);
    this.#fleet = new Fleet(deps, { [Symbol.iterator]: () => this.#pools.values() });
  }

  /** @throws ThrottledError, RuntimeUnavailable, SandboxError, InvokerStopped. */
  async invoke(version: FunctionVersion, invocation: Invocation): Promise<Outcome> {
    if (this.#isStopped) throw new InvokerStopped();
    const now = performance.now();
    const pool = this.#pools.get(version.key);
    const isSynchronous = invocation.isAsynchronous !== true;
    const environment = pool?.provisioned?.take(isSynchronous, now);
    this.#running++;
    try {
      if (pool && environment) {
        const outcome = await this.#runProvisioned(pool, environment, invocation, now);
        if (outcome) return outcome;
      }
      const concurrency = pool?.concurrency ?? this.#concurrency.of(version, now);
      const refusal = concurrency.admit(isSynchronous, now);
      if (refusal) throw refusal;
      try {
        return await this.#run(version, invocation, concurrency, now);
      } finally {
        concurrency.release();
      }
    } catch (error) {
      if (error instanceof ThrottledError)
        this.#metrics.record(sourceOf(version, invocation.invokedFunctionArn), "Throttles", 1);
      throw error;
    } finally {
      this.#running--;
      if (this.#running === 0) this.#whenIdle();
    }
  }

  reserve(owner: FunctionOwner, reserved: number | undefined): void {
    const now = performance.now();
    this.#concurrency.of(owner, now).reserve(reserved, now);
  }

  provision(version: FunctionVersion, count: number): void {
    if (this.#isStopped) return;
    const known = this.#pools.get(version.key);
    if (count === 0) {
      known?.concurrency.provision(version.key, 0);
      known?.provisioned?.close();
      if (known) known.provisioned = undefined;
      return;
    }
    const pool = known ?? this.#poolOf(version, this.#concurrency.of(version, performance.now()));
    pool.concurrency.provision(version.key, count);
    pool.provisioned ??= new Provisioned(this.#fleet, pool);
    pool.provisioned.want(count);
  }

  provisioned(key: string): ProvisionedStatus | undefined {
    return this.#pools.get(key)?.provisioned?.status();
  }

  prepare(version: ExpectedVersion): void {
    if (!this.#isStopped) this.#fleet.prepare(version);
  }

  snapshot(version: FunctionVersion): Promise<void> {
    return this.#fleet.snapshots.make(version);
  }

  keepSnapshots(keys: ReadonlySet<string>): Promise<void> {
    return this.#fleet.snapshots.keepOnly(keys);
  }

  async retire(key: string): Promise<void> {
    const pool = this.#pools.get(key);
    if (pool) {
      this.#pools.delete(key);
      pool.concurrency.provision(key, 0);
      await pool.retire();
    }
    await this.#fleet.snapshots.remove(key);
  }

  async stop(graceMs: number): Promise<void> {
    this.#isStopped = true;
    this.#fleet.stop();
    if (this.#running > 0)
      await new Promise<void>((resolve) => {
        const grace = setTimeout(resolve, graceMs);
        this.#whenIdle = () => (clearTimeout(grace), resolve());
      });
    for (const pool of this.#pools.values()) pool.rejectAll();
    await this.#fleet.close();
  }

  /** A process may end between two invocations of its environment; the second has not begun then and goes elsewhere. */
  async #run(
    version: FunctionVersion,
    invocation: Invocation,
    concurrency: FunctionConcurrency,
    now: number,
  ): Promise<Outcome> {
    const minute = this.#metrics.minute();
    this.#poolOf(version, concurrency).metrics.began(concurrency, minute);
    for (let mayGoAhead = isSmall(invocation); ; mayGoAhead = false) {
      const pool = this.#poolOf(version, concurrency);
      const runner = pool.takeIdle(now) ?? (await pool.wait(mayGoAhead));
      try {
        const outcome = await runner.invoke(invocation);
        pool.metrics.ended(invocation.invokedFunctionArn, outcome, minute);
        if (pool.provisioned && pool.provisioned.available > 0)
          pool.metrics.spilled(invocation.invokedFunctionArn, minute);
        return outcome;
      } catch (error) {
        if (!(error instanceof EnvironmentEnded)) throw error;
        if (this.#isStopped) throw new InvokerStopped();
      }
    }
  }

  /** Undefined when the environment's process had ended: the invocation has not begun then. */
  async #runProvisioned(
    { concurrency, metrics, provisioned }: VersionPool,
    environment: { invoke(invocation: Invocation): Promise<Outcome> },
    invocation: Invocation,
    now: number,
  ): Promise<Outcome | undefined> {
    const minute = this.#metrics.minute();
    const name = invocation.invokedFunctionArn;
    concurrency.admitProvisioned(now);
    if (provisioned) provisioned.running++;
    metrics.began(concurrency, minute);
    try {
      const { running = 0, available = 0 } = provisioned ?? {};
      const outcome = await environment.invoke(invocation);
      metrics.ended(name, outcome, minute);
      metrics.ranProvisioned(name, running, available, minute);
      return outcome;
    } catch (error) {
      if (!(error instanceof EnvironmentEnded)) throw error;
      if (this.#isStopped) throw new InvokerStopped();
      return undefined;
    } finally {
      if (provisioned) provisioned.running--;
      concurrency.releaseProvisioned();
    }
  }

  #poolOf(version: FunctionVersion, concurrency: FunctionConcurrency): VersionPool {
    let pool = this.#pools.get(version.key);
    if (!pool) {
      pool = new VersionPool(this.#fleet, version, concurrency, new VersionMetrics(this.#metrics, version));
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
}

/** Payloads up to this size may wait in a runtime's socket, which reads as many of them as it may be handed at once. */
const smallBytesMax = 4_096;

/** Whether an invocation may be handed over while its environment works on another. */
function isSmall({ payload, clientContext = "", sink, wantLogTail }: Invocation): boolean {
  return payload.length + clientContext.length <= smallBytesMax && !sink && !wantLogTail;
}
