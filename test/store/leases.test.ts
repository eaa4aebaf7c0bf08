/** Contract of Leases: one owner at a time, and an epoch that tells the older owner's writes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Store } from "../../src/store/index.ts";
import { onEveryEngine } from "./engines.ts";

const MINUTE_MS = 60_000;

onEveryEngine("A lease", (engine) => {
  void test("is held by one owner, and free again after release", async () => {
    await using fresh = await engine.fresh();
    const { leases } = fresh.store;
    const first = await leases.acquire("shard-1", "one", MINUTE_MS);
    assert.equal(first?.name, "shard-1");
    assert.equal(await leases.acquire("shard-1", "two", MINUTE_MS), undefined);
    assert.notEqual(await leases.acquire("shard-2", "two", MINUTE_MS), undefined);
    await first.release();
    assert.equal(await first.renew(), false);
    const second = await leases.acquire("shard-1", "two", MINUTE_MS);
    assert.ok((second?.epoch ?? 0) > first.epoch);
  });

  void test("is taken over when it ran out, and the old owner learns it", async () => {
    await using fresh = await engine.fresh();
    const { leases } = fresh.store;
    const first = await leases.acquire("shard", "one", MINUTE_MS);
    await fresh.clock.advance(MINUTE_MS - 1_000);
    assert.equal(await first?.renew(), true);
    await fresh.clock.advance(MINUTE_MS - 1_000);
    assert.equal(await leases.acquire("shard", "two", MINUTE_MS), undefined, "renewed, so still held");
    await fresh.clock.advance(2_000);
    assert.equal(await first?.renew(), false, "ran out, even if nobody has taken it yet");
    const second = await leases.acquire("shard", "two", MINUTE_MS);
    assert.ok((second?.epoch ?? 0) > (first?.epoch ?? 0));
    await first?.release();
    assert.equal(await second?.renew(), true, "the old owner's release does not free the new owner's lease");
  });

  void test("acquired again by its owner makes the older one stale", async () => {
    await using fresh = await engine.fresh();
    const { leases } = fresh.store;
    const first = await leases.acquire("shard", "one", MINUTE_MS);
    const again = await leases.acquire("shard", "one", MINUTE_MS);
    assert.ok((again?.epoch ?? 0) > (first?.epoch ?? 0));
    assert.equal(await first?.renew(), false);
    assert.equal(await again?.renew(), true);
  });

  void test("wanted by many at once goes to exactly one", async () => {
    await using fresh = await engine.fresh();
    const stores = engine.name === "postgres" ? [fresh.store, await fresh.another()] : [fresh.store];
    const wanted = Array.from({ length: 20 }, (_, index) =>
      (stores[index % stores.length] as Store).leases.acquire("shard", `owner-${index}`, MINUTE_MS),
    );
    const taken = (await Promise.all(wanted)).filter((lease) => lease !== undefined);
    assert.equal(taken.length, 1);
  });

  void test("and its epoch survive closing and opening", async () => {
    await using fresh = await engine.fresh();
    const first = await fresh.store.leases.acquire("shard", "one", MINUTE_MS);
    const { leases } = await fresh.reopen();
    assert.equal(await leases.acquire("shard", "two", MINUTE_MS), undefined);
    await fresh.clock.advance(MINUTE_MS);
    assert.equal((await leases.acquire("shard", "two", MINUTE_MS))?.epoch, (first?.epoch ?? 0) + 1);
  });
});
