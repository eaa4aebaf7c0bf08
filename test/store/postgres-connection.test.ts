/** What only PostgreSQL has: connections that break, and databases that do not fit. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { randomIds } from "../../src/kit/id.ts";
import { sql } from "../../src/store/index.ts";
import { PostgresDatabase } from "../../src/store/postgres/database.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { postgresMissing, startPostgres } from "../harness/postgres.ts";
import type { TestPostgres } from "../harness/postgres.ts";
import { freshStore } from "./engines.ts";

const ONE = sql("test.one", "SELECT 1 AS one");

/** Ends all connections of the database, as a restart of the server does. */
async function cutConnections(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
  );
  await client.end();
}

void describe("A store on PostgreSQL", { skip: postgresMissing() ?? false }, () => {
  let postgres: TestPostgres;
  before(async () => {
    postgres = await startPostgres();
  });
  after(() => postgres.stop());

  void test("rejects a transaction whose connection breaks, and goes on with the next", async () => {
    const postgresUrl = await postgres.newDatabase();
    await using fresh = await freshStore({ engine: "postgres", postgresUrl });
    const { database } = fresh.store;
    await assert.rejects(
      database.tx(async (tx) => {
        await tx.get(ONE);
        await cutConnections(postgresUrl);
        await sleep(50);
        await tx.get(ONE);
      }),
    );
    assert.equal((await database.tx((tx) => tx.get<{ one: number }>(ONE)))?.one, 1);
    assert.equal((await database.get<{ one: number }>(ONE))?.one, 1);
    assert.match(fresh.logged.join(""), /A connection to PostgreSQL was lost/);
  });

  void test("reads and begins transactions on, whichever of its idle connections broke", async () => {
    const postgresUrl = await postgres.newDatabase();
    await using fresh = await freshStore({ engine: "postgres", postgresUrl });
    const { database } = fresh.store;
    const eight = Array.from({ length: 8 });
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(eight.map(() => database.get(ONE)));
      // Nothing has told the server of it yet when it asks.
      await cutConnections(postgresUrl);
      const reads = await Promise.all(eight.map(() => database.get<{ one: number }>(ONE)));
      assert.ok(reads.every((row) => row?.one === 1));
      await cutConnections(postgresUrl);
      assert.equal((await database.tx((tx) => tx.get<{ one: number }>(ONE)))?.one, 1);
    }
  });

  void test("hears other servers again after its connection for wake-ups broke", async () => {
    const postgresUrl = await postgres.newDatabase();
    await using fresh = await freshStore({ engine: "postgres", postgresUrl });
    const other = await fresh.another();
    await cutConnections(postgresUrl);
    const waiting = fresh.store.queue.wait("work", AbortSignal.timeout(30_000));
    await other.database.tx((tx) => other.queue.enqueue(tx, { topic: "work", payload: Buffer.from("x") }));
    await waiting;
    for (let look = 0; (await fresh.store.queue.depth("work")).due === 0; look += 1) assert.ok(look < 100);
    assert.equal((await fresh.store.queue.claim("work", 1, 1_000)).length, 1);
  });

  void test("undoes a transaction that waits for something else, and goes on", async () => {
    const log = createLog("error");
    const url = await postgres.newDatabase();
    const database = await PostgresDatabase.open(url, { log, ids: randomIds, stuckMs: 200 });
    await assert.rejects(
      database.tx(async (tx) => {
        await tx.get(ONE);
        await sleep(1_000);
      }),
    );
    assert.equal((await database.get<{ one: number }>(ONE))?.one, 1);
    await database.close();
  });

  void test("refuses a database that does not order text by its bytes, and says how to make one", async () => {
    const postgresUrl = await postgres.newDatabase(
      "TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'",
    );
    await assert.rejects(
      freshStore({ engine: "postgres", postgresUrl }),
      /does not order text by its UTF-8 bytes.*CREATE DATABASE lambent/,
    );
  });

  void test("warns when PostgreSQL itself is set to lose what it accepted", async () => {
    const careless = await startPostgres(["fsync=off"]);
    try {
      await using fresh = await freshStore({ engine: "postgres", postgresUrl: await careless.newDatabase() });
      assert.match(fresh.logged.join(""), /PostgreSQL runs with fsync off/);
    } finally {
      await careless.stop();
    }
  });
});
