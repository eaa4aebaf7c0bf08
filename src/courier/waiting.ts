/** Parcels that wait: for a role to be asked, for an endpoint to answer, for a target to have room. They survive the server. */
import { decodeBlock, encodeBlock } from "../kit/block.ts";
import type { Clock } from "../kit/clock.ts";
import type { Ids } from "../kit/id.ts";
import type { Database, Transaction } from "../store/database.ts";
import { Consumer } from "../store/queue/consumer.ts";
import type { Job, Queue } from "../store/queue.ts";
import type { Log } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { count, time } from "./counters.ts";
import { bury } from "./dead-letters.ts";
import type { End } from "./dead-letters.ts";
import { asAttempt } from "./attempt.ts";
import type { Failure, Parcel } from "../aws/parcel.ts";
import { nextAttempt } from "./retry.ts";
import type { AssumedRoles } from "./ports.ts";
import type { Outcome, TargetKind } from "./target.ts";

const TOPIC = "courier";
/** Deliveries at once. */
const CONCURRENCY = 64;

export interface WaitingDeps {
  readonly database: Database;
  readonly queue: Queue;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly queues: TargetKind;
  readonly roles: AssumedRoles;
  /** Puts a parcel where it waits. */
  readonly later: (tx: Transaction, parcel: Parcel) => Promise<void>;
  /** The kind that an ARN or URL is of. */
  readonly kindOf: (arn: string) => TargetKind | undefined;
}

/** All of a parcel but its body, and how far it has come. */
interface Header extends Omit<Parcel, "body"> {
  /** Epoch milliseconds. */
  readonly since: number;
  /** Attempts that have been made. */
  readonly attempts: number;
}

export class Waiting {
  readonly #deps: WaitingDeps;
  readonly #consumer: Consumer;

  constructor(deps: WaitingDeps) {
    this.#deps = deps;
    this.#consumer = new Consumer(deps, {
      topic: TOPIC,
      concurrency: CONCURRENCY,
      handle: (job) => this.#attempt(job),
    });
  }

  start(): void {
    this.#consumer.start();
  }

  /** Delivers no more, and waits for what is under way; the next server goes on. */
  stop(graceMs: number): Promise<void> {
    return this.#consumer.stop(graceMs);
  }

  /** @param attempts Made so far. @param notBefore Epoch milliseconds. */
  async put(tx: Transaction, parcel: Parcel, attempts = 0, notBefore?: number): Promise<void> {
    const since = this.#deps.clock.now();
    const { body, ...header } = parcel;
    await this.#enqueue(tx, { ...header, since, attempts }, body, notBefore);
  }

  async #enqueue(tx: Transaction, header: Header, body: Uint8Array, notBefore?: number): Promise<void> {
    await this.#deps.queue.enqueue(tx, {
      topic: TOPIC,
      id: header.id,
      group: header.target.arn,
      payload: encodeBlock(header, body),
      ...(notBefore !== undefined && { notBefore }),
    });
  }

  async #attempt(job: Job): Promise<void> {
    const { clock, kindOf } = this.#deps;
    const block = decodeBlock(job.payload);
    const header = block.header as Header;
    const { since: _, attempts: __, ...rest } = header;
    const parcel: Parcel = { ...rest, body: block.payload };
    if (clock.now() - header.since > header.retry.ageMsMax) {
      const failure = { code: "timeout", message: "it is older than its retry policy allows" } as const;
      return this.#end(job, parcel, { failure, retries: Math.max(0, header.attempts - 1), condition: "age" });
    }
    const kind = kindOf(parcel.target.arn);
    const startedAt = clock.now();
    const fault = kind
      ? ((await this.#trustFault(parcel)) ?? (await kind.fault(parcel.target, parcel.sender)))
      : ({ code: "unsupported", message: "nothing is delivered there" } as const);
    if (fault || !kind)
      return this.#settle(job, header, parcel, { kind: "refused", failure: fault as never }, startedAt);
    if (kind.send) {
      const outcome = await kind.send(asAttempt(parcel, header.attempts));
      return this.#settle(job, header, parcel, outcome, startedAt);
    }
    await this.#putInto(kind, job, header, parcel, startedAt);
  }

  /** Why the sender cannot act as the role. */
  async #trustFault({ target, sender }: Parcel): Promise<Failure | undefined> {
    const { roleArn, trustSourceArn = sender.sourceArn } = target;
    if (roleArn === undefined) return undefined;
    if (await this.#deps.roles.canBeAssumedBy(roleArn, sender.service, trustSourceArn)) return undefined;
    return { code: "untrusted", message: `${sender.service} cannot assume the role ${roleArn}` };
  }

  /** The target's change and the end of the waiting are one transaction. */
  async #putInto(
    kind: TargetKind,
    job: Job,
    header: Header,
    parcel: Parcel,
    startedAt: number,
  ): Promise<void> {
    const { database, queue } = this.#deps;
    const outcome = await database.tx(async (tx): Promise<Outcome | undefined> => {
      if (!(await queue.acknowledge(job, tx))) return undefined;
      const put = (await kind.put?.(tx, asAttempt(parcel, header.attempts))) ?? { kind: "delivered" };
      await this.#follow(tx, header, parcel, put);
      return put;
    });
    if (outcome) this.#countAttempt(header, parcel, startedAt);
  }

  async #settle(
    job: Job,
    header: Header,
    parcel: Parcel,
    outcome: Outcome,
    startedAt: number,
  ): Promise<void> {
    const { database, queue } = this.#deps;
    if (outcome.kind !== "wait") this.#countAttempt(header, parcel, startedAt);
    await database.tx(async (tx) => {
      if (await queue.acknowledge(job, tx)) await this.#follow(tx, header, parcel, outcome);
    });
  }

  #countAttempt({ attempts }: Header, parcel: Parcel, startedAt: number): void {
    const { clock, metrics } = this.#deps;
    count(metrics, parcel, "attempt");
    if (attempts > 0) return;
    time(metrics, parcel, "started", startedAt);
    time(metrics, parcel, "completed", clock.now());
  }

  async #end(job: Job, parcel: Parcel, end: End): Promise<void> {
    const { database, queue } = this.#deps;
    await database.tx(async (tx) => {
      if (await queue.acknowledge(job, tx)) await bury(this.#deps, tx, parcel, end);
    });
  }

  /** What follows from an attempt. */
  async #follow(tx: Transaction, header: Header, parcel: Parcel, outcome: Outcome): Promise<void> {
    const { clock, ids, metrics } = this.#deps;
    if (outcome.kind === "delivered")
      return tx.afterCommit(() => {
        count(metrics, parcel, "delivered");
        time(metrics, parcel, "delivered", clock.now());
      });
    if (outcome.kind === "wait") return this.#enqueue(tx, header, parcel.body, outcome.notBefore);
    const { failure } = outcome;
    tx.afterCommit(() => {
      count(metrics, parcel, "targetFailed");
      if (failure.code === "throttled") count(metrics, parcel, "targetThrottled");
    });
    const retries = header.attempts;
    if (outcome.kind === "refused")
      return bury(this.#deps, tx, parcel, { failure, retries, condition: "refused" });
    const next = nextAttempt(header.retry, {
      retries,
      since: header.since,
      now: clock.now(),
      random: ids.random(),
    });
    if (typeof next === "string") return bury(this.#deps, tx, parcel, { failure, retries, condition: next });
    const notBefore = Math.max(next, outcome.notBefore ?? 0);
    await this.#enqueue(tx, { ...header, attempts: header.attempts + 1 }, parcel.body, notBefore);
    tx.afterCommit(() => count(metrics, parcel, "retried"));
  }
}
