/** A RabbitMQ of the test's own, from Debian's package. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import amqp from "amqplib";
import type { Options } from "amqplib";
import { certificateMissing, makeCertificate } from "./certificate.ts";
import type { TestCertificate } from "./certificate.ts";
import { freePort } from "./free-port.ts";

const SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server";
export const RABBITMQ_USER = { username: "alice", password: "alice-secret" };
const START_MS_MAX = 60_000;

export interface TestRabbitmq {
  readonly endpoint: string;
  /** The same with TLS, and the authority that signed its certificate; undefined without openssl. */
  readonly tls: { readonly endpoint: string; readonly ca: string } | undefined;
  send(
    queue: string,
    content: string | Buffer,
    options?: Options.Publish,
    virtualHost?: string,
  ): Promise<void>;
  /** Messages that wait in a queue and are with no consumer. */
  waiting(queue: string, virtualHost?: string): Promise<number>;
  /** `kill -9`. */
  down(): Promise<void>;
  close(): Promise<void>;
}

/** Why there is none on this machine. */
export function rabbitmqMissing(): string | undefined {
  return existsSync(SERVER)
    ? undefined
    : "there is no RabbitMQ on this machine; install Debian's package rabbitmq-server";
}

/** @param queues Durable queues, by virtual host, with their arguments. */
export async function startRabbitmq(
  queues: Readonly<Record<string, Readonly<Record<string, object>>>>,
): Promise<TestRabbitmq> {
  const folder = await mkdtemp(join(tmpdir(), "lambent-rabbitmq-"));
  const [port, tlsPort, distribution, epmdPort] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ]);
  const tls = certificateMissing() === undefined ? makeCertificate(folder) : undefined;
  const environment = await configure(folder, { port, tlsPort, distribution, epmdPort }, queues, tls);
  // Started here, as one that the server started would outlive it.
  const epmd = spawn("epmd", ["-port", String(epmdPort)], { stdio: "ignore" });
  let child: ChildProcess | undefined;
  const connect = (vhost = "/") =>
    amqp.connect({ protocol: "amqp", hostname: "127.0.0.1", port, vhost, ...RABBITMQ_USER });
  const up = async () => {
    child = spawn(SERVER, { env: environment, stdio: "ignore", detached: true });
    const end = Date.now() + START_MS_MAX;
    for (;;) {
      const connection = await connect().catch(() => undefined);
      if (connection) return connection.close();
      if (Date.now() > end) throw new Error("RabbitMQ does not answer");
      await sleep(100);
    }
  };
  const kill = () => {
    if (child?.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
  };
  const down = async () => {
    const dying = child;
    kill();
    child = undefined;
    if (dying && dying.exitCode === null && dying.signalCode === null) await once(dying, "exit");
  };
  process.once("exit", () => (kill(), epmd.kill()));
  await up();
  const through = async <T>(
    vhost: string | undefined,
    work: (channel: amqp.ConfirmChannel) => Promise<T>,
  ) => {
    const connection = await connect(vhost);
    const channel = await connection.createConfirmChannel();
    try {
      return await work(channel);
    } finally {
      await connection.close();
    }
  };
  return {
    endpoint: `amqp://127.0.0.1:${port}`,
    tls: tls && { endpoint: `amqps://127.0.0.1:${tlsPort}`, ca: tls.certificate },
    send: (queue, content, options, virtualHost) =>
      through(virtualHost, async (channel) => {
        channel.sendToQueue(queue, Buffer.from(content), options ?? { persistent: true });
        await channel.waitForConfirms();
      }),
    waiting: (queue, virtualHost) =>
      through(virtualHost, async (channel) => (await channel.checkQueue(queue)).messageCount),
    down,
    async close() {
      await down();
      epmd.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Writes what the server reads; answers its environment. */
async function configure(
  folder: string,
  ports: { port: number; tlsPort: number; distribution: number; epmdPort: number },
  queues: Readonly<Record<string, Readonly<Record<string, object>>>>,
  tls: TestCertificate | undefined,
): Promise<NodeJS.ProcessEnv> {
  const { username, password } = RABBITMQ_USER;
  const salt = Buffer.from("salt");
  const hash = createHash("sha256").update(salt).update(password).digest();
  const definitions = {
    users: [
      {
        name: username,
        password_hash: Buffer.concat([salt, hash]).toString("base64"),
        hashing_algorithm: "rabbit_password_hashing_sha256",
        tags: "",
      },
    ],
    vhosts: Object.keys(queues).map((name) => ({ name })),
    permissions: Object.keys(queues).map((vhost) => ({
      user: username,
      vhost,
      configure: ".*",
      write: ".*",
      read: ".*",
    })),
    queues: Object.entries(queues).flatMap(([vhost, own]) =>
      Object.entries(own).map(([name, args]) => ({
        name,
        vhost,
        durable: true,
        auto_delete: false,
        arguments: args,
      })),
    ),
  };
  await writeFile(join(folder, "definitions.json"), JSON.stringify(definitions));
  const lines = [
    `listeners.tcp.1 = 127.0.0.1:${ports.port}`,
    "log.file = false",
    "log.console = false",
    "loopback_users = none",
    `load_definitions = ${join(folder, "definitions.json")}`,
    ...(tls
      ? [
          `listeners.ssl.1 = 127.0.0.1:${ports.tlsPort}`,
          `ssl_options.cacertfile = ${tls.certificateFile}`,
          `ssl_options.certfile = ${tls.certificateFile}`,
          `ssl_options.keyfile = ${tls.keyFile}`,
          "ssl_options.verify = verify_none",
        ]
      : []),
  ];
  await writeFile(join(folder, "rabbitmq.conf"), `${lines.join("\n")}\n`);
  await writeFile(join(folder, "enabled_plugins"), "[].\n");
  return {
    PATH: process.env["PATH"],
    HOME: folder,
    RABBITMQ_NODENAME: `test-${ports.port}@localhost`,
    RABBITMQ_CONFIG_FILE: join(folder, "rabbitmq.conf"),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, "enabled_plugins"),
    RABBITMQ_MNESIA_BASE: join(folder, "data"),
    RABBITMQ_LOG_BASE: join(folder, "log"),
    RABBITMQ_DIST_PORT: String(ports.distribution),
    ERL_EPMD_PORT: String(ports.epmdPort),
  };
}
