/** The names of queues: their rules, ARNs and URLs. */

/** A queue among all queues. */
export interface QueueId {
  readonly account: string;
  readonly region: string;
  readonly name: string;
}

const NAME = /^[A-Za-z0-9_-]{1,80}$/;
const FIFO_NAME = /^[A-Za-z0-9_-]{1,75}\.fifo$/;
const ARN = /^arn:aws:sqs:([a-z0-9-]+):(\d{12}):([A-Za-z0-9_.-]{1,80})$/;
const URL_END = /\/(\d{12})\/([A-Za-z0-9_.-]{1,80})\/?$/;

export function isFifoName(name: string): boolean {
  return name.endsWith(".fifo");
}

export function isQueueName(name: string): boolean {
  return NAME.test(name);
}

export function isFifoQueueName(name: string): boolean {
  return FIFO_NAME.test(name);
}

export function queueArn({ account, region, name }: QueueId): string {
  return `arn:aws:sqs:${region}:${account}:${name}`;
}

/** Undefined for what is no queue's ARN. */
export function readQueueArn(arn: string): QueueId | undefined {
  const [, region, account, name] = ARN.exec(arn) ?? [];
  return region !== undefined && account !== undefined && name !== undefined
    ? { account, region, name }
    : undefined;
}

/** @param endpoint As the caller reaches the server: `http://localhost:4566`. */
export function queueUrl(endpoint: string, { account, name }: QueueId): string {
  return `${endpoint}/${account}/${name}`;
}

/** The queue of a URL, whatever its host, in the region of the request; undefined for what names none. */
export function readQueueUrl(url: string, region: string): QueueId | undefined {
  const [, account, name] = URL_END.exec(url) ?? [];
  return account !== undefined && name !== undefined ? { account, region, name } : undefined;
}
