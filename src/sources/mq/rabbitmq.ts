/** RabbitMQ: AMQP 0-9-1. */
import type { ConsumeMessage } from "amqplib";
import { messageOf } from "./message.ts";
import type { MqClient, MqConnection, MqQueue } from "./message.ts";
import { rabbitmqRecord } from "./rabbitmq-event.ts";

const heartbeatSeconds = 30;
const connectMs = 10_000;
/** A queue gives a message back at once. */
const retryMsMin = 1_000;
const retryMsMax = 30_000;
/** Largest prefetch that AMQP 0-9-1 can say. */
const prefetchMax = 65_535;

/** AWS runs one batch of a mapping at a time; the queue decides how often a message may come back. */
export function rabbitmqClient(eventSourceArn: string, queue: string, virtualHost: string): MqClient {
  const head = JSON.stringify({ eventSource: "aws:rmq", eventSourceArn }).slice(0, -1);
  return {
    concurrency: 1,
    redeliveriesMax: Infinity,
    pauseMs: (failures) => Math.min(retryMsMax, retryMsMin * 2 ** (failures - 1)),
    envelope: [`${head},"rmqMessagesByQueue":{${JSON.stringify(`${queue}::${virtualHost}`)}:[`, "]}}"],
    connect,
  };
}

async function connect(queue: MqQueue): Promise<MqConnection> {
  const { default: amqp } = await import("amqplib");
  const { endpoint, ca, username, password, virtualHost } = queue;
  const connection = await amqp.connect(
    {
      protocol: endpoint.protocol.replace(":", ""),
      hostname: endpoint.hostname,
      port: Number(endpoint.port) || (endpoint.protocol === "amqp:" ? 5672 : 5671),
      username,
      password,
      vhost: virtualHost,
      heartbeat: heartbeatSeconds,
    },
    { timeout: connectMs, ...(ca !== undefined && { ca }) },
  );
  const { promise: ended, resolve: end } = Promise.withResolvers<Error>();
  const close = async () => {
    await connection.close().catch(() => undefined);
  };
  connection.on("error", end);
  connection.on("close", (error?: Error) => end(error ?? new Error("The broker closed the connection")));
  try {
    const channel = await connection.createChannel();
    channel.on("error", end);
    channel.on("close", () => end(new Error("The broker closed the channel")));
    await channel.prefetch(Math.min(queue.prefetch, prefetchMax));
    await channel.consume(queue.queue, (message) => {
      if (message) queue.receive(received(channel, message));
      else end(new Error(`The queue ${queue.queue} was deleted`));
    });
  } catch (error) {
    await close();
    throw error;
  }
  return { ended, close };
}

type Channel = Awaited<ReturnType<Awaited<ReturnType<typeof import("amqplib").connect>>["createChannel"]>>;

function received(channel: Channel, message: ConsumeMessage) {
  return messageOf(rabbitmqRecord(message), message.content, {
    deliveries: message.fields.redelivered ? 1 : 0,
    accept: quietly(() => channel.ack(message)),
    giveBack: quietly(() => channel.nack(message, false, true)),
    reject: quietly(() => channel.nack(message, false, false)),
  });
}

/** On a channel that is closed nothing can be settled: the queue has its messages back already. */
function quietly(settle: () => void): () => void {
  return () => {
    try {
      settle();
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "IllegalOperationError") throw error;
    }
  };
}
