/** Which servers share the work: each says now and then that it lives, and hears of the others. */
import { every } from "../kit/clock.ts";
import type { Clock } from "../kit/clock.ts";
import type { Database } from "../store/database.ts";
import type { Log } from "../telemetry/log.ts";
import { forgetServer, tellServer } from "./store-servers.ts";

/** A server that is not heard of for so long has no share any more, as its leases of shards have ended too. */
const LIFE_MS = 10_000;
const BEAT_MS = 3_000;
/** Beats collide with nothing, and one that a crash takes back is followed by another. */
const BEAT = { isolation: "read committed", resolves: "committed" } as const;

interface Deps {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
}

export class Servers {
  readonly #deps: Deps;
  readonly #own: string;
  #names: readonly string[];
  #end: (() => void) | undefined;
  #beating: Promise<void> = Promise.resolve();

  constructor(deps: Deps, own: string) {
    this.#deps = deps;
    this.#own = own;
    this.#names = [own];
  }

  /** Those that were heard of last, in order, this one among them. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** Resolves once the others can know of this one, and this one of them. */
  start(): Promise<void> {
    this.#end = every(this.#deps.clock, BEAT_MS, () => this.#beat());
    this.#beat();
    return this.#beating;
  }

  /** The others need not wait until this one is taken for dead. */
  async stop(): Promise<void> {
    this.#end?.();
    await this.#beating;
    const { database, log } = this.#deps;
    await database
      .tx((tx) => forgetServer(tx, this.#own))
      .catch((error: unknown) => log.warn("Other servers were not told that this one stops", { error }));
  }

  #beat(): void {
    const { database, clock, log } = this.#deps;
    const now = clock.now();
    this.#beating = database
      .tx((tx) => tellServer(tx, this.#own, now, now + LIFE_MS), BEAT)
      .then((names) => void (this.#names = names))
      .catch((error: unknown) => log.warn("The servers of this database could not be read", { error }));
  }
}
