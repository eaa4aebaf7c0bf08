/** Contract of Database.migrate: applied once, in order, and refused by name when something does not fit. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "../../src/store/index.ts";
import type { Migration } from "../../src/store/index.ts";
import { onEveryEngine } from "./engines.ts";

const FIRST: Migration = {
  name: "001-first",
  sql: "CREATE TABLE one (id bigint); INSERT INTO one VALUES (1);",
};
const SECOND: Migration = { name: "002-second", sql: "INSERT INTO one VALUES (2)" };
const THIRD: Migration = { name: "003-third", sql: "INSERT INTO one VALUES (3)" };
const IDS = sql("test.ids", "SELECT id FROM one ORDER BY id");

onEveryEngine("Migrations", (engine) => {
  void test("are applied once, in order, also over several starts", async () => {
    await using fresh = await engine.fresh();
    await fresh.store.database.migrate("part", [FIRST, SECOND]);
    await fresh.store.database.migrate("part", [FIRST, SECOND]);
    const { database } = await fresh.reopen();
    await database.migrate("part", [FIRST, SECOND, THIRD]);
    const rows = await database.all<{ id: number }>(IDS);
    assert.deepEqual(
      rows.map(({ id }) => id),
      [1, 2, 3],
    );
  });

  void test("of two components know nothing of each other", async () => {
    await using fresh = await engine.fresh();
    const { database } = fresh.store;
    await database.migrate("part", [FIRST]);
    await database.migrate("other", [{ name: "001-first", sql: "CREATE TABLE two (id bigint)" }]);
    await database.migrate("part", [FIRST]);
  });

  void test("that were changed after they were applied are refused by name", async () => {
    await using fresh = await engine.fresh();
    const { database } = fresh.store;
    await database.migrate("part", [FIRST, SECOND]);
    await assert.rejects(
      database.migrate("part", [FIRST, { ...SECOND, sql: "INSERT INTO one VALUES (22)" }]),
      /Migration part\/002-second was changed after it was applied/,
    );
  });

  void test("that are missing or out of order are refused by name", async () => {
    await using fresh = await engine.fresh();
    const { database } = fresh.store;
    await database.migrate("part", [FIRST, THIRD]);
    await assert.rejects(
      database.migrate("part", [FIRST]),
      /part\/003-third was applied here but is missing/,
    );
    await assert.rejects(
      database.migrate("part", [FIRST, SECOND, THIRD]),
      /part\/002-second is out of order: 003-third was applied before it/,
    );
    await assert.rejects(
      database.migrate("part", [FIRST, THIRD, SECOND]),
      /part\/002-second is out of order: it is listed after 003-third/,
    );
    await assert.rejects(
      database.migrate("part", [FIRST, { name: "001-again", sql: "" }]),
      /part\/001-again is out of order/,
    );
    await assert.rejects(
      database.migrate("part", [{ name: "first", sql: "" }]),
      /part\/first is not named like 001-what-it-does/,
    );
  });

  void test("that fail leave nothing of themselves, and those before them applied", async () => {
    await using fresh = await engine.fresh();
    const { database } = fresh.store;
    const broken = { name: "002-broken", sql: "INSERT INTO one VALUES (2); INSERT INTO nowhere VALUES (1);" };
    await assert.rejects(database.migrate("part", [FIRST, broken]), /nowhere/);
    const rows = await database.all<{ id: number }>(IDS);
    assert.deepEqual(
      rows.map(({ id }) => id),
      [1],
    );
    await database.migrate("part", [FIRST, SECOND]);
  });

  void test("asked for several times at once are applied once", async () => {
    await using fresh = await engine.fresh();
    const stores = engine.name === "postgres" ? [fresh.store, await fresh.another()] : [fresh.store];
    await Promise.all(
      [...stores, ...stores].map(({ database }) => database.migrate("part", [FIRST, SECOND, THIRD])),
    );
    const rows = await fresh.store.database.all<{ id: number }>(IDS);
    assert.deepEqual(
      rows.map(({ id }) => id),
      [1, 2, 3],
    );
  });
});
