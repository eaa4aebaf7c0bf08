/** A PostgreSQL of the test's own, from Debian's package, on a Unix socket in a temporary folder. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { once } from "node:events";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";

const PACKAGES = "/usr/lib/postgresql";
const SUPERUSER = "postgres";
const START_MS_MAX = 30_000;

export interface TestPostgres {
  /** Makes an empty database, with `options` of CREATE DATABASE, and answers its address. */
  newDatabase(options?: string): Promise<string>;
  /** Stops a server of one's own; the shared one ends with its process. */
  stop(): Promise<void>;
}

/** Why there is no PostgreSQL for tests on this machine; undefined when there is. To be given to `skip`. */
export function postgresMissing(): string | undefined {
  if (binaries() === undefined) return `no PostgreSQL in ${PACKAGES}; install Debian's package postgresql`;
  if (process.getuid?.() === 0 && serverUser() === undefined) {
    return `PostgreSQL does not run as root, and there is no user ${SUPERUSER}`;
  }
  return undefined;
}

let sharedServer: Promise<TestPostgres> | undefined;

/** This process's server, ordered by bytes, that trusts whoever reaches its socket; with settings, one of one's own. */
export async function startPostgres(settings?: readonly string[]): Promise<TestPostgres> {
  if (settings) return startServer(settings);
  return { ...(await (sharedServer ??= startServer([]))), stop: () => Promise.resolve() };
}

async function startServer(settings: readonly string[]): Promise<TestPostgres> {
  const folder = mkdtempSync(join(tmpdir(), "lambent-postgres-"));
  const user = process.getuid?.() === 0 ? serverUser() : undefined;
  if (user) chownSync(folder, user.uid, user.gid);
  const programs = binaries() as string;
  const data = join(folder, "data");
  execFileSync(
    join(programs, "initdb"),
    ["-D", data, "--locale=C", "--encoding=UTF8", "--auth=trust", `--username=${SUPERUSER}`, "--no-sync"],
    { ...user, cwd: folder, stdio: "pipe" },
  );
  const server = spawn(
    join(programs, "postgres"),
    [
      "-D",
      data,
      "-k",
      folder,
      "-h",
      "",
      ...["max_connections=80", ...settings].flatMap((one) => ["-c", one]),
    ],
    { ...user, cwd: folder, stdio: ["ignore", "ignore", "pipe"] },
  );
  let printed = "";
  server.stderr.on("data", (chunk: Buffer) => (printed = (printed + chunk.toString()).slice(-4_000)));
  const gone = once(server, "exit");
  // Should the process end without stop().
  const clean = () => {
    const end = ["stop", "-D", data, "-m", "immediate", "-s"];
    spawnSync(join(programs, "pg_ctl"), end, { ...user, cwd: folder, stdio: "ignore" });
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", clean);
  const address = (database: string) => `postgres://${SUPERUSER}@localhost/${database}?host=${folder}`;
  await untilAnswers(
    address("postgres"),
    () => server.exitCode !== null,
    () => printed,
  );
  // The tests keep the process alive, not what they share.
  server.unref();
  (server.stderr as Socket).unref();
  let databases = 0;
  return {
    async newDatabase(options = "") {
      databases += 1;
      const name = `test_${databases}`;
      await execute(address("postgres"), `CREATE DATABASE ${name} ${options}`);
      return address(name);
    },
    async stop() {
      server.ref();
      server.kill("SIGINT");
      await gone;
      process.removeListener("exit", clean);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function untilAnswers(address: string, isDead: () => boolean, printed: () => string): Promise<void> {
  const until = Date.now() + START_MS_MAX;
  for (;;) {
    try {
      await execute(address, "SELECT 1");
      return;
    } catch (error) {
      if (isDead() || Date.now() > until) {
        throw new Error(`PostgreSQL did not start:\n${printed()}`, { cause: error });
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

async function execute(address: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: address });
  try {
    await client.connect();
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** The programs' folder of the newest version installed. */
function binaries(): string | undefined {
  if (!existsSync(PACKAGES)) return undefined;
  return readdirSync(PACKAGES)
    .sort((left, right) => Number(right) - Number(left))
    .map((version) => join(PACKAGES, version, "bin"))
    .find((folder) => existsSync(join(folder, "initdb")));
}

function serverUser(): { uid: number; gid: number } | undefined {
  try {
    const id = (flag: string) => Number(execFileSync("id", [flag, SUPERUSER], { stdio: "pipe" }).toString());
    return { uid: id("-u"), gid: id("-g") };
  } catch {
    return undefined;
  }
}
