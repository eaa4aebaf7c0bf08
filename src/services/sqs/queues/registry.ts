/** Finds queues by name, and remembers them: nearly every request names one, and they change rarely. */
import type { Database } from "../../../store/database.ts";
import type { Transaction } from "../../../store/database.ts";
import { noSuchQueue } from "../errors.ts";
import { readQueueArn, readQueueUrl } from "../names.ts";
import type { QueueId } from "../names.ts";
import { getQueue } from "../store/queues.ts";
import { queueOf } from "./settings.ts";
import type { Queue } from "./settings.ts";

/** Queues remembered; then all are forgotten. */
const KNOWN_MAX = 10_000;
/**
 * How long, in milliseconds of the machine, another server's change of a queue may go unseen. AWS says that changes of attributes take up to
 * a minute, https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
 */
const STALE_MS = 1_000;

interface Known {
  readonly queue: Queue;
  readonly until: number;
}

export class QueueRegistry {
  readonly #database: Database;
  /** Where one server alone has the database, it knows of every change. */
  readonly #keptMs: number;
  readonly #known = new Map<string, Known>();
  /** Grows with every change, so that what was read before one is not remembered after it. */
  #changes = 0;

  constructor(database: Database) {
    this.#database = database;
    this.#keptMs = database.engine === "sqlite" ? Infinity : STALE_MS;
  }

  /** A queue that is remembered: found without waiting. */
  known(id: QueueId): Queue | undefined {
    const known = this.#known.get(keyOf(id));
    return known && known.until > performance.now() ? known.queue : undefined;
  }

  async find(id: QueueId): Promise<Queue | undefined> {
    const known = this.known(id);
    if (known) return known;
    const seen = this.#changes;
    const row = await getQueue(this.#database, id);
    if (!row) return undefined;
    const queue = queueOf(row);
    if (seen === this.#changes) this.#remember(queue);
    return queue;
  }

  findByArn(arn: string): Promise<Queue | undefined> {
    const id = readQueueArn(arn);
    return id ? this.find(id) : Promise.resolve(undefined);
  }

  /** The same inside a transaction, which must wait for nothing else. */
  async findIn(tx: Transaction, arn: string): Promise<Queue | undefined> {
    const id = readQueueArn(arn);
    if (!id) return undefined;
    const known = this.known(id);
    if (known) return known;
    const row = await getQueue(tx, id);
    return row && queueOf(row);
  }

  /** @throws AwsError QueueDoesNotExist */
  async require(id: QueueId): Promise<Queue> {
    const queue = await this.find(id);
    if (!queue) throw noSuchQueue();
    return queue;
  }

  /** The queue of a request. @throws AwsError QueueDoesNotExist */
  async at(url: string | undefined, region: string): Promise<Queue> {
    const id = readQueueUrl(url ?? "", region);
    if (!id) throw noSuchQueue();
    return this.require(id);
  }

  /** To be called in every transaction that changes a queue: it is forgotten before those are woken who look at it again. */
  forgetAfter(tx: Transaction, id: QueueId): void {
    tx.onCommit(() => {
      this.#changes += 1;
      this.#known.delete(keyOf(id));
    });
  }

  #remember(queue: Queue): void {
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(keyOf(queue), { queue, until: performance.now() + this.#keptMs });
  }
}

function keyOf({ account, region, name }: QueueId): string {
  return `${account}/${region}/${name}`;
}
