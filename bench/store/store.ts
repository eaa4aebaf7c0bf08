/** The store beside its peers, in one run: node:sqlite with one synced row per commit, and PostgreSQL. `node bench/store/store.ts` */
import { fdatasyncSync, openSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Pool } from "pg";
import { systemClock } from "../../src/kit/clock.ts";
import { randomIds } from "../../src/kit/id.ts";
import { openStore, sql } from "../../src/store/index.ts";
import type { Store } from "../../src/store/index.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { postgresMissing, startPostgres } from "../../test/harness/postgres.ts";
import { load, median, row } from "./load.ts";
import type { Measured } from "./load.ts";

const ROUND_MS = 700;
const ROUNDS = 5;
const CALLERS = [1, 16, 128];
const PAYLOAD = Buffer.alloc(300, "x");

const TABLE = "CREATE TABLE item (id text PRIMARY KEY, payload blob)";
const INSERT = sql("bench.insert", "INSERT INTO item (id, payload) VALUES (?, ?)");
const SELECT = sql("bench.select", "SELECT payload FROM item WHERE id = ?");

interface Subject {
  readonly title: string;
  write(): Promise<unknown>;
}

const folder = await mkdtemp(join(tmpdir(), "lambent-bench-"));
const cleanups: (() => Promise<void>)[] = [() => rm(folder, { recursive: true, force: true })];
const missing = postgresMissing();
const postgres = missing === undefined ? await startPostgres() : undefined;
if (postgres) cleanups.unshift(() => postgres.stop());

try {
  const store = await opened("sqlite");
  const subjects = [
    { title: "Lambent on SQLite", write: () => insert(store) },
    bareSqlite(),
    ...(postgres ? [await barePostgres(await postgres.newDatabase())] : []),
  ];
  const onPostgres = postgres ? await opened("postgres", await postgres.newDatabase()) : undefined;
  if (onPostgres) subjects.push({ title: "Lambent on PostgreSQL", write: () => insert(onPostgres) });
  if (missing !== undefined) console.log(`PostgreSQL is left out: ${missing}\n`);
  console.log(`Machine: fdatasync of one 4 KiB write ${fdatasyncTimes()}\n`);
  for (const callers of CALLERS) await compareWrites(callers, subjects);
  await reads(store);
  await queueLifecycle("SQLite", store);
  if (onPostgres) await queueLifecycle("PostgreSQL", onPostgres);
  await blobs(store);
} finally {
  for (const clean of cleanups) await clean();
}

async function opened(engine: "sqlite" | "postgres", postgresUrl?: string): Promise<Store> {
  const dataDir = join(folder, engine);
  const log = createLog("warn");
  const store = await openStore({ dataDir, engine, postgresUrl, clock: systemClock, ids: randomIds, log });
  await store.database.migrate("bench", [{ name: "001-item", sql: TABLE }]);
  cleanups.unshift(() => store.close());
  return store;
}

function insert(store: Store): Promise<number> {
  return store.database.tx((tx) => tx.run(INSERT, randomIds.uuid(), PAYLOAD));
}

function bareSqlite(): Subject {
  const database = new DatabaseSync(join(folder, "bare.db"));
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  database.exec(TABLE);
  const statement = database.prepare(INSERT.text);
  cleanups.unshift(async () => database.close());
  return {
    title: "node:sqlite, FULL, a row per commit",
    write: async () => statement.run(randomIds.uuid(), PAYLOAD),
  };
}

async function barePostgres(connectionString: string): Promise<Subject> {
  const pool = new Pool({ connectionString, max: 48 });
  await pool.query(TABLE.replace("blob", "bytea"));
  cleanups.unshift(() => pool.end());
  const text = "INSERT INTO item (id, payload) VALUES ($1, $2)";
  return {
    title: "PostgreSQL by pg, a prepared insert (≤ 48 clients)",
    write: () => pool.query({ name: "insert", text, values: [randomIds.uuid(), PAYLOAD] }),
  };
}

/** The subjects take turns, so that a busy moment of the machine falls on all alike. */
async function compareWrites(callers: number, subjects: readonly Subject[]): Promise<void> {
  const rounds = new Map<string, Measured[]>(subjects.map(({ title }) => [title, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const subject of subjects) {
      rounds.get(subject.title)?.push(await load(callers, ROUND_MS, () => subject.write()));
    }
  }
  console.log(
    `Durable inserts of one row, ${callers} at once (median of ${ROUNDS} rounds of ${ROUND_MS} ms, in turns)`,
  );
  const [first] = subjects;
  const own = median(rounds.get(first?.title ?? "") ?? []);
  for (const [title, measured] of rounds) {
    const middle = median(measured);
    const ratio = title === first?.title ? "" : `   ours ${(own.perSecond / middle.perSecond).toFixed(2)}×`;
    console.log(`  ${row(title, middle)}${ratio}`);
  }
  console.log();
}

async function reads(store: Store): Promise<void> {
  const id = randomIds.uuid();
  await store.database.tx((tx) => tx.run(INSERT, id, PAYLOAD));
  const quiet = await load(1, ROUND_MS, () => store.database.get(SELECT, id));
  console.log("Reads of one row by key");
  console.log(`  ${row("alone", quiet)}`);
  const writers = new AbortController();
  const writing = Promise.all(
    Array.from({ length: 16 }, async () => {
      while (!writers.signal.aborted) await insert(store);
    }),
  );
  const busy = await load(16, ROUND_MS, () => store.database.get(SELECT, id));
  writers.abort();
  await writing;
  console.log(`  ${row("16 at once, beside 16 writers", busy)}\n`);
}

async function queueLifecycle(engine: string, { queue, database }: Store): Promise<void> {
  console.log(`Queue on ${engine}`);
  const job = { topic: "bench", payload: PAYLOAD };
  const enqueued = await load(48, ROUND_MS, () => database.tx((tx) => queue.enqueue(tx, job)));
  console.log(`  ${row("enqueue, 48 at once", enqueued)}`);
  const { due } = await queue.depth("bench");
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (;;) {
        const jobs = await queue.claim("bench", 10, 60_000);
        if (jobs.length === 0) return;
        await database.tx(async (tx) => {
          for (const one of jobs) await queue.acknowledge(one, tx);
        });
      }
    }),
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  console.log(`  claim and acknowledge by tens, 8 at once: ${Math.round(due / seconds)} jobs/s`);
  const stop = new AbortController();
  const woken = await load(1, ROUND_MS, async () => {
    const waiting = queue.wait("bench", stop.signal);
    await database.tx((tx) => queue.enqueue(tx, job));
    await waiting;
    const [claimed] = await queue.claim("bench", 1, 60_000);
    if (claimed) await queue.acknowledge(claimed);
  });
  console.log(`  ${row("enqueue → woken → claimed → acknowledged", woken)}\n`);
}

async function blobs({ blobs: files }: Store): Promise<void> {
  console.log("Blobs (two syncs each: the file and its folder)");
  for (const bytes of [4_096, 1_048_576]) {
    const content = Buffer.alloc(bytes, "y");
    let count = 0;
    const put = await load(16, ROUND_MS, () => files.put(`bench/${bytes}/${(count += 1)}`, content));
    console.log(`  ${row(`put ${bytes} bytes, 16 at once`, put)}`);
    const read = await load(16, ROUND_MS, () => files.readAll(`bench/${bytes}/1`));
    console.log(`  ${row(`read ${bytes} bytes, 16 at once`, read)}`);
  }
}

function fdatasyncTimes(): string {
  const file = openSync(join(folder, "sync"), "w");
  const page = Buffer.alloc(4_096);
  const times = Array.from({ length: 500 }, () => {
    writeSync(file, page);
    const begun = performance.now();
    fdatasyncSync(file);
    return performance.now() - begun;
  }).sort((left, right) => left - right);
  return `p50 ${times[250]?.toFixed(3)} ms, p99 ${times[495]?.toFixed(3)} ms`;
}
