/** Takes jobs of one topic off the durable queue and runs so many at once; gives claimed ones back when the server stops. */
import { backOffMs } from "../../kit/back-off.ts";
import { every, sleep } from "../../kit/clock.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Job, Queue } from "../queue.ts";
import type { Log } from "../../telemetry/log.ts";

/** After a crash a claimed job runs again when its lease has run out; one that is held is extended well before. */
const LEASE_MS = 10_000;
const EXTEND_MS = 3_000;
/** One group may take this share of what runs at once, so that a slow function does not stop the others. */
const GROUP_SHARE_MAX = 0.5;
/**
 * A group begins with so many at once, and with a quarter more each while that is not enough: a burst of events makes
 * new environments one after another, not all at once to the cost of everything else.
 */
const GROUP_START = 2;
const GROUP_RAISE_MS = 100;
/** A group that has rested so long begins anew. */
const GROUP_REST_MS = 60_000;
/** Jobs claimed ahead of their turn, as a multiple of what runs at once; new ones are claimed when half of them have begun. */
const AHEAD_SHARE_MAX = 1;
/** A job that has waited so long for its group has shown that the group is congested: more comes than it can run. */
const CONGESTED_MS = 1_000;
/** Jobs that wait for a congested group; further ones go back to the queue for a while, and let those behind them by. */
const CONGESTED_KEPT = 4;
/** Jobs held that wait for anything, as a multiple of what runs at once. */
const HELD_SHARE_MAX = 8;
/** Groups remembered; beyond it those at rest are forgotten. */
const GROUPS_MAX = 10_000;
/** Pause after a failure of the queue itself. */
const QUEUE_ERROR_PAUSE_MS = 1_000;

interface Deps {
  readonly queue: Queue;
  readonly clock: Clock;
  readonly log: Log;
}

interface Options {
  readonly topic: string;
  /** Jobs that run at once; with 0 none is taken. */
  readonly concurrency: number;
  /** Whether one more may begin now; asked once for each. `goOn` is called when that changes. */
  mayBegin?(): boolean;
  /** Runs one job, and acknowledges it or gives it back; after a failure it comes again when its lease has run out. */
  handle(job: Job): Promise<void>;
}

interface Waiting {
  readonly job: Job;
  readonly group: Group;
  readonly since: number;
}

interface Group {
  running: number;
  waiting: number;
  isCongested: boolean;
  /** Jobs that may run at once. */
  limit: number;
  raisedAt: number;
  endedAt: number;
}

export class Consumer {
  readonly #deps: Deps;
  readonly #options: Options;
  readonly #abort = new AbortController();
  readonly #running = new Map<Job, Promise<void>>();
  /** Those that run something, or have lately. */
  readonly #groups = new Map<string, Group>();
  /** Claimed, and waiting until they, or their group, have room. */
  #waiting: Waiting[] = [];
  #loop: Promise<void> | undefined;
  #isLooking = false;
  /** Wakes the loop when a running job has ended. */
  #freed: () => void = () => {};

  constructor(deps: Deps, options: Options) {
    this.#deps = deps;
    this.#options = options;
  }

  get isStopped(): boolean {
    return this.#abort.signal.aborted;
  }

  start(): void {
    if (this.#options.concurrency > 0) this.#loop ??= this.#run();
  }

  /** Claims nothing more, gives back what waits, and waits for what runs; what then still runs, the next server runs again. */
  async stop(graceMs: number): Promise<void> {
    const { queue, clock } = this.#deps;
    this.#abort.abort();
    this.#freed();
    await this.#loop;
    for (const { job } of this.#waiting.splice(0))
      await queue.retryAt(job, clock.now(), "The server stopped");
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((resolve) => (timer = setTimeout(resolve, graceMs)));
    await Promise.race([Promise.all(this.#running.values()), grace]);
    clearTimeout(timer);
  }

  /** Begins what waits, as far as there is room. */
  goOn(): void {
    if (this.isStopped) return;
    this.#beginWaiting();
    this.#freed();
  }

  async #run(): Promise<void> {
    const { queue, clock, log } = this.#deps;
    const { topic, concurrency } = this.#options;
    const stopExtending = every(clock, EXTEND_MS, () => this.#extendHeld());
    while (!this.isStopped) {
      try {
        this.#beginWaiting();
        const room = this.#room();
        // In batches: one claim for each job that has ended would cost more than the job.
        if (room < (concurrency * AHEAD_SHARE_MAX) / 2) {
          await new Promise<void>((resolve) => (this.#freed = resolve));
          continue;
        }
        const jobs = await queue.claim(topic, room, LEASE_MS);
        await this.#hold(jobs);
        if (jobs.length === 0) await this.#untilSomethingHappens();
      } catch (error) {
        if (this.isStopped) break;
        log.error("A queue could not be read", { topic, error });
        await sleep(clock, QUEUE_ERROR_PAUSE_MS, this.#abort.signal);
      }
    }
    stopExtending();
  }

  /** Until a job is due; or, where some wait for their group, until one that runs has ended. */
  async #untilSomethingHappens(): Promise<void> {
    const freed = new AbortController();
    if (this.#waiting.length > 0) this.#freed = () => freed.abort();
    const signal = AbortSignal.any([this.#abort.signal, freed.signal]);
    await this.#deps.queue.wait(this.#options.topic, signal);
    this.#freed = () => {};
  }

  /** How many more may be claimed. */
  #room(): number {
    const { concurrency } = this.#options;
    if (this.#waiting.length >= concurrency * HELD_SHARE_MAX) return 0;
    // Those of a congested group stand in nobody's way.
    const ahead = this.#waiting.filter(({ group }) => !group.isCongested).length;
    return concurrency - this.#running.size + concurrency * AHEAD_SHARE_MAX - ahead;
  }

  async #hold(jobs: readonly Job[]): Promise<void> {
    const now = this.#deps.clock.now();
    for (const job of jobs) {
      const group = this.#groupOf(job, now);
      group.waiting++;
      this.#waiting.push({ job, group, since: now });
    }
    await this.#relieve();
  }

  /** Gives back what congested groups have too much of. It comes again later and later, as throttled events do. */
  async #relieve(): Promise<void> {
    const { queue, clock } = this.#deps;
    const now = clock.now();
    const back: Job[] = [];
    const kept = new Map<Group, number>();
    for (const { group, since } of this.#waiting)
      if (now - since >= CONGESTED_MS && group.running >= this.#groupMax) group.isCongested = true;
    this.#waiting = this.#waiting.filter(({ job, group }) => {
      const before = kept.get(group) ?? 0;
      kept.set(group, before + 1);
      if (!group.isCongested || before < CONGESTED_KEPT) return true;
      back.push(job);
      group.waiting--;
      return false;
    });
    await Promise.all(
      back.map((job) => queue.retryAt(job, now + backOffMs(job.attempts - 1), "Its function is congested")),
    );
  }

  /** Begins the waiting jobs that have room, and whose groups have, oldest first. */
  #beginWaiting(): void {
    const now = this.#deps.clock.now();
    for (let at = 0; at < this.#waiting.length && this.#running.size < this.#options.concurrency;) {
      const { job, group } = this.#waiting[at] as Waiting;
      if (group.running < this.#limitOf(group, now)) {
        if (this.#options.mayBegin?.() === false) return;
        this.#waiting.splice(at, 1);
        this.#begin(job, group);
      } else at++;
    }
    if (this.#waiting.length > 0) this.#lookAgainSoon();
  }

  #groupOf({ group: name }: Job, now: number): Group {
    const found = this.#groups.get(name);
    const isAtRest = (group: Group) =>
      group.running + group.waiting === 0 && now - group.endedAt >= GROUP_REST_MS;
    if (found && !isAtRest(found)) return found;
    if (this.#groups.size >= GROUPS_MAX)
      for (const [key, group] of this.#groups) if (isAtRest(group)) this.#groups.delete(key);
    const group = {
      running: 0,
      waiting: 0,
      isCongested: false,
      limit: GROUP_START,
      raisedAt: now,
      endedAt: now,
    };
    this.#groups.set(name, group);
    return group;
  }

  /** Raised, where the group has waited long enough for what it has. */
  #limitOf(group: Group, now: number): number {
    const max = this.#groupMax;
    if (group.running >= group.limit && now - group.raisedAt >= GROUP_RAISE_MS) {
      group.limit = Math.min(max, group.limit + Math.ceil(group.limit / 4));
      group.raisedAt = now;
    }
    return Math.min(max, group.limit);
  }

  get #groupMax(): number {
    return Math.max(1, Math.floor(this.#options.concurrency * GROUP_SHARE_MAX));
  }

  /** What waits may get room by the time alone: a raised limit, or a group that turns out to be congested. */
  #lookAgainSoon(): void {
    if (this.#isLooking || this.isStopped) return;
    this.#isLooking = true;
    this.#deps.clock.after(GROUP_RAISE_MS, () => {
      this.#isLooking = false;
      if (this.isStopped) return;
      const { log } = this.#deps;
      this.#relieve().catch((error: unknown) => log.warn("Queued jobs were not given back", { error }));
      this.goOn();
    });
  }

  #begin(job: Job, group: Group): void {
    const { log } = this.#deps;
    const { topic } = this.#options;
    group.running++;
    group.waiting--;
    if (group.waiting === 0) group.isCongested = false;
    const work = this.#options
      .handle(job)
      .catch((error: unknown) =>
        log.error("A queued job could not be handled", { topic, job: job.id, error }),
      )
      .then(() => this.#ended(job, group));
    this.#running.set(job, work);
  }

  #ended(job: Job, group: Group): void {
    group.running--;
    group.endedAt = this.#deps.clock.now();
    this.#running.delete(job);
    this.goOn();
  }

  #extendHeld(): void {
    const held = [...this.#running.keys(), ...this.#waiting.map(({ job }) => job)];
    if (held.length === 0) return;
    this.#deps.queue
      .extendAll(held, LEASE_MS)
      .catch((error: unknown) =>
        this.#deps.log.warn("The leases of queued jobs were not extended", { error }),
      );
  }
}
