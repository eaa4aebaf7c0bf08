/** Frees what idle environments hold: frozen after a grace; ended by age, for another's sake, and when memory is short; oldest first. */
import type { Log } from "../telemetry/log.ts";
import type { Environment } from "./environment.ts";
import { freezeAfterMs, pressureShare, reclaimMs, sweepMs } from "./limits.ts";
import type { InvokeLimits } from "./limits.ts";
import { isShortOfMemory } from "./memory-pressure.ts";
import type { MemoryReading } from "./memory-pressure.ts";
import type { VersionPool } from "./pool.ts";

export interface ReclaimDeps {
  readonly limits: InvokeLimits;
  readonly log: Log;
  readonly memory: () => Promise<MemoryReading>;
}

export class Reclaim {
  readonly #deps: ReclaimDeps;
  readonly #pools: Iterable<VersionPool>;
  /** Environments that may have to be frozen. One that is called often stays in here and costs an invocation nothing. */
  readonly #resting = new Set<Environment>();
  readonly #giveUpFirst: () => boolean;
  #sweeper: NodeJS.Timeout | undefined;
  #reclaimer: NodeJS.Timeout | undefined;
  #isShort = false;

  /**
   * @param pools Those whose idle environments may be ended.
   * @param giveUpFirst Gives up, when memory is short, what no function has yet; false when there is nothing of that.
   */
  constructor(deps: ReclaimDeps, pools: Iterable<VersionPool>, giveUpFirst: () => boolean) {
    this.#giveUpFirst = giveUpFirst;
    this.#deps = deps;
    this.#pools = pools;
  }

  /** Begins to look after environments, once there are any. */
  start(): void {
    if (this.#sweeper) return;
    this.#sweeper = setInterval(() => this.#sweep(), sweepMs).unref();
    const everyMs = Math.min(reclaimMs, this.#deps.limits.idleMs);
    this.#reclaimer = setInterval(() => void this.#reclaim(), everyMs).unref();
  }

  #sweep(): void {
    this.#freeze();
    // What a child of a function takes is only seen while it lives.
    for (const pool of this.#pools)
      for (const environment of pool.environments)
        if (environment.state === "busy") environment.lookAtMemory();
  }

  stop(): void {
    clearInterval(this.#sweeper);
    clearInterval(this.#reclaimer);
  }

  /** An environment became idle. */
  rested(environment: Environment): void {
    this.#resting.add(environment);
  }

  /** Ends the environment that has been idle longest. False when none is idle. */
  endOldest(): boolean {
    let oldest: { pool: VersionPool; environment: Environment } | undefined;
    for (const pool of this.#pools) {
      const environment = pool.idle[0];
      if (environment && (!oldest || environment.idleSince < oldest.environment.idleSince))
        oldest = { pool, environment };
    }
    if (!oldest) return false;
    oldest.pool.idle.shift();
    void oldest.environment.end();
    return true;
  }

  #freeze(): void {
    const now = performance.now();
    for (const environment of this.#resting) {
      if (environment.state === "idle") {
        if (now - environment.idleSince < freezeAfterMs) continue;
        environment.freeze();
      }
      this.#resting.delete(environment);
    }
  }

  async #reclaim(): Promise<void> {
    const { idleMs, lifetimeMs } = this.#deps.limits;
    const now = performance.now();
    for (const pool of this.#pools) {
      pool.endIdle(
        (environment) =>
          now - environment.idleSince > idleMs ||
          environment.ageMs > lifetimeMs ||
          !environment.hasCredentials,
      );
      pool.provisioned?.renew();
    }
    const isShort = isShortOfMemory(await this.#deps.memory());
    if (isShort && !this.#isShort)
      this.#deps.log.warn("Memory is short: idle execution environments are ended, oldest first");
    this.#isShort = isShort;
    if (isShort) this.#giveUp();
  }

  /** A part at a time, since what is freed shows in the next readings only. */
  #giveUp(): void {
    if (this.#giveUpFirst()) return;
    let idle = 0;
    for (const pool of this.#pools) idle += pool.idle.length;
    for (let n = Math.ceil(idle * pressureShare); n > 0; n--) this.endOldest();
  }
}
