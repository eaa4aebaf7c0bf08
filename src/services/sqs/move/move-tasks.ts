/** Runs the tasks that move messages; each by one server at a time, which takes up those of servers that are gone. */
import { setImmediate } from "node:timers/promises";
import { every, sleep } from "../../../kit/clock.ts";
import type { Lease, Leases } from "../../../store/lease.ts";
import type { Log } from "../../../telemetry/log.ts";
import { runningMoveTasks } from "../store/move-tasks.ts";
import type { MoveTaskRow } from "../store/move-tasks.ts";
import { moveSome } from "./step.ts";
import type { MoveDeps } from "./step.ts";

/** Messages of one step. */
const STEP = 100;
/** Steps in a second, of a task with a rate. */
const STEPS_PER_SECOND = 10;
const LEASE_MS = 30_000;
/** How often a server looks for tasks that nobody runs, where there may be several servers. */
const LOOK_MS = 15_000;

interface Deps extends MoveDeps {
  readonly leases: Leases;
  readonly log: Log;
}

export class MoveTasks {
  readonly #deps: Deps;
  readonly #owner: string;
  readonly #ending = new AbortController();
  readonly #running = new Map<string, Promise<void>>();
  #cancel: (() => void) | undefined;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#owner = deps.ids.uuid();
  }

  /** Goes on with what an earlier process began. */
  async start(): Promise<void> {
    const { database, clock, log } = this.#deps;
    await this.#resume();
    if (database.engine === "postgres")
      this.#cancel = every(clock, LOOK_MS, () => {
        this.#resume().catch((error: unknown) =>
          log.warn("Tasks that move messages could not be looked for", { error }),
        );
      });
  }

  run(taskId: string, rate: number | null): void {
    if (this.#running.has(taskId) || this.#ending.signal.aborted) return;
    const running = this.#run(taskId, rate)
      .catch((error: unknown) => {
        if (!this.#ending.signal.aborted)
          this.#deps.log.error("A task that moves messages was interrupted", { taskId, error });
      })
      .finally(() => this.#running.delete(taskId));
    this.#running.set(taskId, running);
  }

  async stop(): Promise<void> {
    this.#cancel?.();
    this.#ending.abort();
    await Promise.all(this.#running.values());
  }

  async #resume(): Promise<void> {
    const tasks: MoveTaskRow[] = await runningMoveTasks(this.#deps.database);
    for (const { task_id, rate } of tasks) this.run(task_id, rate);
  }

  async #run(taskId: string, rate: number | null): Promise<void> {
    const { database, leases, clock } = this.#deps;
    let lease = await this.#lease(leases, taskId);
    if (!lease) return;
    const { signal } = this.#ending;
    let renewedAt = clock.now();
    try {
      const count = rate === null ? STEP : Math.max(1, Math.min(STEP, Math.ceil(rate / STEPS_PER_SECOND)));
      while (!signal.aborted) {
        const goesOn = await database.tx((tx) => moveSome(this.#deps, tx, taskId, count), {
          isolation: "read committed",
        });
        if (!goesOn) return;
        if (rate === null) await setImmediate();
        else await sleep(clock, (count * 1_000) / rate, signal);
        if (clock.now() - renewedAt < LEASE_MS / 3) continue;
        // After a long pause of the machine it may have run out; unless another server has taken the task, it goes on here.
        if (!(await lease.renew()) && !(lease = await this.#lease(leases, taskId))) return;
        renewedAt = clock.now();
      }
    } finally {
      await lease?.release();
    }
  }

  /** One server alone needs none; and the lease of its last life must not make it wait. */
  async #lease(leases: Leases, taskId: string): Promise<Lease | undefined> {
    const owner = this.#deps.database.engine === "sqlite" ? "server" : this.#owner;
    return leases.acquire(`sqs.move.${taskId}`, owner, LEASE_MS);
  }
}
