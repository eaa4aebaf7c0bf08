/** The execution environments of one version: those that are idle, those that boot, and the invocations that wait for one. */
import { afterTurn } from "../kit/after-turn.ts";
import type { FunctionConcurrency } from "./concurrency.ts";
import type { Environment } from "./environment.ts";
import { EnvironmentEnded, InvokerStopped } from "./errors.ts";
import type { Fleet, Owner } from "./fleet.ts";
import type { VersionMetrics } from "./metrics.ts";
import type { InitializationType } from "./platform-events.ts";
import type { Provisioned } from "./provisioned.ts";
import { LOOK_MS, Turns } from "./turns.ts";
import type { FunctionVersion, Invocation, Outcome } from "./types.ts";

/** What runs an invocation: an environment, or what stands in where none can boot. */
export interface Runner {
  invoke(invocation: Invocation): Promise<Outcome>;
}

/** An invocation that waits for whichever environment of its version is free first. */
interface Waiter {
  /** It may be handed over behind another. */
  readonly mayGoAhead: boolean;
  readonly resolve: (runner: Runner) => void;
  readonly reject: (error: unknown) => void;
}

export class VersionPool implements Owner {
  readonly initializationType: InitializationType;
  readonly version: FunctionVersion;
  readonly concurrency: FunctionConcurrency;
  readonly metrics: VersionMetrics;
  /** The newest is last. */
  readonly idle: Environment[] = [];
  /** All that exist, provisioned ones too. */
  readonly environments = new Set<Environment>();
  boots = 0;
  provisioned: Provisioned | undefined;
  readonly #fleet: Fleet;
  readonly #turns = new Turns<Environment>();
  /** Looks at what runs while invocations wait for their turn. */
  #look: NodeJS.Timeout | undefined;
  /** Invocations are handed over ahead at the end of this turn of the loop. */
  #fills = false;
  #isRetired = false;
  /** The oldest is first. */
  readonly #waiters: Waiter[] = [];
  readonly #whenEmpty: (() => void)[] = [];

  constructor(
    fleet: Fleet,
    version: FunctionVersion,
    concurrency: FunctionConcurrency,
    metrics: VersionMetrics,
  ) {
    this.#fleet = fleet;
    this.initializationType = version.snapStart ? "snap-start" : "on-demand";
    this.version = version;
    this.concurrency = concurrency;
    this.metrics = metrics;
  }

  get pool(): this {
    return this;
  }

  get isEmpty(): boolean {
    return (
      this.environments.size === 0 &&
      this.boots === 0 &&
      this.#waiters.length === 0 &&
      this.provisioned === undefined
    );
  }

  /** The newest idle environment, where an invocation need not wait for its turn. */
  takeIdle(now: number): Environment | undefined {
    return this.#turns.isFull ? undefined : this.#takeIdle(now);
  }

  /**
   * Waits for whatever is free first, and begins a boot where too few are under way for that. @throws ThrottledError.
   * @param mayGoAhead It may be handed to an environment that is at work.
   */
  wait(mayGoAhead: boolean): Promise<Runner> {
    if (this.#turns.isFull) {
      this.#watch();
      this.#fillSoon();
    } else if (!this.#hasSpareBoot) this.#beginBoot();
    return new Promise((resolve, reject) => this.#waiters.push({ mayGoAhead, resolve, reject }));
  }

  /** Whoever has waited longest has it: a new one even if it will not do for a second invocation. */
  rested(environment: Environment, isNew: boolean): void {
    this.#turns.ended(environment, environment.idleDuringMs, environment.idleSince);
    if (environment.hasNext) return this.#goesOn(environment);
    const isFit = this.#fleet.isFit(environment);
    const takesTurns =
      isFit &&
      this.#turns.isLimited &&
      this.#waiters.length > 0 &&
      !this.#isRetired &&
      !this.#fleet.isStopping;
    // Others may be idle still from when this one's calls took turns.
    if (takesTurns || (this.#waiters.length > 0 && this.idle.length > 0)) this.#fillSoon();
    if (!takesTurns && (isNew || isFit) && this.#offer(environment)) this.#dropSpareBoots();
    else if (!isFit || this.#isRetired || this.#fleet.isStopping) void environment.end();
    else {
      this.idle.push(environment);
      this.#fleet.keep(environment);
    }
  }

  /** Rejects the invocation that has waited longest, unless as many environments boot as invocations wait. */
  bootFailed(error: unknown, standIn?: Runner): void {
    if (this.#waiters.length <= this.boots) return;
    const isStopped = error === undefined || error instanceof EnvironmentEnded;
    if (standIn) this.#waiters.shift()?.resolve(standIn);
    else this.#waiters.shift()?.reject(isStopped ? new InvokerStopped() : error);
  }

  gone(environment: Environment): void {
    this.#turns.ended(environment, environment.idleDuringMs, performance.now());
    const at = this.idle.indexOf(environment);
    if (at !== -1) this.idle.splice(at, 1);
    // Its turn is somebody else's.
    if (this.#waiters.length > 0) this.#watch();
  }

  /** Ends the idle environments that a rule picks. */
  endIdle(isOver: (environment: Environment) => boolean): void {
    for (const environment of this.idle.filter(isOver)) {
      this.idle.splice(this.idle.indexOf(environment), 1);
      void environment.end();
    }
  }

  /** Lets what runs and waits finish, ends everything, and resolves when nothing is left. */
  async retire(): Promise<void> {
    this.#isRetired = true;
    this.provisioned?.close();
    this.provisioned = undefined;
    this.endIdle(() => true);
    this.#dropSpareBoots();
    while (!this.isEmpty) await new Promise<void>((resolve) => this.#whenEmpty.push(resolve));
  }

  /** The invocations that still wait have waited long enough. */
  rejectAll(): void {
    this.provisioned?.close();
    for (const waiter of this.#waiters.splice(0)) waiter.reject(new InvokerStopped());
  }

  /** To be called whenever something of it has ended. */
  wake(): void {
    for (const wake of this.#whenEmpty.splice(0)) wake();
  }

  /** More environments boot than invocations wait for. */
  get #hasSpareBoot(): boolean {
    return this.boots > this.#waiters.length;
  }

  /** The newest idle environment that another invocation may have; those that may have none any more are ended. */
  #takeIdle(now: number): Environment | undefined {
    for (let environment = this.idle.pop(); environment; environment = this.idle.pop()) {
      if (this.#fleet.isFit(environment)) {
        this.#turns.began(environment, now);
        return environment;
      }
      void environment.end();
    }
    return undefined;
  }

  /** @throws ThrottledError. */
  #beginBoot(): void {
    const refusal =
      this.#fleet.makeRoom(this.concurrency) ?? this.concurrency.admitEnvironment(performance.now());
    if (refusal) throw refusal;
    this.#fleet.begin(this);
  }

  #offer(environment: Environment): boolean {
    const waiter = this.#waiters.shift();
    if (!waiter) return false;
    this.#turns.began(environment, performance.now());
    waiter.resolve(environment);
    return true;
  }

  /** Gives what waits to idle environments, as far as turns allow. */
  #offerIdle(): void {
    while (this.#waiters.length > 0 && !this.#turns.isFull) {
      const environment = this.#takeIdle(performance.now());
      if (!environment) return;
      this.#offer(environment);
    }
  }

  #goesOn(environment: Environment): void {
    this.#turns.began(environment, environment.idleSince);
    if (this.#waiters.length > 0) this.#fillSoon();
  }

  /** Deals out what waits at the end of this turn of the loop, so that what goes to one environment goes together. */
  #fillSoon(): void {
    if (this.#fills) return;
    this.#fills = true;
    // By the tick after it, whatever ended in this turn is finished.
    void afterTurn().then(() =>
      process.nextTick(() => {
        this.#fills = false;
        this.#fill();
      }),
    );
  }

  /** Gives the waiting invocations to idle environments, and then to those at work behind what they have. */
  #fill(): void {
    this.#offerIdle();
    if (!this.#turns.isFull || this.#waiters.length === 0) return;
    // What waited for a boot may wait for its turn from now on.
    this.#watch();
    // One that is never without work would never be replaced.
    const rooms = this.#turns.running
      .filter((environment) => this.#fleet.lasts(environment))
      .map((environment) => ({ environment, left: environment.roomAhead }));
    for (let isGiven = true; isGiven;) {
      isGiven = false;
      for (const room of rooms) {
        if (room.left === 0) continue;
        const at = this.#waiters.findIndex(({ mayGoAhead }) => mayGoAhead);
        if (at === -1) return;
        room.left--;
        isGiven = true;
        const { environment } = room;
        const [waiter] = this.#waiters.splice(at, 1);
        waiter?.resolve({ invoke: (invocation) => environment.invokeAhead(invocation) });
      }
    }
  }

  /** While invocations wait for their turn: takes care that they do not wait for what is slow. */
  #watch(): void {
    // Not before what has come in the meantime is read: an answer may be among it.
    if (!this.#look) this.#look = setTimeout(() => setImmediate(() => this.#lookAtTurns()), LOOK_MS);
  }

  #lookAtTurns(): void {
    this.#look = undefined;
    for (const environment of this.#turns.look(performance.now())) environment.recall();
    this.#offerIdle();
    while (this.boots < this.#waiters.length && !this.#turns.isFull) this.#bootForWaiter();
    const isWaitedFor = this.#waiters.length > 0 && this.#turns.isFull;
    if (isWaitedFor || this.#turns.running.some(({ hasNext }) => hasNext)) this.#watch();
  }

  /** Whoever has come last is refused where nothing more may be booted. */
  #bootForWaiter(): void {
    try {
      this.#beginBoot();
    } catch (error) {
      this.#waiters.pop()?.reject(error);
    }
  }

  /** Boots that have not begun and that nobody waits for any more. */
  #dropSpareBoots(): void {
    while (this.#hasSpareBoot && this.#fleet.drop(this)) this.concurrency.withdrawEnvironment();
  }
}
