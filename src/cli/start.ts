/** `lambent start`: the server, until SIGTERM or SIGINT. */
import { loadConfig } from "../config/index.ts";
import type { ConfigInput } from "../config/index.ts";
import { start } from "../server/start.ts";
import type { Running } from "../server/start.ts";
import type { Command, Flags } from "./run.ts";
import { CommandError, EXIT, UsageError, bold, dim, print, printError, yellow } from "./terminal.ts";

const HELP = `Usage: lambent start [options]

Runs the server. Everything that AWS tools say to it, they say to one address:
  export AWS_ENDPOINT_URL=http://127.0.0.1:4566

Options (each also as a variable; a flag wins):
  --port N               port to listen on, 0 for a free one  [4566; LAMBENT_PORT]
  --host ADDRESS         address to listen on; other than loopback needs --auth on  [127.0.0.1; LAMBENT_HOST]
  --auth off|on          off: any key is accepted, a 12-digit access key id selects that account
                         on: signatures are verified  [off; LAMBENT_AUTH]
  --data-dir DIR         where everything accepted is kept  [~/.local/share/lambent; LAMBENT_DATA_DIR]
  --database-url URL     keep state in PostgreSQL instead of SQLite  [LAMBENT_DATABASE_URL]
  --region NAME          region of requests that name none  [us-east-1; LAMBENT_REGION]
  --availability-zone-id ID
                         the zone that functions are told; by default the region's first, e.g. use1-az1
                         [LAMBENT_AVAILABILITY_ZONE_ID]
  --sandbox KIND         auto (runc where it runs), runc, crun, runsc (gVisor: a kernel of its own for each
                         function), or process (no isolation)  [auto; LAMBENT_SANDBOX]
  --outbound POLICY      what functions reach beyond Lambent: internet (public addresses), none, or
                         allow-list (what is listed, and nothing else)  [internet; LAMBENT_OUTBOUND]
  --outbound-allow LIST  reached in addition, e.g. 10.0.0.0/8:5432,db.internal,*.example.com:443
                         [LAMBENT_OUTBOUND_ALLOW]
  --local-endpoints      let topics and API destinations call http(s) endpoints on this machine and in private
                         networks  [off, on with --dev; LAMBENT_LOCAL_ENDPOINTS=on]
  --resolvers LIST       name servers that functions ask; the host's by default  [LAMBENT_RESOLVERS]
  --environments-max N   execution environments at once  [1000; LAMBENT_ENVIRONMENTS_MAX]
  --prebooted N          processes of runtimes that may wait, booted, for a function; 0 for none  [100; LAMBENT_PREBOOTED]
  --concurrency-max N    concurrent executions of each account in each region  [1000; LAMBENT_CONCURRENCY_MAX]
  --stream-bytes-max N   largest answer that a function may stream  [209715200; LAMBENT_STREAM_BYTES_MAX]
  --stream-burst-bytes N, --stream-bytes-per-second N
                         how much of it goes out at once, and how fast the rest; 0 a second for no limit
                         [6291456, 2097152; LAMBENT_STREAM_BURST_BYTES, LAMBENT_STREAM_BYTES_PER_SECOND]
  --async-concurrency N  asynchronous invocations at once  [64; LAMBENT_ASYNC_CONCURRENCY]
  --runtimes-dir DIR     language runtimes installed on demand  [~/.cache/lambent/runtimes; LAMBENT_RUNTIMES_DIR]
  --code-cache-bytes N   unpacked code kept ready beyond what is in use  [10737418240; LAMBENT_CODE_CACHE_BYTES]
  --local-code LIST      folders that functions may run from as they stand there, with S3Bucket lambent-local and the
                         folder as S3Key; changes are seen at the next invocation  [none; LAMBENT_LOCAL_CODE]
  --registry-auth FILE   logins of the registries that container images come from, as in Docker's config.json
                         [none; LAMBENT_REGISTRY_AUTH]
  --insecure-registries LIST
                         registries (host:port) without TLS, beside those of this machine  [LAMBENT_INSECURE_REGISTRIES]
  --shard-throughput N   what a shard of a Kinesis stream takes and gives, as a multiple of AWS's limits; 0 for no limit
                         [1; LAMBENT_SHARD_THROUGHPUT]
  --event-rules N        rules that an event bus may have  [300; LAMBENT_EVENT_RULES]
  --brokers FILE         JSON: the Kafka clusters and message brokers behind the ARNs of MSK and Amazon MQ that event source
                         mappings name (docs/brokers.md)  [none; LAMBENT_BROKERS]
  --secrets FILE         JSON: secrets of event source mappings by their ARNs; mode 600  [none; LAMBENT_SECRETS]
  --user-pool-issuer URL what the issuer in the tokens of user pools begins with, or "aws" for AWS's own names
                         [http://localhost:PORT; LAMBENT_USER_POOL_ISSUER]
  --stop-grace-ms N      how long a stop waits for running invocations  [30000; LAMBENT_STOP_GRACE_MS]
  --dev                  give the server a clock that "lambent clock advance 5m" moves, for development
                         [off; LAMBENT_DEV=on]
  --log-level LEVEL      debug, info, warn, error: the server's own log, JSON lines on stderr  [info; LAMBENT_LOG_LEVEL]

Probes: GET /_lambent/health (the process answers), GET /_lambent/ready (requests are served).
Metrics: GET /_lambent/metrics, for Prometheus; with --auth on only from this machine.
SIGTERM finishes what runs and stops; a second one stops at once.`;

const text = { type: "string" } as const;

export const startCommand: Command = {
  help: HELP,
  options: {
    port: text,
    host: text,
    auth: text,
    "data-dir": text,
    "database-url": text,
    region: text,
    "availability-zone-id": text,
    sandbox: text,
    outbound: text,
    "outbound-allow": text,
    "local-endpoints": { type: "boolean" },
    resolvers: text,
    "environments-max": text,
    prebooted: text,
    "concurrency-max": text,
    "stream-bytes-max": text,
    "stream-burst-bytes": text,
    "stream-bytes-per-second": text,
    "async-concurrency": text,
    "runtimes-dir": text,
    "code-cache-bytes": text,
    "local-code": text,
    "registry-auth": text,
    "insecure-registries": text,
    "shard-throughput": text,
    "event-rules": text,
    brokers: text,
    secrets: text,
    "user-pool-issuer": text,
    "stop-grace-ms": text,
    dev: { type: "boolean" },
    "log-level": text,
  },
  async run(flags, positionals) {
    if (positionals.length > 0) throw new UsageError(`unexpected argument "${positionals[0]}"`);
    // From the first moment on: a server that is ended while it starts has something to put away too.
    const told = untilTold();
    const running = await begin(loadConfig(configFrom(flags)));
    printWelcome(running);
    await told;
    print(dim("Stopping: finishing what runs."));
    await running.stop();
    return EXIT.ok;
  },
};

/** Flags as configuration: `--data-dir` is `dataDir`. Values are validated by the configuration itself. */
export function configFrom(flags: Flags): ConfigInput {
  const named = Object.entries(flags).map(([flag, value]) => [
    flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    value === true ? "on" : value,
  ]);
  return Object.fromEntries(named) as ConfigInput;
}

/** Starts a server, with the two usual obstacles explained. */
export async function begin(config: ConfigInput): Promise<Running> {
  try {
    return await start(config);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "EADDRINUSE")
      throw new CommandError(
        `port ${config.port} is in use, perhaps by another Lambent. Stop that one, or start with --port 0.`,
        { cause: error },
      );
    if (code === "EACCES" || code === "EROFS")
      throw new CommandError(`${(error as Error).message}. Name a folder you may write to with --data-dir.`, {
        cause: error,
      });
    throw error;
  }
}

function printWelcome(running: Running): void {
  print(`${bold("Lambent")} ready at ${running.endpoint}`);
  print(dim(`  data       ${running.dataDir}`));
  print(dim(`  sandbox    ${running.isolation.provider}`));
  for (const missing of running.isolation.missing) print(yellow(`  warning    ${missing}`));
  if (running.credentialsFile) print(`  credentials of account 000000000000: ${running.credentialsFile}`);
  print(dim(`  use it     export AWS_ENDPOINT_URL=${running.endpoint}`));
}

/** Resolves at the first SIGTERM or SIGINT; the second ends the process at once. */
export async function untilTold(): Promise<void> {
  await new Promise<void>((resolve) => {
    let told = false;
    const listener = () => {
      if (told) {
        printError("Stopping at once.");
        process.exit(EXIT.failure);
      }
      told = true;
      resolve();
    };
    process.on("SIGTERM", listener);
    process.on("SIGINT", listener);
  });
}
