/**
 * ActiveMQ: AMQP 1.0, by which the broker tells what JMS has to say of a message: its type, delivery mode, priority, and its properties
 * with their types.
 */
import { isIP } from "node:net";
import type { EventContext, Receiver } from "rhea";
import { activemqRecord, bodyOf, deliveriesOf } from "./activemq-event.ts";
import { messageOf } from "./message.ts";
import type { MqClient, MqConnection, MqQueue } from "./message.ts";

const connectMs = 10_000;
const idleMs = 60_000;
const closeMs = 2_000;
/** As ActiveMQ's own client waits by default. https://activemq.apache.org/redelivery-policy */
const redeliveryMs = 1_000;

/** AWS runs five batches of a mapping at a time, and redelivers as ActiveMQ's own client does by default: six times. */
export function activemqClient(eventSourceArn: string): MqClient {
  const head = JSON.stringify({ eventSource: "aws:mq", eventSourceArn }).slice(0, -1);
  return {
    concurrency: 5,
    redeliveriesMax: 6,
    pauseMs: () => redeliveryMs,
    envelope: [`${head},"messages":[`, "]}"],
    connect,
  };
}

async function connect(queue: MqQueue): Promise<MqConnection> {
  const { default: rhea } = await import("rhea");
  const container = rhea.create_container();
  const opened = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<Error>();
  const fail = (error: Error) => {
    opened.reject(error);
    ended.resolve(error);
  };
  // What is not listened to, the library throws.
  for (const event of ["connection_error", "session_error", "receiver_error", "error", "protocol_error"])
    container.on(event, (context: EventContext) => fail(errorOf(context)));
  for (const event of ["disconnected", "connection_close", "session_close", "receiver_close"])
    container.on(event, (context: EventContext) => fail(errorOf(context)));
  let isGone = false;
  container.on("disconnected", () => (isGone = true));
  container.on("receiver_open", ({ receiver }: EventContext) => {
    receiver?.add_credit(queue.prefetch);
    opened.resolve();
  });
  container.on("message", (context: EventContext) => take(context, queue));
  const connection = container.connect({
    host: queue.endpoint.hostname,
    port: Number(queue.endpoint.port) || (isTls(queue.endpoint) ? 5671 : 5672),
    username: queue.username,
    password: queue.password,
    reconnect: false,
    idle_time_out: idleMs,
    ...(isTls(queue.endpoint) && {
      transport: "tls" as const,
      // TLS has no place for an address there.
      servername: isIP(queue.endpoint.hostname) === 0 ? queue.endpoint.hostname : "",
      ...(queue.ca !== undefined && { ca: queue.ca }),
    }),
  });
  connection.open_receiver({
    source: { address: `queue://${queue.queue}` },
    autoaccept: false,
    credit_window: 0,
  });
  const timer = setTimeout(
    () => fail(new Error(`No answer from ${queue.endpoint.host} within ${connectMs} ms`)),
    connectMs,
  );
  const close = async () => {
    const closed = new Promise<void>((resolve) => {
      connection.once("connection_close", () => resolve());
      connection.once("disconnected", () => resolve());
      setTimeout(resolve, closeMs).unref();
    });
    if (!isGone && !connection.is_closed()) {
      connection.close();
      await closed;
    }
  };
  try {
    await opened.promise;
  } catch (error) {
    await close();
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return { ended: ended.promise, close };
}

function take({ message, delivery, receiver }: EventContext, queue: MqQueue): void {
  if (!message || !delivery) return;
  const body = bodyOf(message);
  const again = () => refill(receiver);
  const settle = {
    deliveries: deliveriesOf(message),
    accept: () => (delivery.accept(), again()),
    giveBack: () => (delivery.modified({ delivery_failed: true }), again()),
    reject: () => (delivery.reject(), again()),
  };
  // Maps, objects and streams are nothing that a function could be given; the broker keeps them in its dead-letter queue.
  if (!body) return settle.reject();
  queue.receive(messageOf(activemqRecord(message, body, queue.queue, queue.now()), body.data, settle));
}

/** A message that is settled makes room for another. */
function refill(receiver: Receiver | undefined): void {
  receiver?.add_credit(1);
}

function isTls({ protocol }: URL): boolean {
  return protocol === "amqps:" || protocol === "amqp+ssl:";
}

function errorOf({ error, connection, receiver, session }: EventContext): Error {
  const found = error ?? receiver?.error ?? session?.error ?? connection?.error;
  if (found instanceof Error) return found;
  const { condition, description } = (found ?? {}) as { condition?: string; description?: string };
  return Object.assign(new Error(description ?? "The broker closed the connection"), { condition });
}
