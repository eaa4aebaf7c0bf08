/** The names of topics and subscriptions: their rules and ARNs. */

/** A topic among all topics. */
export interface TopicId {
  readonly account: string;
  readonly region: string;
  readonly name: string;
}

export interface SubscriptionName {
  readonly topic: TopicId;
  readonly id: string;
}

const NAME = /^[A-Za-z0-9_-]{1,256}$/;
const FIFO_NAME = /^[A-Za-z0-9_-]{1,251}\.fifo$/;
const TOPIC_ARN = /^arn:aws:sns:([a-z0-9-]+):(\d{12}):([A-Za-z0-9_-]{1,256}(?:\.fifo)?)$/;
const SUBSCRIPTION_ARN =
  /^(arn:aws:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}(?:\.fifo)?):([0-9a-f]{8}-[0-9a-f-]{27})$/;

export function isFifoName(name: string): boolean {
  return name.endsWith(".fifo");
}

export function isTopicName(name: string): boolean {
  return NAME.test(name);
}

export function isFifoTopicName(name: string): boolean {
  return FIFO_NAME.test(name);
}

export function topicArn({ account, region, name }: TopicId): string {
  return `arn:aws:sns:${region}:${account}:${name}`;
}

/** Undefined for what is no topic's ARN. */
export function readTopicArn(arn: string): TopicId | undefined {
  const [, region, account, name] = TOPIC_ARN.exec(arn) ?? [];
  return region !== undefined && account !== undefined && name !== undefined
    ? { account, region, name }
    : undefined;
}

/** Undefined for what is no subscription's ARN. */
export function readSubscriptionArn(arn: string): SubscriptionName | undefined {
  const [, ofTopic = "", id] = SUBSCRIPTION_ARN.exec(arn) ?? [];
  const topic = readTopicArn(ofTopic);
  return topic && id !== undefined ? { topic, id } : undefined;
}
