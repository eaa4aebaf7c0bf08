/** The one frozen, validated configuration; the only reader of process.env. Flags win over LAMBENT_* variables over defaults. */
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { checkOutbound, parseDestinations, parseResolvers } from "./outbound.ts";
import type { OutboundPolicy } from "./outbound.ts";

export interface Config {
  /** Address to listen on. Anything but loopback needs `auth: "on"`. */
  readonly host: string;
  /** TCP port; 0 takes a free one. */
  readonly port: number;
  /** Where everything accepted is kept. One running server owns it. */
  readonly dataDir: string;
  readonly auth: "off" | "on";
  /** Region of requests that name none. */
  readonly region: string;
  /** What functions are told of the zone that they run in; that of their region's first zone when empty. */
  readonly availabilityZoneId: string;
  readonly logLevel: "debug" | "info" | "warn" | "error";
  /** What isolates functions; `auto` takes runc where it can run, `runsc` is gVisor. */
  readonly sandbox: "auto" | "runc" | "crun" | "runsc" | "process";
  /** What functions reach beyond Lambent. */
  readonly outbound: OutboundPolicy;
  /** Destinations reached in addition: `10.0.0.0/8,db.internal:5432,*.example.com:443`; all that is reached under `allow-list`. */
  readonly outboundAllow: string;
  /** Whether endpoints of topics and API destinations may lie on this machine and in private networks. */
  readonly localEndpoints: "off" | "on";
  /** Name servers that functions ask: `10.0.0.2,10.0.0.3`; the host's when empty. */
  readonly resolvers: string;
  /** `postgres://…` to keep state in PostgreSQL; SQLite in the data directory when absent. */
  readonly databaseUrl: string | undefined;
  /** Language runtimes installed on demand; shared by every data directory of this user. */
  readonly runtimesDir: string;
  /** Execution environments that may exist at once. */
  readonly environmentsMax: number;
  /** Concurrent executions of each account in each region, as AWS's quota has it. */
  readonly concurrencyMax: number;
  /** Largest answer that a function may stream, in bytes. */
  readonly streamBytesMax: number;
  /** What of it goes out as fast as the caller takes it, in bytes. */
  readonly streamBurstBytes: number;
  /** How much of the rest goes out in a second, in bytes; 0 for as much as the caller takes. */
  readonly streamBytesPerSecond: number;
  /** Asynchronous invocations that this server runs at once; with 0 it accepts them and leaves them to other servers. */
  readonly asyncConcurrency: number;
  /** Processes of language runtimes that may wait, booted, for a function; 0 boots every environment from nothing. */
  readonly prebooted: number;
  /** Unpacked code of functions that is kept ready beyond what is in use, in bytes. */
  readonly codeCacheBytes: number;
  /** Folders that functions may run from, for development: `/srv/project,/srv/functions`; those below them too. */
  readonly localCode: string;
  /** A file like Docker's config.json, with the logins of registries that images are pulled from. */
  readonly registryAuth: string;
  /** Registries that are spoken to without TLS, beside those of this machine: `registry.lan:5000,10.0.0.7:5000`. */
  readonly insecureRegistries: string;
  /**
   * What a shard of a Kinesis stream takes and gives, as a multiple of AWS's limits (in: 1 MB and 1,000 records a second; out: 2 MB and
   * 5 reads); 0 for as much as it can.
   */
  readonly shardThroughput: number;
  /** Rules of each event bus, as AWS's quota has it. */
  readonly eventRules: number;
  /** A file that says which Kafka clusters and message brokers stand behind the ARNs of MSK and Amazon MQ. */
  readonly brokers: string;
  /** A file of the secrets that event source mappings name by the ARNs of Secrets Manager; only its owner may read it. */
  readonly secrets: string;
  /**
   * What the issuer in the tokens of user pools begins with: `https://login.example.com`, for what proxies make of it, or `aws` for the names
   * that AWS's issuers have; when empty this machine's `http://localhost:PORT`.
   */
  readonly userPoolIssuer: string;
  /** How long a graceful stop waits for running invocations, in milliseconds. */
  readonly stopGraceMs: number;
  /** `on` gives the server a clock that `lambent clock advance` moves. For development: nobody else may share its state. */
  readonly dev: "off" | "on";
}

export class ConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ConfigError";
  }
}

export type ConfigInput = { readonly [K in keyof Config]?: Config[K] | undefined };

const VARIABLES = {
  host: "LAMBENT_HOST",
  port: "LAMBENT_PORT",
  dataDir: "LAMBENT_DATA_DIR",
  auth: "LAMBENT_AUTH",
  region: "LAMBENT_REGION",
  availabilityZoneId: "LAMBENT_AVAILABILITY_ZONE_ID",
  logLevel: "LAMBENT_LOG_LEVEL",
  sandbox: "LAMBENT_SANDBOX",
  outbound: "LAMBENT_OUTBOUND",
  outboundAllow: "LAMBENT_OUTBOUND_ALLOW",
  localEndpoints: "LAMBENT_LOCAL_ENDPOINTS",
  resolvers: "LAMBENT_RESOLVERS",
  databaseUrl: "LAMBENT_DATABASE_URL",
  runtimesDir: "LAMBENT_RUNTIMES_DIR",
  environmentsMax: "LAMBENT_ENVIRONMENTS_MAX",
  concurrencyMax: "LAMBENT_CONCURRENCY_MAX",
  streamBytesMax: "LAMBENT_STREAM_BYTES_MAX",
  streamBurstBytes: "LAMBENT_STREAM_BURST_BYTES",
  streamBytesPerSecond: "LAMBENT_STREAM_BYTES_PER_SECOND",
  asyncConcurrency: "LAMBENT_ASYNC_CONCURRENCY",
  prebooted: "LAMBENT_PREBOOTED",
  codeCacheBytes: "LAMBENT_CODE_CACHE_BYTES",
  localCode: "LAMBENT_LOCAL_CODE",
  registryAuth: "LAMBENT_REGISTRY_AUTH",
  insecureRegistries: "LAMBENT_INSECURE_REGISTRIES",
  shardThroughput: "LAMBENT_SHARD_THROUGHPUT",
  eventRules: "LAMBENT_EVENT_RULES",
  brokers: "LAMBENT_BROKERS",
  secrets: "LAMBENT_SECRETS",
  userPoolIssuer: "LAMBENT_USER_POOL_ISSUER",
  stopGraceMs: "LAMBENT_STOP_GRACE_MS",
  dev: "LAMBENT_DEV",
} as const satisfies Record<keyof Config, string>;

const CHOICES = {
  auth: ["off", "on"],
  dev: ["off", "on"],
  localEndpoints: ["off", "on"],
  logLevel: ["debug", "info", "warn", "error"],
  sandbox: ["auto", "runc", "crun", "runsc", "process"],
  outbound: ["internet", "none", "allow-list"],
} as const;

/** Largest accepted values of the numeric settings. */
const NUMBER_MAX = {
  port: 65_535,
  environmentsMax: 100_000,
  asyncConcurrency: 10_000,
  concurrencyMax: 1_000_000,
  streamBytesMax: 1_099_511_627_776,
  streamBurstBytes: 1_099_511_627_776,
  streamBytesPerSecond: 1_099_511_627_776,
  prebooted: 1_000,
  codeCacheBytes: 1_099_511_627_776,
  shardThroughput: 1_000_000,
  eventRules: 1_000_000,
  stopGraceMs: 900_000,
} as const;

/**
 * Builds the configuration.
 * @throws ConfigError naming the setting, its value and what it may be.
 */
export function loadConfig(input: ConfigInput = {}, env: NodeJS.ProcessEnv = process.env): Config {
  const defaults = defaultsOf(env);
  const read = (key: keyof Config) => input[key] ?? nonEmpty(env[VARIABLES[key]]) ?? defaults[key];
  const config = {
    host: String(read("host")),
    port: integer("port", read("port")),
    dataDir: resolve(String(read("dataDir"))),
    auth: choice("auth", read("auth")),
    region: String(read("region")),
    availabilityZoneId: String(read("availabilityZoneId")),
    logLevel: choice("logLevel", read("logLevel")),
    sandbox: choice("sandbox", read("sandbox")),
    outbound: choice("outbound", read("outbound")),
    outboundAllow: String(read("outboundAllow")),
    // Who develops calls servers of their own.
    localEndpoints: choice("localEndpoints", read("localEndpoints") ?? read("dev")),
    resolvers: String(read("resolvers")),
    databaseUrl: read("databaseUrl") as string | undefined,
    runtimesDir: resolve(String(read("runtimesDir"))),
    environmentsMax: integer("environmentsMax", read("environmentsMax")),
    concurrencyMax: integer("concurrencyMax", read("concurrencyMax")),
    streamBytesMax: integer("streamBytesMax", read("streamBytesMax")),
    streamBurstBytes: integer("streamBurstBytes", read("streamBurstBytes")),
    streamBytesPerSecond: integer("streamBytesPerSecond", read("streamBytesPerSecond")),
    asyncConcurrency: integer("asyncConcurrency", read("asyncConcurrency")),
    prebooted: integer("prebooted", read("prebooted")),
    codeCacheBytes: integer("codeCacheBytes", read("codeCacheBytes")),
    localCode: String(read("localCode")),
    registryAuth: String(read("registryAuth")),
    insecureRegistries: String(read("insecureRegistries")),
    shardThroughput: integer("shardThroughput", read("shardThroughput")),
    eventRules: integer("eventRules", read("eventRules")),
    brokers: String(read("brokers")),
    secrets: String(read("secrets")),
    userPoolIssuer: issuer(read("userPoolIssuer")),
    stopGraceMs: integer("stopGraceMs", read("stopGraceMs")),
    dev: choice("dev", read("dev")),
  };
  refuseOpenDoor(config);
  refuseSharedClock(config);
  refuseUnclearOutbound(config);
  return Object.freeze(config);
}

function defaultsOf(env: NodeJS.ProcessEnv): Record<keyof Config, string | number | undefined> {
  const home = homedir();
  return {
    host: "127.0.0.1",
    port: 4566,
    dataDir: join(env["XDG_DATA_HOME"] ?? join(home, ".local", "share"), "lambent"),
    auth: "off",
    region: "us-east-1",
    availabilityZoneId: "",
    logLevel: "info",
    sandbox: "auto",
    outbound: "internet",
    outboundAllow: "",
    localEndpoints: undefined,
    resolvers: "",
    databaseUrl: undefined,
    runtimesDir: join(env["XDG_CACHE_HOME"] ?? join(home, ".cache"), "lambent", "runtimes"),
    environmentsMax: 1_000,
    concurrencyMax: 1_000,
    streamBytesMax: 209_715_200,
    streamBurstBytes: 6_291_456,
    streamBytesPerSecond: 2_097_152,
    asyncConcurrency: 64,
    prebooted: 100,
    codeCacheBytes: 10_737_418_240,
    localCode: "",
    registryAuth: "",
    insecureRegistries: "",
    shardThroughput: 1,
    eventRules: 300,
    brokers: "",
    secrets: "",
    userPoolIssuer: "",
    stopGraceMs: 30_000,
    dev: "off",
  };
}

/** The credentials and endpoint that the command line client uses, as the AWS tools read them. */
export function clientEnvironment(env: NodeJS.ProcessEnv = process.env) {
  return {
    endpoint:
      nonEmpty(env["AWS_ENDPOINT_URL"]) ?? `http://127.0.0.1:${nonEmpty(env["LAMBENT_PORT"]) ?? "4566"}`,
    region: nonEmpty(env["AWS_REGION"]) ?? nonEmpty(env["AWS_DEFAULT_REGION"]) ?? "us-east-1",
    accessKeyId: nonEmpty(env["AWS_ACCESS_KEY_ID"]) ?? "000000000000",
    secretAccessKey: nonEmpty(env["AWS_SECRET_ACCESS_KEY"]) ?? "lambent",
    sessionToken: nonEmpty(env["AWS_SESSION_TOKEN"]),
    color: env["NO_COLOR"] === undefined && env["TERM"] !== "dumb",
  };
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** The folders of a list. */
export function parseFolders(list: string): string[] {
  return parseList(list).map((folder) => resolve(folder));
}

/** What stands between the commas of a list. */
export function parseList(list: string): string[] {
  return list
    .split(",")
    .map((one) => one.trim())
    .filter(Boolean);
}

function refuseOpenDoor(config: { host: string; auth: string }): void {
  if (config.auth === "on" || isLoopback(config.host)) return;
  throw new ConfigError(
    `Refusing to listen on ${config.host} without authentication: everyone who reaches it could run code here. ` +
      `Start with --auth on, or listen on 127.0.0.1.`,
  );
}

/** Leases of servers that share a database need one time. */
function refuseSharedClock(config: Pick<Config, "dev" | "databaseUrl">): void {
  if (config.dev === "off" || config.databaseUrl === undefined) return;
  throw new ConfigError(
    "dev moves the clock of this server alone, and the servers of one database must agree on the time. Start without --database-url.",
  );
}

function refuseUnclearOutbound(config: Pick<Config, "outbound" | "outboundAllow" | "resolvers">): void {
  let key = "outboundAllow";
  try {
    checkOutbound(config.outbound, parseDestinations(config.outboundAllow));
    key = "resolvers";
    parseResolvers(config.resolvers);
  } catch (error) {
    throw new ConfigError(`${key}: ${(error as Error).message}`);
  }
}

/** @throws ConfigError for what is neither empty, `aws` nor the URL of a server */
function issuer(value: unknown): string {
  const text = String(value);
  const isUrl = URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
  if (text === "" || text === "aws" || isUrl) return text;
  throw new ConfigError(`userPoolIssuer is "${text}"; it must be aws, or a URL: https://login.example.com`);
}

function integer(key: keyof typeof NUMBER_MAX, value: unknown): number {
  const number = typeof value === "number" ? value : Number(value);
  if (Number.isInteger(number) && number >= 0 && number <= NUMBER_MAX[key]) return number;
  throw new ConfigError(
    `${key} is "${String(value)}"; it must be a whole number from 0 to ${NUMBER_MAX[key]}`,
  );
}

function choice<K extends keyof typeof CHOICES>(key: K, value: unknown): (typeof CHOICES)[K][number] {
  const allowed: readonly string[] = CHOICES[key];
  if (allowed.includes(String(value))) return value as (typeof CHOICES)[K][number];
  throw new ConfigError(`${key} is "${String(value)}"; it must be one of: ${allowed.join(", ")}`);
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}
