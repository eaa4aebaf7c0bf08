/**
 * Provisioned concurrency of one version: environments that are made ahead, kept ready, and replaced when they end.
 * https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
 */
import { TokenBucket } from "../kit/token-bucket.ts";
import { requestsPerConcurrency } from "./concurrency.ts";
import { EnvironmentEnded } from "./errors.ts";
import type { Environment } from "./environment.ts";
import type { Fleet, Owner } from "./fleet.ts";
import { provisionRetryMs, provisionRetryMsMax, provisionTriesMax } from "./limits.ts";
import type { VersionPool } from "./pool.ts";
import type { ProvisionedStatus } from "./types.ts";

export class Provisioned implements Owner {
  readonly initializationType = "provisioned-concurrency";
  readonly pool: VersionPool;
  boots = 0;
  readonly #fleet: Fleet;
  readonly #requests = new TokenBucket(0, 0);
  #wanted = 0;
  /** Initialized, and not ended since. */
  readonly #allocated = new Set<Environment>();
  /** Not to be used before all that are wanted are there. */
  readonly #held = new Set<Environment>();
  /** The newest is last. */
  readonly #idle: Environment[] = [];
  /** Boots that failed, one after the other. */
  #failures = 0;
  #failure: string | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(fleet: Fleet, pool: VersionPool) {
    this.#fleet = fleet;
    this.pool = pool;
  }

  /** Running on its environments. */
  running = 0;

  get available(): number {
    return this.#allocated.size - this.#held.size;
  }

  status(): ProvisionedStatus {
    const allocated = this.#allocated.size;
    const failure = this.#failure === undefined ? {} : { reason: this.#failure };
    const whole = allocated >= this.#wanted ? "READY" : "IN_PROGRESS";
    return {
      requested: this.#wanted,
      allocated: Math.min(allocated, this.#wanted),
      available: Math.min(this.available, this.#wanted),
      status: this.#failure === undefined ? whole : "FAILED",
      ...failure,
    };
  }

  /** Sets how many are kept ready. What failed before is tried anew. */
  want(wanted: number): void {
    this.#wanted = wanted;
    this.#failures = 0;
    const { environmentsMax } = this.#fleet;
    this.#failure =
      wanted > environmentsMax
        ? `This server has places for ${environmentsMax} execution environments; --environments-max raises that.`
        : undefined;
    this.#fill();
    this.#release();
    this.#endSurplus();
  }

  /** The newest idle one, within ten requests a second for each. */
  take(isSynchronous: boolean, now: number): Environment | undefined {
    const perSecond = this.#wanted * requestsPerConcurrency;
    const environment = this.#idle.findLast((each) => each.isIdle && each.hasCredentials);
    if (!environment || (isSynchronous && !this.#requests.take(now, perSecond, perSecond))) return undefined;
    this.#idle.splice(this.#idle.indexOf(environment), 1);
    return environment;
  }

  /** Makes new ones in the place of those that will not do for long; these are ended when the new ones are there. */
  renew(): void {
    this.#fill();
    this.#endSurplus();
  }

  /** Ends them all, the busy ones when their invocation is over. */
  close(): void {
    this.#wanted = 0;
    clearTimeout(this.#retry);
    while (this.#fleet.drop(this)) continue;
    this.#endSurplus();
  }

  rested(environment: Environment, isNew: boolean): void {
    if (isNew && environment.initFailed) {
      this.#fail("FUNCTION_ERROR_INIT_FAILURE");
      void environment.end();
      return;
    }
    if (isNew) {
      this.#failures = 0;
      this.#allocated.add(environment);
      this.#held.add(environment);
    }
    if (this.#wanted === 0 || this.#fleet.isStopping) {
      void environment.end();
      return;
    }
    this.#fleet.keep(environment);
    if (this.#held.has(environment)) this.#release();
    else this.#idle.push(environment);
    this.#endSurplus();
  }

  bootFailed(error: unknown): void {
    if (this.#wanted === 0 || error === undefined || error instanceof EnvironmentEnded) return;
    this.#fail(error instanceof Error ? error.message : "The execution environment could not be made.");
  }

  gone(environment: Environment): void {
    this.#forget(environment);
    this.#fill();
  }

  /** All that are wanted are there: invocations may use them. */
  #release(): void {
    if (this.#allocated.size < this.#wanted) return;
    this.#idle.push(...this.#held);
    this.#held.clear();
  }

  #fill(): void {
    if (this.#failure !== undefined || this.#retry || this.#fleet.isStopping) return;
    for (let there = this.boots + this.#lasting; there < this.#wanted; there++) {
      if (!this.#fleet.hasRoom()) return this.#tryAgain(provisionRetryMs);
      this.#fleet.begin(this);
    }
  }

  /** Those that will do for long yet. */
  get #lasting(): number {
    let lasting = 0;
    for (const environment of this.#allocated) if (this.#lasts(environment)) lasting++;
    return lasting;
  }

  #lasts(environment: Environment): boolean {
    const { state } = environment;
    return state === "busy" || state === "resetting"
      ? environment.ageMs < this.#fleet.lifetimeMs
      : this.#fleet.isFit(environment);
  }

  /** First those that will not do for long, then the oldest; what is busy goes when its invocation is over. */
  #endSurplus(): void {
    if (this.#allocated.size <= this.#wanted) return;
    const resting = [...this.#idle, ...this.#held];
    for (const environment of resting)
      if (this.#allocated.size > this.#wanted && !this.#lasts(environment)) this.#end(environment);
    for (const environment of resting)
      if (this.#lasting > this.#wanted && this.#allocated.has(environment)) this.#end(environment);
  }

  #end(environment: Environment): void {
    this.#forget(environment);
    void environment.end();
  }

  #forget(environment: Environment): void {
    this.#allocated.delete(environment);
    this.#held.delete(environment);
    const at = this.#idle.indexOf(environment);
    if (at !== -1) this.#idle.splice(at, 1);
  }

  /** Until it has succeeded once more it is tried again, later and later; after some tries it has failed. */
  #fail(reason: string): void {
    this.#failures++;
    if (this.#failures < provisionTriesMax || this.available > 0) {
      this.#tryAgain(Math.min(provisionRetryMs * 2 ** (this.#failures - 1), provisionRetryMsMax));
      return;
    }
    this.#failure = reason;
    for (const environment of this.#held) void environment.end();
  }

  #tryAgain(ms: number): void {
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      this.#fill();
    }, ms).unref();
  }
}
