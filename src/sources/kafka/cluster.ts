/** How a mapping's cluster is reached: bootstrap servers, encryption and sign-in, from the mapping, the file of brokers and the secrets. */
import type { BaseOptions } from "@platformatic/kafka";
import { isLoopback } from "../../config/index.ts";
import type { BrokerAddresses } from "../access/broker-addresses.ts";
import type { Secrets } from "../access/secrets.ts";
import { accessOf } from "../access/source-access.ts";
import type { Mapping } from "../mapping.ts";

export interface ClusterDeps {
  readonly addresses: BrokerAddresses;
  readonly secrets: Secrets;
}

export interface Cluster {
  readonly bootstrapServers: readonly string[];
  /** For each client of it. */
  readonly options: BaseOptions;
}

/** What the role must be allowed on an MSK cluster. */
export const MSK_ACTIONS = ["kafka:DescribeClusterV2", "kafka:GetBootstrapBrokers"];
const requestMs = 20_000;
const connectMs = 5_000;
/** Tries of one request beyond the first, and the pause between them; what fails then is a problem of the mapping. */
const retries = 2;
const retryMs = 250;

/** @throws AccessError for addresses and secrets that are not there; Error of OpenSSL for certificates that cannot be read. */
export async function clusterOf(mapping: Mapping, { addresses, secrets }: ClusterDeps): Promise<Cluster> {
  const address = await addressOf(mapping, addresses);
  const sasl = await saslOf(mapping, secrets);
  const certificates = await certificatesOf(mapping, secrets, address.ca);
  const isSecured = sasl !== undefined || certificates !== undefined;
  // AWS sends credentials over TLS only; a broker on this machine, as one has for development, is spoken to without.
  const isPlain = address.bootstrapServers.every((server) => isLoopback(hostOf(server)));
  const tls = address.tls ?? (certificates !== undefined || (isSecured && !isPlain));
  return {
    bootstrapServers: address.bootstrapServers,
    options: {
      clientId: `lambent-${mapping.uuid}`,
      bootstrapBrokers: [...address.bootstrapServers],
      timeout: requestMs,
      requestTimeout: requestMs,
      connectTimeout: connectMs,
      retries,
      retryDelay: retryMs,
      autocreateTopics: false,
      ...(sasl && { sasl }),
      ...(tls && { tls: certificates ?? {} }),
    },
  };
}

function addressOf({ eventSourceArn, settings }: Mapping, addresses: BrokerAddresses) {
  if (eventSourceArn !== undefined) return addresses.msk(eventSourceArn);
  return addresses.selfManaged(settings.SelfManagedEventSource?.Endpoints?.KAFKA_BOOTSTRAP_SERVERS ?? []);
}

async function saslOf({ settings }: Mapping, secrets: Secrets): Promise<BaseOptions["sasl"]> {
  for (const [type, mechanism] of [
    ["SASL_SCRAM_512_AUTH", "SCRAM-SHA-512"],
    ["SASL_SCRAM_256_AUTH", "SCRAM-SHA-256"],
    ["BASIC_AUTH", "PLAIN"],
  ] as const) {
    const arn = accessOf(settings, type);
    if (arn === undefined) continue;
    const { username, password } = await secrets.read(arn, ["username", "password"]);
    return { mechanism, username, password };
  }
  return undefined;
}

/** Mutual TLS, and the authority that signed the cluster's certificate. @param ca PEM of it, where the mapping names none. */
async function certificatesOf(
  { settings }: Mapping,
  secrets: Secrets,
  ca: string | undefined,
): Promise<BaseOptions["tls"]> {
  const authority = accessOf(settings, "SERVER_ROOT_CA_CERTIFICATE");
  const own = accessOf(settings, "CLIENT_CERTIFICATE_TLS_AUTH");
  if (authority === undefined && own === undefined && ca === undefined) return undefined;
  const client =
    own === undefined
      ? undefined
      : await secrets.read(own, ["certificate", "privateKey"], ["privateKeyPassword"]);
  return {
    ...(ca !== undefined && { ca }),
    ...(authority !== undefined && { ca: (await secrets.read(authority, ["certificate"])).certificate }),
    ...(client && { cert: client.certificate, key: client.privateKey }),
    ...(client?.privateKeyPassword !== undefined && { passphrase: client.privateKeyPassword }),
  };
}

function hostOf(server: string): string {
  return server.slice(0, server.lastIndexOf(":"));
}
