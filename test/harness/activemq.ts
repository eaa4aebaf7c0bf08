/** An ActiveMQ Classic of the test's own, on this machine's JDK. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { certificateMissing, makeCertificate } from "./certificate.ts";
import { freePort } from "./free-port.ts";
import { ACTIVEMQ_JARS } from "./jars-activemq.ts";
import { classPath, javaMissing } from "./jars.ts";

export const ACTIVEMQ_USER = { username: "alice", password: "alice-secret" };
const BROKER = fileURLToPath(new URL("activemq/TestBroker.java", import.meta.url));
const JVM = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"];

export interface TestActivemq {
  readonly endpoint: string;
  /** The same with TLS, and the authority that signed its certificate; undefined without openssl. */
  readonly tls: { readonly endpoint: string; readonly ca: string } | undefined;
  /** Sends as a JMS client does; answers the message's id. @param isFull With properties, a type and more. */
  send(kind: "text" | "bytes" | "map", queue: string, body: string, isFull?: boolean): Promise<string>;
  /** Messages of a queue that nobody has acknowledged. */
  count(queue: string): Promise<number>;
  /** `kill -9`. */
  down(): Promise<void>;
  close(): Promise<void>;
}

/** Why there is none on this machine. */
export function activemqMissing(): string | undefined {
  if (spawnSync("javac", ["-version"]).status !== 0)
    return "there is no JDK on this machine; install Debian's default-jdk-headless";
  return javaMissing(17);
}

export async function startActivemq(): Promise<TestActivemq> {
  const folder = await mkdtemp(join(tmpdir(), "lambent-activemq-"));
  const [port, tlsPort] = await Promise.all([freePort(), freePort()]);
  const tls = certificateMissing() === undefined ? makeCertificate(folder) : undefined;
  const store = tls
    ? [
        `-Djavax.net.ssl.keyStore=${tls.storeFile}`,
        `-Djavax.net.ssl.keyStorePassword=${tls.storePassword}`,
        "-Djavax.net.ssl.keyStoreType=PKCS12",
      ]
    : [];
  const { username, password } = ACTIVEMQ_USER;
  const child = spawn(
    "java",
    [
      ...JVM,
      ...store,
      "-cp",
      await classPath(ACTIVEMQ_JARS),
      BROKER,
      String(port),
      folder,
      username,
      password,
      ...(tls ? [String(tlsPort)] : []),
    ],
    { stdio: ["pipe", "pipe", "ignore"] },
  );
  process.once("exit", () => child.kill("SIGKILL"));
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await answers.next();
    if (done) throw new Error("ActiveMQ ended");
    return value;
  };
  await answer();
  let last: Promise<string> = Promise.resolve("");
  // One command after another, as the answers are told apart by their order only.
  const tell = (...words: string[]) =>
    (last = last.then(() => {
      child.stdin.write(`${words.join("\t")}\n`);
      return answer();
    }));
  const down = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  return {
    endpoint: `amqp://127.0.0.1:${port}`,
    tls: tls && { endpoint: `amqp+ssl://localhost:${tlsPort}`, ca: tls.certificate },
    send: (kind, queue, body, isFull) => tell(kind, queue, body, ...(isFull ? ["full"] : [])),
    count: async (queue) => Number(await tell("count", queue)),
    down,
    async close() {
      await down();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
