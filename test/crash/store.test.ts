/** A writer is killed with `kill -9` at random moments; every acknowledged write is there afterwards, and none half. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../src/kit/clock.ts";
import { randomIds } from "../../src/kit/id.ts";
import { openStore, sql } from "../../src/store/index.ts";
import type { Blobs, Store, StoreOptions } from "../../src/store/index.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { postgresMissing, startPostgres } from "../harness/postgres.ts";
import { blobContent, migrations, rewrittenContent } from "./store-content.ts";

const WRITER = fileURLToPath(new URL("store-writer.ts", import.meta.url));

/** Latest moment of a kill, in milliseconds after the writer has opened the store; for one in five, after its start. */
const KILL_MS_MAX = 250;

const HALVES = sql("crash.halves", "SELECT id, side FROM half");
const JOBS = sql("crash.jobs", "SELECT id, state FROM queue_job WHERE topic = 'work'");

/** The acknowledgements of all rounds, by their kind. */
type Acknowledged = Map<string, Set<string>>;

/** The same kills at the same moments in every run; a failure names its round. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

async function killWhileWriting(
  options: StoreOptions,
  round: number,
  kill: { afterMs: number; whileOpening: boolean },
  acknowledged: Acknowledged,
): Promise<void> {
  const parameters = [
    WRITER,
    options.dataDir,
    `${round}`,
    ...(options.postgresUrl ? [options.postgresUrl] : []),
  ];
  const writer = spawn(process.execPath, parameters, { stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  writer.stdout.on("data", (chunk: Buffer) => (printed += chunk.toString()));
  const closed = once(writer, "close");
  if (!kill.whileOpening) await Promise.race([once(writer.stdout, "data"), closed]);
  await sleep(kill.afterMs);
  assert.equal(writer.exitCode, null, "the writer did not end by itself");
  writer.kill("SIGKILL");
  await closed;
  // The last line may be cut: it was acknowledged all the same, but cannot be read.
  for (const line of printed.split("\n").slice(0, -1)) {
    const [kind = "", what = ""] = line.split(" ");
    acknowledged.set(kind, (acknowledged.get(kind) ?? new Set()).add(what));
  }
}

async function checkRows({ database }: Store, acknowledged: Acknowledged): Promise<void> {
  const sides = new Map<string, Set<string>>();
  for (const { id, side } of await database.all<{ id: string; side: string }>(HALVES)) {
    sides.set(id, (sides.get(id) ?? new Set()).add(side));
  }
  const jobs = new Map(
    (await database.all<{ id: string; state: string }>(JOBS)).map((job) => [job.id, job.state]),
  );
  for (const [id, found] of sides) {
    assert.ok(found.has("left") && found.has("right"), `${id} is half there`);
    assert.notEqual(found.has("done"), jobs.has(id), `${id} is either done or still a job`);
  }
  for (const id of jobs.keys()) assert.ok(sides.has(id), `job ${id} came with its rows`);
  for (const id of acknowledged.get("pair") ?? [])
    assert.ok(sides.has(id), `${id} was acknowledged and is lost`);
  for (const id of acknowledged.get("done") ?? [])
    assert.ok(sides.get(id)?.has("done"), `the end of ${id} is lost`);
}

async function checkBlobs(blobs: Blobs, acknowledged: Acknowledged): Promise<void> {
  const stored = new Set<string>();
  for await (const name of blobs.list("")) {
    stored.add(name);
    const bytes = await blobs.readAll(name);
    if (name.startsWith("new/")) assert.ok(bytes.equals(blobContent(name)), `${name} is whole`);
    else if (name.startsWith("content/")) {
      assert.equal(name, `content/${createHash("sha256").update(bytes).digest("hex")}`);
    } else assert.ok(bytes.equals(rewrittenContent(bytes[0] ?? 0)), `${name} is one version, whole`);
  }
  const deleted = acknowledged.get("deleted") ?? new Set();
  for (const name of deleted) assert.ok(!stored.has(name), `${name} was deleted and is back`);
  for (const name of acknowledged.get("blob") ?? []) {
    // Every third is deleted later, maybe without the word of it.
    if (Number(name.split("-").at(-1)) % 3 !== 2)
      assert.ok(stored.has(name), `${name} was acknowledged and is lost`);
  }
  for (const name of acknowledged.get("content") ?? []) assert.ok(stored.has(name), `${name} is lost`);
  if (acknowledged.has("rewritten")) assert.ok(stored.has("rewritten"));
}

async function killRepeatedly(
  engine: Pick<StoreOptions, "engine" | "postgresUrl">,
  kills: number,
  atLeast: number,
): Promise<Acknowledged> {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-crash-"));
  const options = { ...engine, dataDir, clock: systemClock, ids: randomIds, log: createLog("error") };
  const acknowledged: Acknowledged = new Map();
  const random = seededRandom(20_261_123);
  try {
    // A slow machine acknowledges little before it is killed; it is killed more often, until there is something to lose.
    const more = (round: number) => round < kills || (round < kills * 4 && !isBusy(acknowledged, atLeast));
    for (let round = 0; more(round); round += 1) {
      const kill = { afterMs: random() * KILL_MS_MAX, whileOpening: round % 5 === 3 };
      await killWhileWriting(options, round, kill, acknowledged);
      // Every round opens what the one before left; every fifth is checked as a whole, and so is the last.
      if (round % 5 !== 4 && more(round + 1)) continue;
      const store = await openStore(options);
      try {
        await store.database.migrate("crash", migrations);
        await checkRows(store, acknowledged);
        await checkBlobs(store.blobs, acknowledged);
      } catch (error) {
        throw new Error(`After kill ${round + 1} of ${kills}`, { cause: error });
      } finally {
        await store.close();
      }
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
  return acknowledged;
}

/** A test in which hardly anything was acknowledged would show nothing. */
function isBusy(acknowledged: Acknowledged, atLeast: number): boolean {
  const kinds = ["pair", "done", "blob", "content", "deleted"];
  return kinds.every((kind) => (acknowledged.get(kind)?.size ?? 0) >= atLeast);
}

void test("SQLite and files: fifty kills lose nothing that was acknowledged and leave nothing half", async (context) => {
  const acknowledged = await killRepeatedly({ engine: "sqlite" }, 50, 20);
  context.diagnostic(describe(acknowledged));
  assert.ok(isBusy(acknowledged, 20), "too little was acknowledged to show anything");
});

void test(
  "PostgreSQL and files: ten kills of the server lose nothing that was acknowledged and leave nothing half",
  { skip: postgresMissing() ?? false },
  async (context) => {
    const postgres = await startPostgres();
    try {
      const postgresUrl = await postgres.newDatabase();
      const acknowledged = await killRepeatedly({ engine: "postgres", postgresUrl }, 10, 1);
      context.diagnostic(describe(acknowledged));
      assert.ok(isBusy(acknowledged, 1), "too little was acknowledged to show anything");
    } finally {
      await postgres.stop();
    }
  },
);

function describe(acknowledged: Acknowledged): string {
  return `acknowledged: ${[...acknowledged].map(([kind, what]) => `${kind} ${what.size}`).join(", ")}`;
}
