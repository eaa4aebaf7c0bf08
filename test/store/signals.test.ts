/** Contract of Signals: who waits for a topic wakes after the commit, on every server, and not for what was undone. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "node:test";
import type { Store } from "../../src/store/index.ts";
import { onEveryEngine } from "./engines.ts";

const QUIET_MS = 100;

onEveryEngine("A signal", (engine) => {
  void test("wakes those who wait for its topic, and no others", async () => {
    await using fresh = await engine.fresh();
    const stores = [fresh.store, ...(engine.name === "postgres" ? [await fresh.another()] : [])];
    const end = new AbortController();
    const woken = stores.map(({ signals }) => signals.wait("shard-1", end.signal));
    let others = 0;
    for (const { signals } of stores) void signals.wait("shard-2", end.signal).then(() => (others += 1));
    await fresh.store.database.tx((transaction) => fresh.store.signals.send(transaction, "shard-1"));
    await Promise.all(woken);
    await sleep(QUIET_MS);
    assert.equal(others, 0);
    end.abort();
  });

  void test("is not sent by a transaction that fails, and a wait ends with its signal", async () => {
    await using fresh = await engine.fresh();
    const { database, signals }: Store = fresh.store;
    const end = new AbortController();
    let isOver = false;
    const waiting = signals.wait("shard", end.signal).then(() => (isOver = true));
    const failing = database.tx(async (transaction) => {
      await signals.send(transaction, "shard");
      throw new Error("undone");
    });
    await assert.rejects(failing, /undone/);
    await sleep(QUIET_MS);
    assert.equal(isOver, false);
    end.abort();
    await waiting;
    await signals.wait("shard", end.signal);
  });
});
