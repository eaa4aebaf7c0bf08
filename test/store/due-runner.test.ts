/** Contract of DueRunner: what is due is done at its time, once, on one of the servers that share a database. */
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { test } from "node:test";
import type { Clock } from "../../src/kit/clock.ts";
import { DueRunner } from "../../src/store/due-runner.ts";
import { sql } from "../../src/store/index.ts";
import type { Store } from "../../src/store/index.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { onEveryEngine } from "./engines.ts";

const TOPIC = "test.due";
const MIGRATION = {
  name: "001-due",
  sql: `CREATE TABLE test_due (name text PRIMARY KEY, due_at bigint NOT NULL);
CREATE TABLE test_done (name text NOT NULL, server bigint NOT NULL);`,
};
const INSERT = sql("test_due.insert", "INSERT INTO test_due (name, due_at) VALUES (?, ?)");
const FIRST = sql("test_due.first", "SELECT name, due_at FROM test_due ORDER BY due_at LIMIT 1");
const REMOVE = sql("test_due.remove", "DELETE FROM test_due WHERE name = ? AND due_at = ?");
const DONE = sql("test_due.done", "INSERT INTO test_done (name, server) VALUES (?, ?)");
const ALL = sql("test_due.all", "SELECT name, server FROM test_done ORDER BY name");

interface Row {
  readonly name: string;
  readonly due_at: number;
}

function runner({ database, signals }: Store, clock: Clock, server: number, told: EventEmitter) {
  let failures = 0;
  return new DueRunner(
    { clock, signals, log: createLog("error", () => {}) },
    {
      topic: TOPIC,
      nextDue: async () => (await database.get<Row>(FIRST))?.due_at,
      async runDue() {
        const row = await database.get<Row>(FIRST);
        if (row?.name === "fails-once" && failures++ === 0) throw new Error("no such luck");
        await database.tx(async (tx) => {
          if (!row || (await tx.run(REMOVE, row.name, row.due_at)) === 0) return;
          await tx.run(DONE, row.name, server);
          tx.afterCommit(() => told.emit("done", row.name));
        });
      },
    },
  );
}

onEveryEngine("A due runner", (engine) => {
  void test("does what is due at its time, once, on one of its servers; what failed is tried again", async () => {
    await using fresh = await engine.fresh();
    const { store, clock } = fresh;
    await store.database.migrate("test-due", [MIGRATION]);
    const stores = engine.name === "postgres" ? [store, await fresh.another()] : [store];
    const told = new EventEmitter();
    const runners = stores.map((one, index) => runner(one, clock, index, told));
    for (const one of runners) one.start();
    const insert = async (name: string, at: number) =>
      store.database.tx(async (tx) => {
        await tx.run(INSERT, name, at);
        await store.signals.send(tx, TOPIC);
      });
    const due = clock.now() + 3_600_000;
    for (let index = 0; index < 20; index++) await insert(`n${index}`, due + index);
    assert.equal(await runners[0]?.settle(), due, "nothing is due yet");
    assert.deepEqual(await store.database.all(ALL), []);
    const last = new Promise<void>((resolve) => told.on("done", (name) => name === "n19" && resolve()));
    await clock.advance(3_600_100);
    await last;
    for (const one of runners) assert.equal(await one.settle(), undefined);
    assert.equal((await store.database.all(ALL)).length, 20);
    const again = once(told, "done");
    await insert("fails-once", clock.now());
    // A server that failed waits a second before it looks again; on PostgreSQL the other may have done it.
    const passing = setInterval(() => void clock.advance(500), 10);
    await again;
    clearInterval(passing);
    assert.equal((await store.database.all(ALL)).length, 21);
    for (const one of runners) await one.stop();
  });
});
