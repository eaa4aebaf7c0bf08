/** How accepted events are written: together with those that come while others are being made durable, and each only once it is. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { setImmediate as comeRound } from "node:timers/promises";
import { systemClock } from "../../src/kit/clock.ts";
import { randomIds } from "../../src/kit/id.ts";
import { Intake } from "../../src/services/lambda/events/intake.ts";
import { sql } from "../../src/store/index.ts";
import { DurableQueue } from "../../src/store/queue/durable-queue.ts";
import { migrations } from "../../src/store/queue/migrations.ts";
import { Wakeups } from "../../src/store/queue/wakeups.ts";
import { SqliteDatabase } from "../../src/store/sqlite/database.ts";
import { createLog } from "../../src/telemetry/log.ts";

const BATCHES = sql("test.batches", "SELECT jobs FROM queue_batch ORDER BY due_at, tie");

/** An intake on a disk whose syncs end when the test says so. @param slowMs From when on a transaction counts as slow. */
async function open(slowMs = Infinity) {
  const folder = await mkdtemp(join(tmpdir(), "lambent-intake-"));
  const held: { readonly done: () => void; readonly fail: (error: Error) => void }[] = [];
  let isHeld = false;
  const syncFile = () =>
    isHeld
      ? new Promise<void>((resolve, reject) => held.push({ done: resolve, fail: reject }))
      : Promise.resolve();
  const database = new SqliteDatabase(folder, { log: createLog("error", () => {}), syncFile });
  await database.migrate("store", migrations);
  const wakeups = new Wakeups(systemClock);
  const transact: SqliteDatabase["tx"] = (work) => database.tx(work);
  const queue = new DurableQueue({ clock: systemClock, ids: randomIds, database, transact, wakeups });
  const intake = new Intake(database, queue, slowMs);
  const answered: number[] = [];
  const job = (n: number) => ({ group: "g", payload: Buffer.from([n]) });
  isHeld = true;
  return {
    answered,
    send: async (n: number) => {
      await intake.write(job(n));
      answered.push(n);
    },
    /** The sync that runs, once it does. */
    async sync() {
      while (held.length === 0) await comeRound();
      return held.shift() as (typeof held)[number];
    },
    /** Batches that are committed, durable or not. */
    committed() {
      const reader = new DatabaseSync(join(folder, "lambent.db"), { readOnly: true });
      const row = reader.prepare("SELECT count(*) AS batches FROM queue_batch").get();
      reader.close();
      return Number(row?.batches);
    },
    async jobsOfBatches() {
      isHeld = false;
      for (const { done } of held.splice(0)) done();
      return (await database.all<{ jobs: number }>(BATCHES)).map(({ jobs }) => jobs);
    },
    async [Symbol.asyncDispose]() {
      await database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await comeRound();
}

void test("events that come while others become durable wait for these, and are one batch", async () => {
  await using opened = await open();
  const sent = [opened.send(0)];
  const first = await opened.sync();
  for (let n = 1; n <= 20; n += 1) {
    sent.push(opened.send(n));
    await comeRound();
  }
  assert.deepEqual(opened.answered, [], "nothing is answered before the disk has it");
  first.done();
  const second = await opened.sync();
  assert.deepEqual(opened.answered, [0]);
  await turns(20);
  assert.deepEqual(opened.answered, [0], "a batch waits for a sync of its own");
  second.done();
  await Promise.all(sent);
  assert.deepEqual(
    opened.answered,
    Array.from({ length: 21 }, (_, n) => n),
  );
  assert.deepEqual(await opened.jobsOfBatches(), [1, 20]);
});

void test("while each turn brings one, a batch waits for three of four callers that were there, and no longer", async () => {
  await using opened = await open();
  const sent = [opened.send(0)];
  const first = await opened.sync();
  for (let n = 1; n < 10; n += 1) sent.push(opened.send(n));
  first.done();
  const second = await opened.sync();
  // Ten callers at once: eight make a batch.
  sent.push(opened.send(10));
  second.done();
  // Within the turn of the event loop in which the answers go out.
  for (let step = 0; opened.answered.length < 10 && step < 10_000; step += 1) await Promise.resolve();
  for (let n = 11; n < 20; n += 1) {
    sent.push(opened.send(n));
    await comeRound();
  }
  (await opened.sync()).done();
  (await opened.sync()).done();
  await Promise.all(sent);
  const [, nine, most = 0, rest = 0] = await opened.jobsOfBatches();
  assert.equal(nine, 9);
  assert.ok(most >= 8 && most <= 9, `${most} of ten callers`);
  assert.equal(most + rest, 10);
});

void test("a batch waits for nobody when no more come", async () => {
  await using opened = await open();
  const sent = [opened.send(0)];
  const first = await opened.sync();
  for (let n = 1; n < 40; n += 1) sent.push(opened.send(n));
  first.done();
  (await opened.sync()).done();
  await Promise.all(sent);
  // Forty callers were there; the one that comes now is alone.
  const alone = opened.send(40);
  (await opened.sync()).done();
  await alone;
  assert.deepEqual(await opened.jobsOfBatches(), [1, 39, 1]);
});

void test("where a transaction took long, the next batch waits for none", async () => {
  await using opened = await open(0);
  const sent = [opened.send(0)];
  const first = await opened.sync();
  first.done();
  await Promise.all(sent);
  sent.push(opened.send(1));
  const second = await opened.sync();
  sent.push(opened.send(2));
  for (let turn = 0; turn < 1_000 && opened.committed() < 3; turn += 1) await comeRound();
  assert.equal(opened.committed(), 3, "committed beside the sync that runs");
  assert.deepEqual(opened.answered, [0]);
  second.done();
  (await opened.sync()).done();
  await Promise.all(sent);
  assert.deepEqual(await opened.jobsOfBatches(), [1, 1, 1]);
});

void test("events whose sync failed are refused, and so is what comes then", async () => {
  await using opened = await open();
  const first = opened.send(0);
  const sync = await opened.sync();
  const second = opened.send(1);
  sync.fail(new Error("the disk is gone"));
  await assert.rejects(first, /the disk is gone/);
  await assert.rejects(second, /the disk is gone/);
  await assert.rejects(opened.send(2), /the disk is gone/);
  assert.deepEqual(opened.answered, []);
});
