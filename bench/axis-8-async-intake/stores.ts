/** The durable stores that intake is held against, each driven by its own load generator: PostgreSQL's pgbench and Redis's. */
import { execFile, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Client } from "pg";
import { postgresMissing, startPostgres } from "../../test/harness/postgres.ts";
import { makeCpuGroup } from "../machine/cpu-group.ts";
import type { CpuGroup } from "../machine/cpu-group.ts";
import { clientCpus, pinProcess, serverCpus } from "../machine/cpus.ts";

const run = promisify(execFile);

export interface Store {
  readonly name: string;
  /** Durable writes of 256 bytes with so many clients. */
  measure(clients: number, durationMs: number): Promise<Writes>;
}

export interface Writes {
  readonly perSecond: number;
  /** CPU of all the store's processes, a write. */
  readonly cpuUs: number;
}

/** Stores of one server. */
export interface Stores {
  readonly stores: readonly Store[];
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

/** A queue as programs keep one in PostgreSQL: jobs are taken by the time at which they are due. */
const QUEUE = `
CREATE TABLE job (id bigserial PRIMARY KEY, visible_at timestamptz NOT NULL DEFAULT now(), attempts int DEFAULT 0, body text);
CREATE INDEX ON job (visible_at);`;

/**
 * PostgreSQL as Debian configures it, fsync on, over a Unix socket. Its clients insert by a prepared statement and send the body as its
 * parameter, as events come with theirs; or, under a name of its own, by a statement in text that makes the body itself.
 */
export async function startPostgresStores(): Promise<Stores | Missing> {
  const missing = postgresMissing();
  if (missing !== undefined) return { missing: `PostgreSQL is left out: ${missing}.` };
  const pgbench = newestPgbench();
  if (pgbench === undefined)
    return { missing: "PostgreSQL is left out: there is no pgbench beside its server." };
  const server = await startPostgres();
  const url = new URL(await server.newDatabase());
  const folder = url.searchParams.get("host") ?? "";
  const database = url.pathname.slice(1);
  const client = new Client({ connectionString: url.href });
  await client.connect();
  await client.query(QUEUE);
  await client.end();
  const [pid = ""] = readFileSync(join(folder, "data/postmaster.pid"), "utf8").split("\n");
  const group = measured([Number(pid), ...childrenOf(Number(pid))]);
  const scripts: string[] = [];
  const store = (name: string, body: string, words: readonly string[]): Store => {
    const script = join(dirname(folder), `${database}-${process.pid}-${scripts.length}.sql`);
    scripts.push(script);
    writeFileSync(script, `INSERT INTO job (body) VALUES (${body});\n`);
    const common = ["-h", folder, "-U", "postgres", "-n", "-f", script, ...words];
    return {
      name,
      async measure(clients, durationMs) {
        const seconds = String(Math.max(1, Math.round(durationMs / 1_000)));
        const before = group.usedUs();
        const { stdout } = await runPinned(pgbench, [
          ...common,
          "-c",
          String(clients),
          "-T",
          seconds,
          database,
        ]);
        const found = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1] ?? Number.NaN);
        const cpuUs = (group.usedUs() - before) / found(/actually processed: (\d+)/);
        return { perSecond: found(/^tps = ([\d.]+)/m), cpuUs };
      },
    };
  };
  return {
    stores: [
      store("PostgreSQL inserts", ":body", ["-M", "prepared", "-D", `body=${"x".repeat(BODY_BYTES)}`]),
      store("PostgreSQL inserts in text", `repeat('x', ${BODY_BYTES})`, ["-M", "simple"]),
    ],
    async stop() {
      for (const script of scripts) rmSync(script, { force: true });
      await server.stop();
      await group.remove();
    },
  };
}

/** Puts processes, and those they will start, on the servers' CPU and in a group that counts theirs. */
function measured(pids: readonly number[]): CpuGroup {
  const group = makeCpuGroup(`lambent-bench-${process.pid}-store-${pids[0]}`);
  for (const pid of pids) {
    writeFileSync(group.processesFile, String(pid));
    pinProcess(pid, serverCpus());
  }
  return group;
}

function childrenOf(pid: number): number[] {
  const { stdout } = spawnSync("pgrep", ["-P", String(pid)], { encoding: "utf8" });
  return stdout.split("\n").filter(Boolean).map(Number);
}

function newestPgbench(): string | undefined {
  const root = "/usr/lib/postgresql";
  return readdirSync(root)
    .sort((left, right) => Number(right) - Number(left))
    .map((version) => join(root, version, "bin/pgbench"))
    .find((program) => existsSync(program));
}

/** Redis that syncs before each answer, over a Unix socket. */
export async function startRedisStores(): Promise<Stores | Missing> {
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
  const group = measured([server.pid as number]);
  for (const end = Date.now() + START_MS_MAX; !existsSync(socket) && Date.now() < end;) await sleep(20);
  const store: Store = {
    name: "Redis appendfsync always",
    async measure(clients, durationMs) {
      const requests = Math.ceil((durationMs / 1_000) * REDIS_PER_SECOND_GUESS);
      const words = ["-s", socket, "-c", String(clients), "-n", String(requests), "-q"];
      const before = group.usedUs();
      const command = ["XADD", "stream", "*", "body", "x".repeat(BODY_BYTES)];
      const { stdout } = await runPinned("redis-benchmark", [...words, ...command]);
      const cpuUs = (group.usedUs() - before) / requests;
      return { perSecond: Number(/([\d.]+) requests per second/.exec(stdout)?.[1] ?? Number.NaN), cpuUs };
    },
  };
  return {
    stores: [store],
    async stop() {
      server.kill("SIGTERM");
      await gone;
      await group.remove();
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
