/** The execution environments of one version: those that are idle, those that boot, and the invocations that wait for one. */
import type { Environment } from "./environment.ts";
import type { FunctionConcurrency } from "./concurrency.ts";
import type { VersionMetrics } from "./metrics.ts";
import type { FunctionVersion, Invocation, Outcome } from "./types.ts";

/** What runs an invocation: an environment, or what stands in where none can boot. */
export interface Runner {
  invoke(invocation: Invocation): Promise<Outcome>;
}

/** An invocation that waits for whichever environment of its version is free first. */
interface Waiter {
  readonly resolve: (runner: Runner) => void;
  readonly reject: (error: unknown) => void;
}

export class VersionPool {
  readonly version: FunctionVersion;
  readonly concurrency: FunctionConcurrency;
  readonly metrics: VersionMetrics;
  /** The newest is last. */
  readonly idle: Environment[] = [];
  readonly environments = new Set<Environment>();
  /** Boots that wait for their turn or run; each of them holds the place of an environment. */
  boots = 0;
  isRetired = false;
  /** The oldest is first. */
  readonly #waiters: Waiter[] = [];
  readonly #whenEmpty: (() => void)[] = [];

  constructor(version: FunctionVersion, concurrency: FunctionConcurrency, metrics: VersionMetrics) {
    this.version = version;
    this.concurrency = concurrency;
    this.metrics = metrics;
  }

  get isEmpty(): boolean {
    return this.environments.size === 0 && this.boots === 0 && this.#waiters.length === 0;
  }

  /** More invocations wait than environments boot for them. */
  get lacksBoot(): boolean {
    return this.#waiters.length > this.boots;
  }

  /** More environments boot than invocations wait for. */
  get hasSpareBoot(): boolean {
    return this.boots > this.#waiters.length;
  }

  /** The newest idle environment that another invocation may have; those that may have none any more are ended. */
  takeIdle(lifetimeMs: number): Environment | undefined {
    for (let environment = this.idle.pop(); environment; environment = this.idle.pop()) {
      if (environment.ageMs < lifetimeMs && environment.isFresh()) return environment;
      void environment.end();
    }
    return undefined;
  }

  /** Ends the idle environments that a rule picks. */
  endIdle(isOver: (environment: Environment) => boolean): void {
    for (const environment of this.idle.filter(isOver)) {
      this.idle.splice(this.idle.indexOf(environment), 1);
      void environment.end();
    }
  }

  /** Waits for whatever is offered first. */
  wait(): Promise<Runner> {
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /** Gives a runner to the invocation that has waited longest. False when none waits. */
  offer(runner: Runner): boolean {
    const waiter = this.#waiters.shift();
    waiter?.resolve(runner);
    return waiter !== undefined;
  }

  /** Rejects the invocation that has waited longest, unless as many environments boot as invocations wait. */
  bootFailed(error: unknown): void {
    if (this.lacksBoot) this.#waiters.shift()?.reject(error);
  }

  rejectAll(error: unknown): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
  }

  remove(environment: Environment): void {
    this.environments.delete(environment);
    const at = this.idle.indexOf(environment);
    if (at !== -1) this.idle.splice(at, 1);
  }

  /** Resolves when nothing of it is left. */
  async empty(): Promise<void> {
    while (!this.isEmpty) await new Promise<void>((resolve) => this.#whenEmpty.push(resolve));
  }

  /** To be called whenever something of it has ended. */
  wake(): void {
    for (const wake of this.#whenEmpty.splice(0)) wake();
  }
}
