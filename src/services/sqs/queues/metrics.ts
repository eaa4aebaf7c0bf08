/**
 * AWS/SQS: what is sent, received and deleted is counted where it happens; how much a queue holds is found out when metrics are read.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
 */
import type { Clock } from "../../../kit/clock.ts";
import type { Database } from "../../../store/database.ts";
import type { Log } from "../../../telemetry/log.ts";
import type { Metrics, Series, SeriesId } from "../../../telemetry/metrics.ts";
import type { Fairness } from "../fairness/fairness.ts";
import { groupsInFlight, oldestSentAt } from "../store/levels.ts";
import { allQueues } from "../store/queues.ts";
import type { MessageCounts } from "./counts.ts";
import type { QueueRegistry } from "./registry.ts";
import { queueOf } from "./settings.ts";
import type { Queue } from "./settings.ts";

const COUNTED = {
  NumberOfMessagesSent: ["Count", "sum"],
  NumberOfDeduplicatedSentMessages: ["Count", "sum"],
  SentMessageSize: ["Bytes", "distribution"],
  NumberOfMessagesReceived: ["Count", "sum"],
  NumberOfEmptyReceives: ["Count", "sum"],
  NumberOfMessagesDeleted: ["Count", "sum"],
  ApproximateNumberOfMessagesVisible: ["Count", "level"],
  ApproximateNumberOfMessagesNotVisible: ["Count", "level"],
  ApproximateNumberOfMessagesDelayed: ["Count", "level"],
  ApproximateAgeOfOldestMessage: ["Seconds", "level"],
  ApproximateNumberOfGroupsWithInflightMessages: ["Count", "level"],
  ApproximateNumberOfNoisyGroups: ["Count", "level"],
} as const satisfies Record<string, readonly [SeriesId["unit"], SeriesId["kind"]]>;

type Metric = keyof typeof COUNTED;

/** How long after it was last used a queue is told of, in milliseconds, as AWS does. */
const ACTIVE_MS = 6 * 3_600_000;
/** Queues that are told of; those that were used least recently are left out. */
const QUEUES_MAX = 1_000;

interface Held {
  queue: Queue;
  usedAt: number;
  readonly series: Map<Metric, Series>;
}

interface Deps {
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly database: Database;
  readonly log: Log;
  readonly queues: QueueRegistry;
  readonly counts: MessageCounts;
  readonly fairness: Fairness;
}

export class QueueMetrics {
  readonly #deps: Deps;
  /** By the queue's id, those used most recently last, as far as that was seen when one was left out. */
  readonly #held = new Map<number, Held>();
  #hasStarted = false;

  constructor(deps: Deps) {
    this.#deps = deps;
    deps.metrics.measuredBy(() => this.#measureAll());
  }

  /** @param messages Those that were no duplicates. */
  sent(queue: Queue, messages: readonly { readonly bytes: number }[], duplicates: number): void {
    const held = this.#of(queue);
    if (messages.length > 0) this.#add(held, "NumberOfMessagesSent", messages.length);
    for (const { bytes } of messages) this.#add(held, "SentMessageSize", bytes);
    if (duplicates > 0) this.#add(held, "NumberOfDeduplicatedSentMessages", duplicates);
  }

  /** What one receive got. */
  received(queue: Queue, messages: number): void {
    const held = this.#of(queue);
    if (messages === 0) this.#add(held, "NumberOfEmptyReceives", 1);
    else this.#add(held, "NumberOfMessagesReceived", messages);
  }

  deleted(queue: Queue, messages: number): void {
    if (messages > 0) this.#add(this.#of(queue), "NumberOfMessagesDeleted", messages);
  }

  forget(queueId: number): void {
    this.#held.delete(queueId);
  }

  #add({ queue, series }: Held, metric: Metric, value: number): void {
    const { metrics } = this.#deps;
    let own = series.get(metric);
    if (!own) {
      const [unit, kind] = COUNTED[metric];
      const { account, region, name: QueueName } = queue;
      const id = { namespace: "AWS/SQS", name: metric, unit, kind, account, region };
      own = metrics.series({ ...id, dimensions: { QueueName } });
      series.set(metric, own);
    }
    own.add(value, metrics.minute());
  }

  #of(queue: Queue): Held {
    const held = this.#held.get(queue.id);
    const usedAt = this.#deps.clock.now();
    if (held) {
      held.queue = queue;
      held.usedAt = usedAt;
      return held;
    }
    const made: Held = { queue, usedAt, series: new Map() };
    this.#held.set(queue.id, made);
    if (this.#held.size > QUEUES_MAX) this.#leaveOut();
    return made;
  }

  /** Room for as many again, so that it is seldom looked for. */
  #leaveOut(): void {
    const byUse = [...this.#held].toSorted(([, left], [, right]) => left.usedAt - right.usedAt);
    for (const [id] of byUse.slice(0, QUEUES_MAX / 2)) this.#held.delete(id);
  }

  /** Queues that an earlier process left are told of as if they had just been used: they may hold messages. */
  async #measureAll(): Promise<void> {
    const { database, clock, log } = this.#deps;
    try {
      if (!this.#hasStarted) {
        this.#hasStarted = true;
        for (const row of (await allQueues(database)).slice(0, QUEUES_MAX / 2)) this.#of(queueOf(row));
      }
      const since = clock.now() - ACTIVE_MS;
      for (const [id, held] of this.#held)
        if (held.usedAt > since) await this.#measure(held);
        else this.#held.delete(id);
    } catch (error) {
      log.warn("What queues hold could not be counted for their metrics", { error });
    }
  }

  async #measure(held: Held): Promise<void> {
    const { database, clock, counts, queues, fairness } = this.#deps;
    const queue = await queues.find(held.queue);
    if (queue?.id !== held.queue.id) return this.forget(held.queue.id);
    const { visible, inFlight, delayed } = await counts.of(queue);
    const now = clock.now();
    const oldest = await oldestSentAt(database, queue, now);
    this.#add(held, "ApproximateNumberOfMessagesVisible", visible);
    this.#add(held, "ApproximateNumberOfMessagesNotVisible", inFlight);
    this.#add(held, "ApproximateNumberOfMessagesDelayed", delayed);
    const ageMs = oldest === undefined ? 0 : Math.max(0, now - oldest);
    this.#add(held, "ApproximateAgeOfOldestMessage", Math.floor(ageMs / 1_000));
    if (queue.isFifo) {
      const groups = await groupsInFlight(database, queue.id, now);
      this.#add(held, "ApproximateNumberOfGroupsWithInflightMessages", groups);
    } else {
      const noisy = fairness.noisyGroups(queue.id);
      if (noisy !== undefined) this.#add(held, "ApproximateNumberOfNoisyGroups", noisy);
    }
  }
}
