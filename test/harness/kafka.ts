/** A Kafka broker of the test's own: Apache Kafka on this machine's Java, with one node that is broker and controller. */
import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Admin, Consumer, Producer } from "@platformatic/kafka";
import { freePort } from "./free-port.ts";
import { KAFKA_JARS } from "./jars-kafka.ts";
import { classPath, javaMissing } from "./jars.ts";

export const KAFKA_USER = { username: "alice", password: "alice-secret" };

export interface TestMessage {
  readonly key?: string;
  readonly value: string | Buffer | undefined;
  readonly partition?: number;
  readonly headers?: Record<string, Buffer>;
  readonly timestamp?: bigint;
}

export interface TestKafka {
  /** Without encryption or sign-in. */
  readonly server: string;
  /** Where {@link KAFKA_USER} signs in, by SCRAM-SHA-512 or PLAIN, without encryption. */
  readonly saslServer: string;
  /** The same with TLS; `certificate` is of the authority. */
  readonly tlsServer: string;
  readonly certificate: string;
  createTopic(topic: string, partitions?: number): Promise<void>;
  addPartitions(topic: string, count: number): Promise<void>;
  produce(topic: string, messages: readonly TestMessage[]): Promise<void>;
  /** What a group has committed; -1 for nothing. */
  committed(group: string, topic: string, partition?: number): Promise<number>;
  /** Joins a group as an application of its own does, and reads what it is given. */
  join(
    group: string,
    topic: string,
  ): Promise<{ values: string[]; partitions(): readonly number[]; leave(): Promise<void> }>;
  /** All values of a topic so far. */
  read(topic: string): Promise<{ key: string | undefined; value: string }[]>;
  /** `kill -9` of the broker; it starts again on the same port and data. */
  down(): Promise<void>;
  up(): Promise<void>;
}

/** Why there is none on this machine. */
export function kafkaMissing(): string | undefined {
  return javaMissing(17);
}

const JVM = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"];
const PASSWORD = "changeit";

let broker: Promise<TestKafka> | undefined;

/** This process's broker, which ends with it: files that share a process share it, each with topics of its own. */
export function startKafka(): Promise<TestKafka> {
  return (broker ??= startBroker());
}

async function startBroker(): Promise<TestKafka> {
  const folder = await mkdtemp(join(tmpdir(), "lambent-kafka-"));
  const [plain, sasl, tls, controller] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const config = join(folder, "server.properties");
  await writeFile(config, properties(folder, { plain, sasl, tls, controller }));
  const java = [...JVM, "-cp", await classPath(KAFKA_JARS)];
  const scram = `SCRAM-SHA-512=[name=${KAFKA_USER.username},password=${KAFKA_USER.password}]`;
  const format = ["format", "-t", "4L6g3nShT-eMCtK--X86sw", "-c", config, "--add-scram", scram];
  const [certificate] = await Promise.all([
    makeCertificate(folder),
    promisify(execFile)("java", [...java, "kafka.tools.StorageTool", ...format]),
  ]);
  let child: ChildProcess | undefined;
  const client = { clientId: "test", bootstrapBrokers: [`127.0.0.1:${plain}`], retries: 10, retryDelay: 100 };
  const up = async () => {
    child = spawn("java", [...java, "kafka.Kafka", config], { stdio: "ignore" });
    child.unref();
    const admin = new Admin(client);
    for (let tries = 0; !(await admin.listTopics().catch(() => undefined)); tries++) {
      if (tries > 60 || child.exitCode !== null) throw new Error("Kafka does not answer");
      await sleep(100);
    }
    await admin.close();
  };
  const down = async () => {
    const dying = child;
    child = undefined;
    if (!dying || dying.exitCode !== null) return;
    dying.ref();
    dying.kill("SIGKILL");
    await once(dying, "exit");
  };
  process.once("exit", () => {
    child?.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  await up();
  return {
    server: `127.0.0.1:${plain}`,
    saslServer: `localhost:${sasl}`,
    tlsServer: `localhost:${tls}`,
    certificate,
    ...clientsOf(client),
    down,
    up,
  };
}

function clientsOf(client: ConstructorParameters<typeof Admin>[0]) {
  return {
    async createTopic(topic: string, partitions = 1) {
      await using admin = closing(new Admin(client));
      await admin.it.createTopics({ topics: [topic], partitions, replicas: 1 });
    },
    async addPartitions(topic: string, count: number) {
      await using admin = closing(new Admin(client));
      await admin.it.createPartitions({ topics: [{ name: topic, count }] });
    },
    async produce(topic: string, messages: readonly TestMessage[]) {
      await using producer = closing(new Producer(client));
      await producer.it.send({
        messages: messages.map(({ key, value, headers, ...rest }) => ({
          ...rest,
          topic,
          ...(key !== undefined && { key: Buffer.from(key) }),
          ...(value !== undefined && { value: Buffer.from(value) }),
          ...(headers && {
            headers: new Map(Object.entries(headers).map(([name, bytes]) => [Buffer.from(name), bytes])),
          }),
        })),
        acks: -1,
      });
    },
    async committed(groupId: string, topic: string, partition = 0) {
      await using consumer = closing(new Consumer({ ...client, groupId }));
      const offsets = await consumer.it.listCommittedOffsets({
        topics: [{ topic, partitions: [partition] }],
      });
      return Number(offsets.get(topic)?.[partition] ?? -1n);
    },
    async join(groupId: string, topic: string) {
      const consumer = new Consumer({ ...client, groupId, heartbeatInterval: 500 });
      const stream = await consumer.consume({ topics: [topic], mode: "committed", fallbackMode: "latest" });
      const values: string[] = [];
      stream.on("data", ({ value }) => values.push(String(value)));
      return {
        values,
        partitions: () => consumer.assignments?.flatMap(({ partitions }) => partitions) ?? [],
        async leave() {
          await stream.close();
          await consumer.close(true);
        },
      };
    },
    async read(topic: string) {
      await using consumer = closing(new Consumer({ ...client, groupId: `reader-${Math.random()}` }));
      const ends = (await consumer.it.listOffsets({ topics: [topic] })).get(topic) ?? [];
      let left = ends.reduce((sum, end) => sum + Number(end), 0);
      const found: { key: string | undefined; value: string }[] = [];
      if (left === 0) return found;
      const stream = await consumer.it.consume({ topics: [topic], mode: "earliest", autocommit: false });
      for await (const message of stream) {
        found.push({ key: message.key?.toString(), value: String(message.value) });
        if (--left === 0) break;
      }
      return found;
    },
  };
}

function closing<T extends Admin | Producer | Consumer>(it: T) {
  return { it, [Symbol.asyncDispose]: () => (it instanceof Consumer ? it.close(true) : it.close()) };
}

/** An authority that is its own server, for localhost. */
async function makeCertificate(folder: string): Promise<string> {
  const store = join(folder, "server.p12");
  const inStore = `-keystore ${store} -storetype PKCS12 -storepass ${PASSWORD} -alias server`;
  const keytool = (words: string) => promisify(execFile)("keytool", words.split(" "));
  const key = "-keyalg EC -groupname secp256r1 -dname CN=localhost -validity 30";
  await keytool(`-genkeypair ${key} -ext SAN=dns:localhost,ip:127.0.0.1 -ext bc:c ${inStore}`);
  const pem = join(folder, "server.pem");
  await keytool(`-exportcert -rfc -file ${pem} ${inStore}`);
  return readFile(pem, "utf8");
}

function properties(
  folder: string,
  ports: { plain: number; sasl: number; tls: number; controller: number },
): string {
  const { username, password } = KAFKA_USER;
  const scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;";
  const basic = `org.apache.kafka.common.security.plain.PlainLoginModule required user_${username}="${password}";`;
  const signIn = (listener: string) => [
    `listener.name.${listener}.sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN`,
    `listener.name.${listener}.scram-sha-512.sasl.jaas.config=${scram}`,
    `listener.name.${listener}.plain.sasl.jaas.config=${basic}`,
  ];
  return [
    "process.roles=broker,controller",
    "node.id=1",
    `controller.quorum.voters=1@127.0.0.1:${ports.controller}`,
    "controller.listener.names=CONTROLLER",
    `listeners=PLAINTEXT://127.0.0.1:${ports.plain},SASL_PLAINTEXT://localhost:${ports.sasl},SASL_SSL://localhost:${ports.tls},CONTROLLER://127.0.0.1:${ports.controller}`,
    "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL",
    ...signIn("sasl_plaintext"),
    ...signIn("sasl_ssl"),
    `ssl.keystore.location=${join(folder, "server.p12")}`,
    `ssl.keystore.password=${PASSWORD}`,
    `log.dirs=${join(folder, "data")}`,
    "offsets.topic.replication.factor=1",
    "offsets.topic.num.partitions=1",
    "transaction.state.log.replication.factor=1",
    "transaction.state.log.min.isr=1",
    "share.coordinator.state.topic.replication.factor=1",
    "share.coordinator.state.topic.min.isr=1",
    "group.initial.rebalance.delay.ms=0",
    // After a kill the controller holds the dead one's registration for so long.
    "broker.session.timeout.ms=2000",
    "broker.heartbeat.interval.ms=500",
    "auto.create.topics.enable=false",
    "log.message.timestamp.before.max.ms=9223372036854775807",
    "message.max.bytes=10485760",
    "",
  ].join("\n");
}
