/** A message of a broker on its way to the function, whichever broker it is. */

export interface MqMessage {
  /** What the function gets for it. */
  readonly json: string;
  /** Length of `json` in UTF-8. */
  readonly bytes: number;
  /** `json` as filters see it. */
  readonly record: Readonly<Record<string, unknown>>;
  /** What the producer wrote, as text; undefined for bytes that are no text. */
  readonly text: string | undefined;
  /** Times that the broker has handed it out before. */
  readonly deliveries: number;
  /** Handled: the broker may forget it. */
  accept(): void;
  /** Not handled: the broker hands it out again, as redelivered. */
  giveBack(): void;
  /** Given up: the broker dead-letters it where it has been told where to, else it is gone. */
  reject(): void;
}

/** Messages of one queue, as the broker sends them. */
export interface MqConnection {
  /** Resolves with the error that ended the connection; never without one. */
  readonly ended: Promise<Error>;
  /** Closes it; what was not accepted goes back to the queue. */
  close(): Promise<void>;
}

export interface MqQueue {
  readonly endpoint: URL;
  /** PEM of the authority to trust in place of those that are known everywhere. */
  readonly ca: string | undefined;
  readonly username: string;
  readonly password: string;
  readonly queue: string;
  /** RabbitMQ's; "/" unless the mapping says otherwise. */
  readonly virtualHost: string;
  /** Messages that the broker may send before any is settled. */
  readonly prefetch: number;
  /** Epoch milliseconds. */
  now(): number;
  receive(message: MqMessage): void;
}

/** Names AWS's kinds of brokers, and how many batches of one mapping are in flight at once there. */
export interface MqClient {
  readonly concurrency: number;
  /** So often a message is handed out again before it is given up. */
  readonly redeliveriesMax: number;
  /** How long to wait after so many failures one after another, in milliseconds. */
  pauseMs(failures: number): number;
  /** The invocation's payload around the messages. */
  readonly envelope: readonly [before: string, after: string];
  /** @throws errors of the library, of TLS or TCP. */
  connect(queue: MqQueue): Promise<MqConnection>;
}

const strictText = new TextDecoder("utf-8", { fatal: true });

export function messageOf(
  record: Readonly<Record<string, unknown>>,
  data: Buffer,
  settle: Pick<MqMessage, "deliveries" | "accept" | "giveBack" | "reject">,
): MqMessage {
  const json = JSON.stringify(record);
  return { json, bytes: Buffer.byteLength(json), record, text: textOf(data), ...settle };
}

function textOf(data: Buffer): string | undefined {
  try {
    return strictText.decode(data);
  } catch {
    return undefined;
  }
}
