/**
 * Where the brokers behind ARNs are. There is no MSK and no Amazon MQ here: the operator says in a file (`--brokers`) which Kafka
 * cluster or message broker stands for an ARN.
 *
 *     { "arn:aws:kafka:us-east-1:000000000000:cluster/orders/0b1c…-1": { "bootstrapServers": ["10.0.0.5:9092"], "tls": false },
 *       "arn:aws:mq:us-east-1:000000000000:broker:jobs:b-0b1c…": { "engine": "RabbitMQ", "endpoint": "amqp://10.0.0.6:5672" },
 *       "kafka.lan:9092": { "tls": false } }
 *
 * The last form is for a self-managed cluster, by one of its bootstrap servers. `"ca"` is for brokers whose certificate an authority of one's
 * own has signed: AWS's are signed by its own, and no member of a mapping could name another.
 */
import { X509Certificate } from "node:crypto";
import { AccessError } from "./access-error.ts";
import { readSettingsFile } from "./settings-file.ts";

export interface KafkaAddress {
  readonly bootstrapServers: readonly string[];
  /** Undefined where the file does not say. */
  readonly tls: boolean | undefined;
  /** PEM of the authority that signed its certificates, where that is none that is known everywhere. */
  readonly ca: string | undefined;
}

export type MqEngine = "ActiveMQ" | "RabbitMQ";

export interface MqAddress {
  readonly engine: MqEngine;
  /** `amqp://host:port` or `amqps://host:port`; ActiveMQ's `amqp+ssl://` too. */
  readonly endpoint: URL;
  /** PEM of the authority that signed its certificate, where that is none that is known everywhere. */
  readonly ca: string | undefined;
}

const ENGINES: readonly MqEngine[] = ["ActiveMQ", "RabbitMQ"];
const SCHEMES = ["amqp:", "amqps:", "amqp+ssl:"];

export class BrokerAddresses {
  readonly #path: string | undefined;

  /** @param path Undefined where no file was named. */
  constructor(path: string | undefined) {
    this.#path = path;
  }

  /**
   * The bootstrap servers of an MSK cluster.
   * @throws AccessError that says what to write where; see {@link AccessError}.
   */
  async msk(clusterArn: string): Promise<KafkaAddress> {
    const entry = await this.#entry(clusterArn, "its bootstrap servers");
    const servers = entry["bootstrapServers"];
    if (!Array.isArray(servers) || servers.length === 0 || !servers.every(isServer))
      throw this.#wrong(clusterArn, 'needs "bootstrapServers": ["host:port"]');
    return { bootstrapServers: servers, ...this.#trust(clusterArn, entry) };
  }

  /** What the file says of a self-managed cluster, by any of its bootstrap servers; nothing is as good as silence. */
  async selfManaged(bootstrapServers: readonly string[]): Promise<KafkaAddress> {
    const entries = await readSettingsFile(this.#path, { isSecret: false });
    const named = bootstrapServers.find((server) => isObject(entries[server]));
    const entry = named === undefined ? {} : (entries[named] as Record<string, unknown>);
    return { bootstrapServers, ...this.#trust(named ?? "", entry) };
  }

  /** The broker of an Amazon MQ ARN. @throws AccessError that says what to write where. */
  async mq(brokerArn: string): Promise<MqAddress> {
    const entry = await this.#entry(brokerArn, "its engine and endpoint");
    const engine = ENGINES.find((one) => one === entry["engine"]);
    if (!engine) throw this.#wrong(brokerArn, `needs "engine": "${ENGINES.join('" or "')}"`);
    const text = entry["endpoint"];
    if (typeof text !== "string" || !URL.canParse(text) || !SCHEMES.includes(new URL(text).protocol))
      throw this.#wrong(brokerArn, 'needs "endpoint": "amqp://host:port" or "amqps://host:port"');
    const endpoint = new URL(text);
    const ca = this.#ca(brokerArn, entry);
    if (ca !== undefined && endpoint.protocol === "amqp:")
      throw this.#wrong(brokerArn, '"ca" goes with an endpoint "amqps://host:port"');
    return { engine, endpoint, ca };
  }

  async #entry(arn: string, what: string): Promise<Readonly<Record<string, unknown>>> {
    const entry = (await readSettingsFile(this.#path, { isSecret: false }))[arn];
    if (isObject(entry)) return entry;
    throw new AccessError(
      this.#path === undefined
        ? `no broker is known for ${arn}: name a file of brokers with --brokers (LAMBENT_BROKERS), with ${what} under this ARN`
        : `${this.#path} has no entry "${arn}" with ${what}`,
    );
  }

  #trust(key: string, entry: Readonly<Record<string, unknown>>): Pick<KafkaAddress, "tls" | "ca"> {
    const tls = entry["tls"];
    if (tls !== undefined && typeof tls !== "boolean") throw this.#wrong(key, '"tls" is true or false');
    const ca = this.#ca(key, entry);
    if (ca !== undefined && tls === false) throw this.#wrong(key, '"ca" does not go with "tls": false');
    return { tls, ca };
  }

  #ca(key: string, entry: Readonly<Record<string, unknown>>): string | undefined {
    const ca = entry["ca"];
    if (ca === undefined) return undefined;
    if (typeof ca === "string" && isCertificate(ca)) return ca;
    throw this.#wrong(key, '"ca" is the text of a certificate, "-----BEGIN CERTIFICATE-----…"');
  }

  #wrong(key: string, what: string): AccessError {
    return new AccessError(`${this.#path}: the entry "${key}" is wrong: ${what}`);
  }
}

function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).ca;
  } catch {
    return false;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isServer(value: unknown): value is string {
  return typeof value === "string" && /^[^\s:/]+:\d{1,5}$/.test(value);
}
