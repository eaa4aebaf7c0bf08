/** A mapping of a message broker that runs: consumes its queue in batches, and connects anew whenever the connection breaks. */
import { sleep } from "../../kit/clock.ts";
import type { BrokerAddresses } from "../access/broker-addresses.ts";
import type { Secrets } from "../access/secrets.ts";
import { accessOf, checkPermissionsNow } from "../access/source-access.ts";
import type { Mapping } from "../mapping.ts";
import { runSessions } from "../sessions.ts";
import type { RunningSource, SourceContext } from "../source.ts";
import { activemqClient } from "./activemq.ts";
import { Inbox } from "./inbox.ts";
import type { MqClient, MqMessage, MqQueue } from "./message.ts";
import { problemOfInvocation } from "../problems.ts";
import { problemOf } from "./problems.ts";
import { rabbitmqClient } from "./rabbitmq.ts";

export interface MqDeps {
  readonly addresses: BrokerAddresses;
  readonly secrets: Secrets;
}

/** What the role must be allowed on the broker. */
export const MQ_ACTION = "mq:DescribeBroker";
/** What AWS has where the mapping does not say. */
const windowMsDefault = 500;
export const batchSizeDefault = 100;

export class MqReader implements RunningSource {
  readonly #mapping: Mapping;
  readonly #context: SourceContext;
  readonly #deps: MqDeps;
  readonly #running: Promise<void>;
  /** Batches that failed one after another: the next is handed over later. */
  #failures = 0;

  constructor(mapping: Mapping, context: SourceContext, deps: MqDeps) {
    this.#mapping = mapping;
    this.#context = context;
    this.#deps = deps;
    this.#running = runSessions(
      context,
      (hadProblem) => this.#session(hadProblem),
      (error) => this.#lost(error),
    );
  }

  stop(): Promise<void> {
    return this.#running;
  }

  #lost(error: unknown): void {
    const problem = problemOf(error);
    this.#context.log.warn("An event source mapping lost its broker", { uuid: this.#mapping.uuid, problem });
    this.#context.processed(problem);
  }

  /** From one connection to its end. @throws what ended it. */
  async #session(hadProblem: boolean): Promise<void> {
    const { settings } = this.#mapping;
    await checkPermissionsNow(this.#mapping, this.#context, [MQ_ACTION]);
    const { client, queue } = await this.#broker();
    const { BatchSize = batchSizeDefault, MaximumBatchingWindowInSeconds } = settings;
    const { clock, signal } = this.#context;
    const inbox = new Inbox(clock, {
      size: BatchSize,
      windowMs:
        MaximumBatchingWindowInSeconds === undefined
          ? windowMsDefault
          : MaximumBatchingWindowInSeconds * 1_000,
      envelopeBytes: Buffer.byteLength(client.envelope.join("")),
    });
    const connection = await client.connect({
      ...queue,
      prefetch: BatchSize * client.concurrency,
      now: () => clock.now(),
      receive: (message) => this.#receive(inbox, message),
    });
    const ending = new AbortController();
    const over = AbortSignal.any([signal, ending.signal]);
    void connection.ended.then(() => ending.abort());
    const inFlight = new Set<Promise<void>>();
    try {
      if (hadProblem) this.#context.processed("OK");
      for (;;) {
        const batch = await inbox.next(over);
        if (over.aborted) break;
        const handling = this.#handle(client, batch, over).finally(() => inFlight.delete(handling));
        inFlight.add(handling);
        if (inFlight.size >= client.concurrency) await Promise.race(inFlight);
      }
    } finally {
      await Promise.all(inFlight);
      await connection.close();
    }
    if (!signal.aborted) throw await connection.ended;
  }

  async #broker(): Promise<{ client: MqClient; queue: Omit<MqQueue, "prefetch" | "now" | "receive"> }> {
    const { settings, eventSourceArn = "" } = this.#mapping;
    const { engine, endpoint, ca } = await this.#deps.addresses.mq(eventSourceArn);
    const secret = accessOf(settings, "BASIC_AUTH") ?? "";
    const { username, password } = await this.#deps.secrets.read(secret, ["username", "password"]);
    const virtualHost = accessOf(settings, "VIRTUAL_HOST") ?? "/";
    const queue = settings.Queues?.[0] ?? "";
    const client =
      engine === "RabbitMQ"
        ? rabbitmqClient(eventSourceArn, queue, virtualHost)
        : activemqClient(eventSourceArn);
    return { client, queue: { endpoint, ca, username, password, queue, virtualHost } };
  }

  #receive(inbox: Inbox, message: MqMessage): void {
    if (this.#context.isFiltered && !this.#context.matches(message.record, message.text))
      return message.accept();
    if (inbox.fits(message)) return inbox.add(message);
    this.#context.log.warn("A message is too large for an invocation and was rejected", {
      uuid: this.#mapping.uuid,
      bytes: message.bytes,
    });
    message.reject();
  }

  /** Brings a batch to the function, and settles its messages with the broker. A batch whose function did not run stays and is tried again. */
  async #handle(client: MqClient, batch: readonly MqMessage[], over: AbortSignal): Promise<void> {
    const { clock } = this.#context;
    const [before, after] = client.envelope;
    const payload = Buffer.from(`${before}${batch.map(({ json }) => json).join(",")}${after}`);
    for (;;) {
      if (this.#failures > 0) await sleep(clock, client.pauseMs(this.#failures), over);
      // Not settled, they go back to the queue when the connection is closed.
      if (over.aborted) return;
      const outcome = await this.#context.invoke(payload, batch.length);
      if (outcome.kind === "ok") {
        this.#failures = 0;
        for (const message of batch) message.accept();
        return this.#context.processed("OK");
      }
      this.#failures += 1;
      this.#context.processed(problemOfInvocation(outcome));
      if (outcome.kind === "function-error") return giveBack(batch, client.redeliveriesMax);
    }
  }
}

function giveBack(batch: readonly MqMessage[], redeliveriesMax: number): void {
  for (const message of batch)
    if (message.deliveries < redeliveriesMax) message.giveBack();
    else message.reject();
}
