/** Contract of Database: transactions, isolation, rollback, values and concurrency, on every engine. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "../../src/store/index.ts";
import type { Database } from "../../src/store/index.ts";
import { onEveryEngine } from "./engines.ts";

const INSERT = sql("test.insert", "INSERT INTO item (id, amount) VALUES (?, ?)");
const SELECT = sql("test.select", "SELECT id, amount FROM item WHERE id = ?");
const ALL = sql("test.all", "SELECT id, amount FROM item ORDER BY id");
const ADD = sql("test.add", "UPDATE item SET amount = amount + ? WHERE id = ?");
const SET = sql("test.set", "UPDATE item SET amount = ? WHERE id = ?");
const COUNT = sql("test.count", "SELECT count(*) AS items FROM item");
const INSERT_VALUE = sql(
  "test.insert-value",
  "INSERT INTO kind (id, whole, real_number, words, bytes) VALUES (?, ?, ?, ?, ?)",
);
const SELECT_VALUE = sql(
  "test.select-value",
  "SELECT whole, real_number, words, bytes FROM kind WHERE id = ?",
);

interface Item {
  id: string;
  amount: number;
}

async function withTables(database: Database): Promise<Database> {
  await database.migrate("test", [
    {
      name: "001-tables",
      sql: `CREATE TABLE item (id text NOT NULL PRIMARY KEY, amount bigint NOT NULL CHECK (amount >= 0));
            CREATE TABLE kind (id bigint NOT NULL PRIMARY KEY, whole bigint, real_number double precision, words text, bytes blob);`,
    },
  ]);
  return database;
}

onEveryEngine("A transaction", (engine) => {
  void test("commits everything it wrote, and sees its own writes before", async () => {
    await using fresh = await engine.fresh();
    const database = await withTables(fresh.store.database);
    const seen = await database.tx(async (tx) => {
      assert.equal(await tx.run(INSERT, "a", 1), 1);
      await tx.run(INSERT, "b", 2);
      assert.equal(await tx.run(ADD, 5, "nothing"), 0);
      return tx.all<Item>(ALL);
    });
    assert.deepEqual(
      seen.map((row) => ({ ...row })),
      [
        { id: "a", amount: 1 },
        { id: "b", amount: 2 },
      ],
    );
    assert.equal((await database.get<Item>(SELECT, "b"))?.amount, 2);
    assert.equal(await database.get<Item>(SELECT, "c"), undefined);
  });

  void test("survives closing and opening", async () => {
    await using fresh = await engine.fresh();
    const database = await withTables(fresh.store.database);
    await database.tx((tx) => tx.run(INSERT, "a", 1));
    const reopened = await fresh.reopen();
    await withTables(reopened.database);
    assert.equal((await reopened.database.get<Item>(SELECT, "a"))?.amount, 1);
  });

  void test("writes nothing when its work rejects, and disturbs no other", async () => {
    await using fresh = await engine.fresh();
    const database = await withTables(fresh.store.database);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        database.tx(async (tx) => {
          await tx.run(INSERT, `item-${String(index).padStart(2, "0")}`, index);
          if (index % 2 === 1) throw new Error(`no ${index}`);
        }),
      ),
    );
    assert.equal(outcomes.filter(({ status }) => status === "rejected").length, 10);
    const rows = await database.all<Item>(ALL);
    assert.deepEqual(
      rows.map((row) => row.amount),
      [0, 2, 4, 6, 8, 10, 12, 14, 16, 18],
    );
  });

  void test("a failed statement fails it by the statement's name, even when the work caught the error", async () => {
    await using fresh = await engine.fresh();
    const database = await withTables(fresh.store.database);
    await database.tx((tx) => tx.run(INSERT, "a", 1));
    await assert.rejects(
      database.tx(async (tx) => {
        await tx.run(INSERT, "b", 1);
        await tx.run(INSERT, "a", 1).catch(() => undefined);
      }),
      /^StatementError: test\.insert: /,
    );
    await assert.rejects(
      database.tx((tx) => tx.run(ADD, -5, "a")),
      /test\.add/,
    );
    assert.equal((await database.get<{ items: number }>(COUNT))?.items, 1);
  });

  void test("is invisible to readers until it has committed", async () => {
    await using fresh = await engine.fresh();
    const database = await withTables(fresh.store.database);
    await database.tx(async (tx) => {
      await tx.run(INSERT, "a", 1);
      assert.equal(await database.get<Item>(SELECT, "a"), undefined);
    });
    assert.equal((await database.get<Item>(SELECT, "a"))?.amount, 1);
  });

  void test("is serialisable: concurrent increments all count, whatever they read before they write", async () => {
    await using fresh = await engine.fresh();
    const database = await withTables(fresh.store.database);
    await database.tx((tx) => tx.run(INSERT, "a", 0));
    await Promise.all(
      Array.from({ length: 40 }, () =>
        database.tx(async (tx) => {
          const row = await tx.get<Item>(SELECT, "a");
          await tx.run(SET, (row?.amount ?? 0) + 1, "a");
        }),
      ),
    );
    assert.equal((await database.get<Item>(SELECT, "a"))?.amount, 40);
  });

  void test("is serialisable: of two that each read what the other writes, one sees the other (no write skew)", async () => {
    await using fresh = await engine.fresh();
    const database = await withTables(fresh.store.database);
    await database.tx(async (tx) => {
      await tx.run(INSERT, "a", 1);
      await tx.run(INSERT, "b", 1);
    });
    // Rule: at least one of them stays 1.
    const takeFrom = (id: string) =>
      database.tx(async (tx) => {
        const rows = await tx.all<Item>(ALL);
        if (rows.reduce((sum, row) => sum + row.amount, 0) >= 2) await tx.run(SET, 0, id);
      });
    await Promise.all([takeFrom("a"), takeFrom("b")]);
    const rows = await database.all<Item>(ALL);
    assert.equal(
      rows.reduce((sum, row) => sum + row.amount, 0),
      1,
    );
  });

  void test("runs its after-commit actions after the commit, in order, and never when it fails", async () => {
    await using fresh = await engine.fresh();
    const database = await withTables(fresh.store.database);
    const events: string[] = [];
    await database.tx(async (tx) => {
      tx.afterCommit(() => events.push("first"));
      tx.afterCommit(() => {
        throw new Error("of no concern to the others");
      });
      tx.afterCommit(() => events.push("second"));
      tx.onCommit(() => events.push("committed"));
      tx.onRollback(() => events.push("never"));
      await tx.run(INSERT, "a", 1);
      events.push("work");
    });
    await assert.rejects(
      database.tx(async (tx) => {
        tx.afterCommit(() => events.push("never"));
        tx.onCommit(() => events.push("never"));
        tx.onRollback(() => events.push("undone"));
        await tx.run(INSERT, "a", 1);
      }),
    );
    assert.deepEqual(
      events.filter((event) => event !== "committed"),
      ["work", "first", "second", "undone"],
    );
    assert.ok(events.indexOf("committed") > 0);
    assert.match(fresh.logged.join(""), /An action after a transaction failed/);
  });

  void test("can run nothing once it is over", async () => {
    await using fresh = await engine.fresh();
    const database = await withTables(fresh.store.database);
    const kept = await database.tx(async (tx) => ({ tx }));
    await assert.rejects(kept.tx.run(INSERT, "a", 1), /The transaction is over/);
    assert.throws(() => kept.tx.afterCommit(() => undefined), /The transaction is over/);
    assert.throws(() => kept.tx.onCommit(() => undefined), /The transaction is over/);
  });

  void test("is refused after the store was closed, and one that runs is finished first", async () => {
    await using fresh = await engine.fresh();
    const database = await withTables(fresh.store.database);
    const running = database.tx((tx) => tx.run(INSERT, "a", 1));
    const closed = fresh.store.close();
    await assert.rejects(
      database.tx((tx) => tx.run(INSERT, "b", 1)),
      /The store is closed/,
    );
    await assert.rejects(database.get(SELECT, "a"), /The store is closed/);
    assert.equal(await running, 1);
    await closed;
    const reopened = await fresh.reopen();
    assert.equal((await reopened.database.all<Item>(ALL)).length, 1);
  });

  void test("of many rows does not keep the event loop", async () => {
    await using fresh = await engine.fresh();
    const database = await withTables(fresh.store.database);
    let rounds = 0;
    const beat = setInterval(() => (rounds += 1), 1);
    await database.tx(async (tx) => {
      for (let row = 0; row < 8_000; row += 1) await tx.run(INSERT, `row-${row}`, row);
    });
    clearInterval(beat);
    assert.ok(rounds >= 3, `the event loop went round ${rounds} times`);
    assert.equal((await database.get<{ items: number }>(COUNT))?.items, 8_000);
  });
});

onEveryEngine("A value", (engine) => {
  void test("comes out as it went in", async () => {
    await using fresh = await engine.fresh();
    const database = await withTables(fresh.store.database);
    const bytes = Buffer.from([0, 1, 255, 63, 92]);
    const values = [
      [Number.MAX_SAFE_INTEGER, 0.1, "naïve 'quoted' \\x00 ? $1 🐘", bytes],
      [Number.MIN_SAFE_INTEGER, -1e300, "", Buffer.alloc(0)],
      [0, 5, "line\nline", new Uint8Array([7])],
      [null, null, null, null],
    ] as const;
    await database.tx(async (tx) => {
      for (const [id, row] of values.entries()) await tx.run(INSERT_VALUE, id, ...row);
    });
    for (const [id, [whole, real, words, binary]] of values.entries()) {
      const row = await database.get<Record<string, unknown>>(SELECT_VALUE, id);
      assert.deepEqual(
        [row?.["whole"], row?.["real_number"], row?.["words"], row?.["bytes"]],
        [whole, real, words, binary === null ? null : Buffer.from(binary)],
      );
      if (binary !== null) assert.ok(Buffer.isBuffer(row?.["bytes"]));
    }
  });

  void test("that no JavaScript number can hold is an error, not a wrong number", async () => {
    await using fresh = await engine.fresh();
    const large = sql("test.large", "SELECT 9007199254740993 AS large");
    await assert.rejects(fresh.store.database.get(large), /9007199254740993/);
  });

  void test("is computed, compared, counted and ordered alike", async () => {
    await using fresh = await engine.fresh();
    const database = await withTables(fresh.store.database);
    await database.tx(async (tx) => {
      for (const [amount, id] of ["b", "a/", "a", "a-", "B", "é", "a0", "_"].entries())
        await tx.run(INSERT, id, amount);
    });
    const ids = (await database.all<Item>(ALL)).map(({ id }) => id);
    assert.deepEqual(ids, ["B", "_", "a", "a-", "a/", "a0", "b", "é"]);
    const row = await database.get<Record<string, unknown>>(
      sql(
        "test.computed",
        `SELECT sum(amount) AS total, count(*) AS items, avg(amount) AS mean, EXISTS (SELECT 1 FROM item) AS is_any,
          '?' AS mark, 'n' || max(id) AS joined, 7 / 2 AS divided, length(CAST('é' AS text)) AS characters
         FROM item WHERE id LIKE ? OR id = ?`,
      ),
      "a%",
      "A",
    );
    assert.deepEqual(
      { ...row },
      { total: 12, items: 4, mean: 3, is_any: 1, mark: "?", joined: "na0", divided: 3, characters: 1 },
    );
  });

  void test("a binary one that is computed is a Buffer too", async () => {
    await using fresh = await engine.fresh();
    const database = await withTables(fresh.store.database);
    await database.tx((tx) => tx.run(INSERT_VALUE, 1, 1, 1, "", Buffer.from("abc")));
    const row = await database.get<{ part: Buffer; size: number }>(
      sql("test.part", "SELECT substr(bytes, 2, 2) AS part, length(bytes) AS size FROM kind"),
    );
    assert.equal(row?.part.toString(), "bc");
    assert.equal(row?.size, 3);
  });

  void test("returned by a write is read in the transaction", async () => {
    await using fresh = await engine.fresh();
    const database = await withTables(fresh.store.database);
    const upsert = sql(
      "test.upsert",
      `INSERT INTO item (id, amount) VALUES (?, ?)
       ON CONFLICT (id) DO UPDATE SET amount = item.amount + excluded.amount RETURNING amount`,
    );
    const amounts = [];
    for (const amount of [3, 4]) {
      amounts.push((await database.tx((tx) => tx.get<Item>(upsert, "a", amount)))?.amount);
    }
    assert.deepEqual(amounts, [3, 7]);
  });
});
