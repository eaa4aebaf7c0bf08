/** Finds topics with their subscriptions, and remembers them: every message needs both, and they change rarely. */
import type { Database, Reader, Transaction } from "../../../store/database.ts";
import { invalidArn, noSuchTopic } from "../errors.ts";
import { readTopicArn } from "../names.ts";
import type { TopicId } from "../names.ts";
import { confirmedSubscriptions } from "../store/subscriptions.ts";
import { getTopic } from "../store/topics.ts";
import { subscriptionOf } from "../subscriptions/subscription.ts";
import { topicOf } from "./topic.ts";
import type { SubscribedTopic } from "./topic.ts";

/** Topics remembered; then all are forgotten. */
const KNOWN_MAX = 10_000;
/** How long, in milliseconds of the machine, another server's change may go unseen. */
const STALE_MS = 1_000;

interface Known {
  readonly topic: SubscribedTopic;
  readonly until: number;
}

export class TopicRegistry {
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

  async find(id: TopicId): Promise<SubscribedTopic | undefined> {
    const known = this.#remembered(id);
    if (known) return known;
    const seen = this.#changes;
    const topic = await read(this.#database, id);
    if (topic && seen === this.#changes) this.#remember(topic);
    return topic;
  }

  findByArn(arn: string): Promise<SubscribedTopic | undefined> {
    const id = readTopicArn(arn);
    return id ? this.find(id) : Promise.resolve(undefined);
  }

  /** The same inside a transaction, which must wait for nothing else. */
  async findIn(tx: Transaction, arn: string): Promise<SubscribedTopic | undefined> {
    const id = readTopicArn(arn);
    return id && (this.#remembered(id) ?? (await read(tx, id)));
  }

  /** The topic of a request. @throws AwsError InvalidParameter, NotFound */
  async at(arn: string | undefined, region: string): Promise<SubscribedTopic> {
    const id = readTopicArn(arn ?? "");
    if (!id || id.region !== region) throw invalidArn("TopicArn", arn);
    const topic = await this.find(id);
    if (!topic) throw noSuchTopic();
    return topic;
  }

  /** To be called in every transaction that changes a topic or one of its subscriptions. */
  forgetAfter(tx: Transaction, arn: string): void {
    tx.onCommit(() => {
      this.#changes += 1;
      this.#known.delete(arn);
    });
  }

  #remembered(id: TopicId): SubscribedTopic | undefined {
    const known = this.#known.get(`arn:aws:sns:${id.region}:${id.account}:${id.name}`);
    return known && known.until > performance.now() ? known.topic : undefined;
  }

  #remember(topic: SubscribedTopic): void {
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(topic.arn, { topic, until: performance.now() + this.#keptMs });
  }
}

async function read(reader: Reader, id: TopicId): Promise<SubscribedTopic | undefined> {
  const row = await getTopic(reader, id);
  if (!row) return undefined;
  const rows = await confirmedSubscriptions(reader, row.topic_id);
  return { ...topicOf(row), subscriptions: rows.map(subscriptionOf) };
}
