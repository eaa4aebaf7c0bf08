/** The durable stores that intake is held against, each driven by its own load generator: PostgreSQL's pgbench and Redis's. */
import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Client } from "pg";
import { postgresMissing, startPostgres } from "../../test/harness/postgres.ts";
import { clientCpus, pinProcess, serverCpus } from "../machine/cpus.ts";

const run = promisify(execFile);

export interface Store {
  readonly name: string;
  /** Durable writes of 256 bytes a second with so many clients. */
  perSecond(clients: number, durationMs: number): Promise<number>;
  stop(): Promise<void>;
}

/** Why a store is left out: a full sentence, with how to get it. */
export interface Missing {
  readonly missing: string;
}

const BODY_BYTES = 256;
const START_MS_MAX = 10_000;
/** What redis-benchmark, which counts requests and not seconds, may be expected to do at least, a second. */
const REDIS_PER_SECOND_GUESS = 10_000;

/** PostgreSQL as Debian configures it, fsync on, over a Unix socket. */
export async function startPostgresStore(): Promise<Store | Missing> {
  const missing = postgresMissing();
  if (missing !== undefined) return { missing: `PostgreSQL is left out: ${missing}.` };
  const pgbench = newestPgbench();
  if (pgbench === undefined)
    return { missing: "PostgreSQL is left out: there is no pgbench beside its server." };
  const server = await startPostgres();
  const url = new URL(await server.newDatabase());
  const folder = url.searchParams.get("host") ?? "";
  const database = url.pathname.slice(1);
  const [pid = ""] = readFileSync(join(folder, "data/postmaster.pid"), "utf8").split("\n");
  pinProcess(Number(pid), serverCpus());
  const client = new Client({ connectionString: url.href });
  await client.connect();
  await client.query("CREATE TABLE item (id bigserial PRIMARY KEY, body text)");
  await client.end();
  const script = join(dirname(folder), `${database}-${process.pid}.sql`);
  writeFileSync(script, `INSERT INTO item (body) VALUES (repeat('x', ${BODY_BYTES}));\n`);
  return {
    name: "PostgreSQL inserts",
    async perSecond(clients, durationMs) {
      const seconds = String(Math.max(1, Math.round(durationMs / 1_000)));
      const words = [
        "-h",
        folder,
        "-U",
        "postgres",
        "-n",
        "-f",
        script,
        "-c",
        String(clients),
        "-T",
        seconds,
      ];
      const { stdout } = await runPinned(pgbench, [...words, "-M", "prepared", database]);
      return Number(/^tps = ([\d.]+)/m.exec(stdout)?.[1] ?? Number.NaN);
    },
    async stop() {
      rmSync(script, { force: true });
      await server.stop();
    },
  };
}

function newestPgbench(): string | undefined {
  const root = "/usr/lib/postgresql";
  return readdirSync(root)
    .sort((left, right) => Number(right) - Number(left))
    .map((version) => join(root, version, "bin/pgbench"))
    .find((program) => existsSync(program));
}

/** Redis that syncs before each answer, over a Unix socket. */
export async function startRedisStore(): Promise<Store | Missing> {
  if (!isThere("redis-server") || !isThere("redis-benchmark"))
    return {
      missing:
        "Redis is left out: there is no redis-server on this machine; install Debian's package redis-server.",
    };
  const folder = mkdtempSync(join(tmpdir(), "lambent-bench-redis-"));
  const socket = join(folder, "socket");
  const settings = ["--port", "0", "--unixsocket", socket, "--dir", folder, "--save", ""];
  const durable = ["--appendonly", "yes", "--appendfsync", "always"];
  const server = spawn("redis-server", [...settings, ...durable], { stdio: "ignore" });
  const gone = once(server, "exit");
  pinProcess(server.pid as number, serverCpus());
  for (const end = Date.now() + START_MS_MAX; !existsSync(socket) && Date.now() < end;) await sleep(20);
  return {
    name: "Redis appendfsync always",
    async perSecond(clients, durationMs) {
      const requests = String(Math.ceil((durationMs / 1_000) * REDIS_PER_SECOND_GUESS));
      const words = ["-s", socket, "-c", String(clients), "-n", requests, "-q"];
      const { stdout } = await runPinned("redis-benchmark", [
        ...words,
        "XADD",
        "stream",
        "*",
        "body",
        "x".repeat(BODY_BYTES),
      ]);
      return Number(/([\d.]+) requests per second/.exec(stdout)?.[1] ?? Number.NaN);
    },
    async stop() {
      server.kill("SIGTERM");
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function runPinned(program: string, words: readonly string[]): Promise<{ stdout: string }> {
  const cpus = clientCpus();
  return cpus === undefined ? run(program, words) : run("taskset", ["-c", cpus, program, ...words]);
}

function isThere(program: string): boolean {
  try {
    execFileSync(program, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
