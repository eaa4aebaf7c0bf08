/** Publishes: a message is durable, and with its subscribers or on its way to them, in one transaction. */
import type { Clock } from "../../../kit/clock.ts";
import type { Ids } from "../../../kit/id.ts";
import type { Database, Transaction } from "../../../store/database.ts";
import type { Metrics } from "../../../telemetry/metrics.ts";
import { DEDUPLICATION_MS } from "../limits.ts";
import type { Courier } from "../ports.ts";
import type { Signer } from "../signing/signer.ts";
import { findKnown, putKnown } from "../store/deduplication.ts";
import { takeSequence } from "../store/topics.ts";
import type { Verdict } from "../subscriptions/filter-policy.ts";
import { scopeOf } from "../subscriptions/subscription.ts";
import type { Subscription } from "../subscriptions/subscription.ts";
import type { SubscribedTopic } from "../topics/topic.ts";
import type { Message } from "./check.ts";
import { parcelFor } from "./deliveries.ts";
import type { Signature } from "./envelope.ts";

interface Deps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly database: Database;
  readonly metrics: Metrics;
  readonly courier: Courier;
  readonly signer: Signer;
}

export interface Published {
  readonly messageId: string;
  /** Of FIFO topics. */
  readonly sequenceNumber: string | undefined;
}

/** A message with all that does not depend on the transaction. */
interface Prepared {
  readonly message: Message;
  readonly messageId: string;
  readonly timestamp: string;
  readonly receivers: readonly Subscription[];
  /** By text, since subscribers of different protocols may get different ones. */
  readonly signatures: ReadonlyMap<string, Signature>;
  readonly verdicts: readonly { readonly verdict: Verdict; readonly scope: string }[];
}

type Sign = (version: "1" | "2", members: Readonly<Record<string, string | undefined>>) => Promise<Signature>;

const FILTERED_OUT = "NumberOfNotificationsFilteredOut";
const REASONS: Readonly<Record<Exclude<Verdict, "fits" | "out">, string>> = {
  "invalid-attributes": "InvalidAttributes",
  "no-attributes": "NoMessageAttributes",
  "invalid-body": "InvalidMessageBody",
};

export class Publisher {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Resolves once they are durable; with undefined for those whose topic is gone. */
  async publish(
    topic: SubscribedTopic,
    messages: readonly Message[],
    traceHeader: string | undefined,
  ): Promise<(Published | undefined)[]> {
    const { signer, database } = this.#deps;
    const sign: Sign = (version, members) => signer.sign(version, members);
    const prepared = await Promise.all(messages.map((message) => this.#prepare(topic, message, sign)));
    return database.tx(async (tx) => {
      const published: (Published | undefined)[] = [];
      for (const one of prepared) published.push(await this.#deliver(tx, topic, one, traceHeader));
      return published;
    });
  }

  /** The same in the caller's transaction. */
  async publishIn(
    tx: Transaction,
    topic: SubscribedTopic,
    message: Message,
    traceHeader: string | undefined,
  ): Promise<Published | undefined> {
    const sign: Sign = (version, members) => this.#deps.signer.signIn(tx, version, members);
    return this.#deliver(tx, topic, await this.#prepare(topic, message, sign), traceHeader);
  }

  async #prepare(topic: SubscribedTopic, message: Message, sign: Sign): Promise<Prepared> {
    const { ids, clock } = this.#deps;
    const messageId = ids.uuid();
    const timestamp = new Date(clock.now()).toISOString();
    const receivers: Subscription[] = [];
    const verdicts: { verdict: Verdict; scope: string }[] = [];
    for (const subscription of topic.subscriptions) {
      const text = textFor(message, subscription);
      const verdict = subscription.filter?.({ text, attributes: message.attributes }) ?? "fits";
      if (verdict === "fits") receivers.push(subscription);
      else verdicts.push({ verdict, scope: scopeOf(subscription.attributes) });
    }
    const signatures = new Map<string, Signature>();
    // FIFO topics do not sign; nor is there anything to sign in what is delivered raw.
    const signed = topic.isFifo ? [] : receivers.filter(({ isRaw }) => !isRaw);
    for (const text of new Set(signed.map((subscription) => textFor(message, subscription)))) {
      const members = { Message: text, MessageId: messageId, Subject: message.subject, Timestamp: timestamp };
      const more = { TopicArn: topic.arn, Type: "Notification" };
      signatures.set(text, await sign(topic.signatureVersion, { ...members, ...more }));
    }
    return { message, messageId, timestamp, receivers, signatures, verdicts };
  }

  async #deliver(
    tx: Transaction,
    topic: SubscribedTopic,
    { message, messageId, timestamp, receivers, signatures, verdicts }: Prepared,
    traceHeader: string | undefined,
  ): Promise<Published | undefined> {
    const placed = topic.isFifo
      ? await this.#number(tx, topic, message, messageId)
      : { sequenceNumber: undefined };
    if (!placed) return undefined;
    if ("duplicate" in placed) return placed.duplicate;
    const { sequenceNumber } = placed;
    const { subject, attributes, groupId, deduplicationId } = message;
    const common = { messageId, topicArn: topic.arn, subject, timestamp, attributes, sequenceNumber };
    for (const subscription of receivers) {
      const text = textFor(message, subscription);
      const notification = { ...common, text, signature: signatures.get(text) };
      const outgoing = { topic, notification, groupId, deduplicationId, traceHeader };
      await this.#deps.courier.hand(tx, parcelFor(outgoing, subscription));
    }
    tx.afterCommit(() => this.#count(topic, message.bytes, verdicts));
    return { messageId, sequenceNumber };
  }

  /** The place of a message in a FIFO topic; or the earlier one of which it is a duplicate. */
  async #number(
    tx: Transaction,
    topic: SubscribedTopic,
    { groupId = "", deduplicationId = "" }: Message,
    messageId: string,
  ) {
    const now = this.#deps.clock.now();
    // First of all, since it lets one transaction at a time look for duplicates.
    const sequence = await takeSequence(tx, topic.id, 1);
    if (sequence === undefined) return undefined;
    const scope = topic.deduplicatesByGroup ? groupId : "";
    const key = { topicId: topic.id, scope, id: deduplicationId };
    const known = await findKnown(tx, key, now);
    if (known) {
      const duplicate = { messageId: known.messageId, sequenceNumber: sequenceText(known.sequence) };
      return { duplicate };
    }
    await putKnown(tx, key, { messageId, sequence }, now + DEDUPLICATION_MS);
    return { sequenceNumber: sequenceText(sequence) };
  }

  #count({ name, account, region }: SubscribedTopic, bytes: number, verdicts: Prepared["verdicts"]): void {
    const { metrics } = this.#deps;
    const place = { namespace: "AWS/SNS", account, region, dimensions: { TopicName: name } };
    const minute = metrics.minute();
    const add = (metric: string) =>
      metrics.series({ ...place, name: metric, unit: "Count", kind: "sum" }).add(1, minute);
    metrics.series({ ...place, name: "PublishSize", unit: "Bytes", kind: "distribution" }).add(bytes, minute);
    add("NumberOfMessagesPublished");
    for (const { verdict, scope } of verdicts) {
      add(FILTERED_OUT);
      add(`${FILTERED_OUT}-${scope}`);
      if (verdict !== "out" && verdict !== "fits") add(`${FILTERED_OUT}-${REASONS[verdict]}`);
    }
  }
}

function textFor({ texts }: Message, { protocol }: Subscription): string {
  return texts[protocol] ?? texts.default;
}

/** Twenty digits that grow with every message of the topic. */
function sequenceText(sequence: number): string {
  return `1${String(sequence).padStart(19, "0")}`;
}
