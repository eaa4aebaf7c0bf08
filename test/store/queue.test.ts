/** Contract of Queue: every method and its failure, on every engine. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Job, NewJob, Store } from "../../src/store/index.ts";
import { onEveryEngine } from "./engines.ts";

const LEASE_MS = 30_000;

async function add(store: Store, job: Partial<NewJob> = {}): Promise<string> {
  const whole = { topic: "work", payload: Buffer.from("payload"), ...job };
  return store.database.tx((tx) => store.queue.enqueue(tx, whole));
}

async function claimOne(store: Store, topic = "work"): Promise<Job> {
  const [job] = await store.queue.claim(topic, 1, LEASE_MS);
  assert.ok(job, "a job is due");
  return job;
}

/** Resolves to whether the wait ended within a bound that a busy machine keeps. */
async function ends(waiting: Promise<void>, boundMs = 20_000): Promise<boolean> {
  const timer = new AbortController();
  const late = new Promise<boolean>((resolve) => {
    const timeout = setTimeout(() => resolve(false), boundMs);
    timer.signal.addEventListener("abort", () => clearTimeout(timeout));
  });
  const ended = await Promise.race([waiting.then(() => true), late]);
  timer.abort();
  return ended;
}

/** What a consumer does: wait, and claim; a wait may end for nothing. */
async function claimWhenDue(store: Store, signal: AbortSignal): Promise<Job> {
  for (;;) {
    const [job] = await store.queue.claim("work", 1, LEASE_MS);
    if (job) return job;
    assert.ok(await ends(store.queue.wait("work", signal)), "the wait ended");
  }
}

onEveryEngine("A queue", (engine) => {
  void test("hands out a job as it was given, once, in the order of arrival", async () => {
    await using fresh = await engine.fresh();
    const { queue } = fresh.store;
    const bytes = Buffer.from([0, 1, 2, 255]);
    const id = await add(fresh.store, { payload: bytes, group: "g" });
    for (const name of ["b", "c", "d"]) await add(fresh.store, { id: name, payload: Buffer.alloc(0) });
    await add(fresh.store, { topic: "other" });
    const [first] = await queue.claim("work", 1, LEASE_MS);
    assert.deepEqual(
      { ...first, enqueuedAt: 0, receipt: "" },
      { id, topic: "work", group: "g", payload: bytes, attempts: 1, enqueuedAt: 0, receipt: "" },
    );
    assert.ok(Math.abs((first?.enqueuedAt ?? 0) - fresh.clock.now()) < 60_000);
    const rest = await queue.claim("work", 10, LEASE_MS);
    assert.deepEqual(
      rest.map((job) => job.id),
      ["b", "c", "d"],
    );
    assert.deepEqual(await queue.claim("work", 10, LEASE_MS), []);
  });

  void test("keeps the order of jobs enqueued in one transaction", async () => {
    await using fresh = await engine.fresh();
    const { queue, database } = fresh.store;
    await database.tx(async (tx) => {
      for (let index = 0; index < 30; index += 1) {
        await queue.enqueue(tx, { topic: "work", id: `${index}`, payload: Buffer.alloc(1) });
      }
    });
    const ids = [];
    for (let round = 0; round < 3; round += 1) {
      ids.push(...(await queue.claim("work", 10, LEASE_MS)).map(({ id }) => id));
    }
    assert.deepEqual(
      ids,
      Array.from({ length: 30 }, (_, index) => `${index}`),
    );
  });

  void test("has nothing of a transaction that failed", async () => {
    await using fresh = await engine.fresh();
    const { queue, database } = fresh.store;
    await assert.rejects(
      database.tx(async (tx) => {
        await queue.enqueue(tx, { topic: "work", payload: Buffer.from("x") });
        throw new Error("no");
      }),
    );
    assert.deepEqual(await queue.depth("work"), { due: 0, delayed: 0, claimed: 0, buried: 0 });
  });

  void test("refuses a second job of one id in one topic, by name", async () => {
    await using fresh = await engine.fresh();
    await add(fresh.store, { id: "same" });
    await assert.rejects(add(fresh.store, { id: "same" }), /Job same is already in the queue work/);
    await add(fresh.store, { id: "same", topic: "other" });
  });

  void test("gives a job to one of many who claim at once", async () => {
    await using fresh = await engine.fresh();
    const stores = engine.name === "postgres" ? [fresh.store, await fresh.another()] : [fresh.store];
    for (let index = 0; index < 50; index += 1) await add(fresh.store);
    const claimed: string[] = [];
    await Promise.all(
      Array.from({ length: 10 }, async (_, index) => {
        const { queue } = stores[index % stores.length] as Store;
        for (;;) {
          const jobs = await queue.claim("work", 3, LEASE_MS);
          if (jobs.length === 0) break;
          claimed.push(...jobs.map(({ id }) => id));
        }
      }),
    );
    // Consumers of PostgreSQL pass over rows that another one is claiming, and may then see an empty queue too soon.
    for (const job of await fresh.store.queue.claim("work", 50, LEASE_MS)) claimed.push(job.id);
    assert.equal(claimed.length, 50);
    assert.equal(new Set(claimed).size, 50);
  });

  void test("forgets an acknowledged job, also within a transaction with its outcome", async () => {
    await using fresh = await engine.fresh();
    const { queue, database } = fresh.store;
    await add(fresh.store);
    await add(fresh.store);
    const first = await claimOne(fresh.store);
    const second = await claimOne(fresh.store);
    assert.equal(await queue.acknowledge(first), true);
    assert.equal(await queue.acknowledge(first), false);
    await assert.rejects(
      database.tx(async (tx) => {
        assert.equal(await queue.acknowledge(second, tx), true);
        throw new Error("the outcome could not be kept");
      }),
    );
    assert.equal((await queue.depth("work")).claimed, 1, "the acknowledgement went with its transaction");
    assert.equal(await database.tx((tx) => queue.acknowledge(second, tx)), true);
    assert.deepEqual(await queue.depth("work"), { due: 0, delayed: 0, claimed: 0, buried: 0 });
  });

  void test("hands a job out again when its lease ran out, and the old claim is worth nothing", async () => {
    await using fresh = await engine.fresh();
    const { queue } = fresh.store;
    await add(fresh.store);
    const lost = await claimOne(fresh.store);
    await fresh.clock.advance(LEASE_MS);
    const again = await claimOne(fresh.store);
    assert.equal(again.id, lost.id);
    assert.equal(again.attempts, 2);
    assert.notEqual(again.receipt, lost.receipt);
    assert.equal(await queue.acknowledge(lost), false);
    assert.equal(await queue.extendAll([lost], LEASE_MS), 0);
    assert.equal(await queue.retryAt(lost, 0, "late"), false);
    assert.equal(await queue.bury(lost, "late"), false);
    assert.equal(await queue.acknowledge(again), true);
  });

  void test("keeps a claim whose lease is extended", async () => {
    await using fresh = await engine.fresh();
    const { queue } = fresh.store;
    await add(fresh.store);
    const job = await claimOne(fresh.store);
    await fresh.clock.advance(LEASE_MS - 1_000);
    assert.equal(await queue.extendAll([job], LEASE_MS), 1);
    await fresh.clock.advance(LEASE_MS - 1_000);
    assert.deepEqual(await queue.claim("work", 1, LEASE_MS), []);
    assert.equal(await queue.acknowledge(job), true);
    assert.equal(await queue.extendAll([job], LEASE_MS), 0);
  });

  void test("gives a job back at its time when it is to be tried again", async () => {
    await using fresh = await engine.fresh();
    const { queue } = fresh.store;
    await add(fresh.store);
    const job = await claimOne(fresh.store);
    assert.equal(await queue.retryAt(job, fresh.clock.now() + 5_000, "throttled"), true);
    assert.equal(await queue.retryAt(job, 0, "twice"), false);
    assert.deepEqual(await queue.depth("work"), { due: 0, delayed: 1, claimed: 0, buried: 0 });
    assert.deepEqual(await queue.claim("work", 1, LEASE_MS), []);
    await fresh.clock.advance(5_000);
    assert.equal((await claimOne(fresh.store)).attempts, 2);
  });

  void test("keeps a buried job out of everyone's way", async () => {
    await using fresh = await engine.fresh();
    const { queue, database } = fresh.store;
    await add(fresh.store);
    await add(fresh.store);
    assert.equal(await queue.bury(await claimOne(fresh.store), "hopeless"), true);
    const second = await claimOne(fresh.store);
    assert.equal(await database.tx((tx) => queue.bury(second, "hopeless", tx)), true);
    assert.equal(await queue.bury(second, "twice"), false);
    await fresh.clock.advance(LEASE_MS * 100);
    assert.deepEqual(await queue.claim("work", 1, LEASE_MS), []);
    assert.deepEqual(await queue.depth("work"), { due: 0, delayed: 0, claimed: 0, buried: 2 });
  });

  void test("counts what is due, delayed, claimed and buried", async () => {
    await using fresh = await engine.fresh();
    const { queue } = fresh.store;
    for (let index = 0; index < 4; index += 1) await add(fresh.store);
    await add(fresh.store, { notBefore: fresh.clock.now() + 60_000 });
    const [lost, buried] = await queue.claim("work", 2, 1_000);
    await queue.bury(buried as Job, "no");
    await fresh.clock.advance(1_000);
    await claimOne(fresh.store);
    assert.ok(lost);
    assert.deepEqual(await queue.depth("work"), { due: 2, delayed: 1, claimed: 1, buried: 1 });
    assert.deepEqual(await queue.depth("nothing"), { due: 0, delayed: 0, claimed: 0, buried: 0 });
  });

  void test("keeps jobs, claims and the buried over closing and opening", async () => {
    await using fresh = await engine.fresh();
    for (let index = 0; index < 3; index += 1) await add(fresh.store);
    const job = await claimOne(fresh.store);
    await fresh.store.queue.bury(await claimOne(fresh.store), "no");
    const { queue } = await fresh.reopen();
    assert.deepEqual(await queue.depth("work"), { due: 1, delayed: 0, claimed: 1, buried: 1 });
    assert.equal(await queue.acknowledge(job), true);
  });
});

onEveryEngine("Jobs added together", (engine) => {
  /** Jobs whose payload is their name. */
  const together = (store: Store, ...names: string[]) =>
    store.database.tx((tx) =>
      store.queue.enqueueTogether(
        tx,
        "work",
        names.map((name) => ({ group: `group of ${name}`, payload: Buffer.from(name) })),
      ),
    );
  const namesOf = (jobs: readonly Job[]) => jobs.map(({ payload }) => payload.toString());

  void test("are claimed as each alone would be: in parts, in order, with a group, a number and a claim of their own", async () => {
    await using fresh = await engine.fresh();
    const { queue } = fresh.store;
    await together(fresh.store, "a", "b", "c");
    await together(fresh.store, "d");
    await together(fresh.store, "e", "f");
    assert.deepEqual(await queue.depth("work"), { due: 6, delayed: 0, claimed: 0, buried: 0 });
    const first = await queue.claim("work", 2, LEASE_MS);
    assert.deepEqual(namesOf(first), ["a", "b"]);
    assert.deepEqual(
      first.map(({ group, attempts }) => [group, attempts]),
      [
        ["group of a", 1],
        ["group of b", 1],
      ],
    );
    assert.deepEqual(await queue.depth("work"), { due: 4, delayed: 0, claimed: 2, buried: 0 });
    const second = await queue.claim("work", 3, LEASE_MS);
    assert.deepEqual(namesOf(second), ["c", "d", "e"]);
    const rest = await queue.claim("work", 9, LEASE_MS);
    assert.deepEqual(namesOf(rest), ["f"]);
    const all = [...first, ...second, ...rest];
    assert.equal(new Set(all.map(({ id }) => id)).size, 6);
    for (const job of all) assert.equal(await queue.acknowledge(job), true);
    assert.deepEqual(await queue.depth("work"), { due: 0, delayed: 0, claimed: 0, buried: 0 });
  });

  void test("come again when the lease of their claim ran out", async () => {
    await using fresh = await engine.fresh();
    const { queue } = fresh.store;
    await together(fresh.store, "a", "b");
    const lost = await queue.claim("work", 2, LEASE_MS);
    await queue.acknowledge(lost[0] as Job);
    await fresh.clock.advance(LEASE_MS);
    const again = await queue.claim("work", 2, LEASE_MS);
    assert.deepEqual(namesOf(again), ["b"]);
    assert.equal(again[0]?.id, lost[1]?.id);
    assert.equal(again[0]?.attempts, 2);
  });

  void test("have their turn among others by the time at which each was due", async () => {
    await using fresh = await engine.fresh();
    const { queue } = fresh.store;
    const later = async (steps: () => Promise<unknown>) => {
      await steps();
      await fresh.clock.advance(1_000);
    };
    await later(() => add(fresh.store, { payload: Buffer.from("1") }));
    await later(() => together(fresh.store, "2", "3"));
    await later(() => add(fresh.store, { payload: Buffer.from("4") }));
    await later(() => together(fresh.store, "5"));
    await later(() => add(fresh.store, { payload: Buffer.from("6") }));
    const order: string[] = [];
    for (let round = 0; round < 7; round += 1) order.push(...namesOf(await queue.claim("work", 1, LEASE_MS)));
    assert.deepEqual(order, ["1", "2", "3", "4", "5", "6"]);
  });

  void test("are there with their transaction or not at all, and over closing and opening", async () => {
    await using fresh = await engine.fresh();
    const { queue, database } = fresh.store;
    await assert.rejects(
      database.tx(async (tx) => {
        await queue.enqueueTogether(tx, "work", [{ group: "", payload: Buffer.from("lost") }]);
        throw new Error("no");
      }),
    );
    const large = "x".repeat(300_000);
    await together(fresh.store, "kept", large, large, "last");
    const reopened = (await fresh.reopen()).queue;
    assert.deepEqual(await reopened.depth("work"), { due: 4, delayed: 0, claimed: 0, buried: 0 });
    assert.deepEqual(namesOf(await reopened.claim("work", 9, LEASE_MS)), ["kept", large, large, "last"]);
  });

  void test("go to one of many who claim at once", async () => {
    await using fresh = await engine.fresh();
    const stores = engine.name === "postgres" ? [fresh.store, await fresh.another()] : [fresh.store];
    const names = Array.from({ length: 60 }, (_, n) => `${n}`);
    for (let at = 0; at < names.length; at += 5) await together(fresh.store, ...names.slice(at, at + 5));
    const claimed: string[] = [];
    await Promise.all(
      Array.from({ length: 10 }, async (_, index) => {
        const { queue } = stores[index % stores.length] as Store;
        for (let jobs: Job[] = []; ; claimed.push(...namesOf(jobs)))
          if ((jobs = await queue.claim("work", 3, LEASE_MS)).length === 0) break;
      }),
    );
    // As above: consumers of PostgreSQL pass over what another one is claiming.
    claimed.push(...namesOf(await fresh.store.queue.claim("work", 60, LEASE_MS)));
    assert.deepEqual(new Set(claimed), new Set(names));
    assert.equal(claimed.length, names.length);
  });

  void test("wake those who wait, and those who begin to", async () => {
    await using fresh = await engine.fresh();
    const { queue } = fresh.store;
    const { signal } = new AbortController();
    const before = queue.wait("work", signal);
    await together(fresh.store, "a");
    assert.ok(await ends(before));
    assert.ok(await ends(queue.wait("work", signal)), "one is due already");
  });
});

onEveryEngine("Waiting for a queue", (engine) => {
  void test("ends at once when a job is due already", async () => {
    await using fresh = await engine.fresh();
    await add(fresh.store);
    assert.ok(await ends(fresh.store.queue.wait("work", new AbortController().signal)));
  });

  void test("ends when a job comes, for all who wait, and not for another topic", async () => {
    await using fresh = await engine.fresh();
    const stop = new AbortController();
    const waiting = [1, 2, 3].map(() => fresh.store.queue.wait("work", stop.signal));
    let otherEnded = false;
    const other = (async () => {
      await fresh.store.queue.wait("other", stop.signal);
      otherEnded = true;
    })();
    await add(fresh.store);
    for (const one of waiting) assert.ok(await ends(one));
    assert.equal(otherEnded, false);
    stop.abort();
    assert.ok(await ends(other));
  });

  void test("ends when the time of a delayed job has come, not before", async () => {
    await using fresh = await engine.fresh();
    const dueAt = fresh.clock.now() + 300;
    await add(fresh.store, { notBefore: dueAt });
    await claimWhenDue(fresh.store, new AbortController().signal);
    assert.ok(fresh.clock.now() >= dueAt);
  });

  void test("ends when a lease ran out, or a job is given back", async () => {
    await using fresh = await engine.fresh();
    const { queue } = fresh.store;
    const { signal } = new AbortController();
    await add(fresh.store);
    await queue.claim("work", 1, 200);
    const job = await claimWhenDue(fresh.store, signal);
    assert.equal(job.attempts, 2);
    const again = claimWhenDue(fresh.store, signal);
    await queue.retryAt(job, 0, "again");
    assert.equal((await again).attempts, 3);
  });

  void test("ends when it is aborted, also before it began", async () => {
    await using fresh = await engine.fresh();
    const stop = new AbortController();
    const waiting = fresh.store.queue.wait("work", stop.signal);
    stop.abort();
    assert.ok(await ends(waiting));
    assert.ok(await ends(fresh.store.queue.wait("work", stop.signal)));
  });

  // SQLite has one server.
  if (engine.name === "postgres") {
    void test("ends for a job that another server enqueued, and for the lease of one that died", async () => {
      await using fresh = await engine.fresh();
      const other = await fresh.another();
      const { signal } = new AbortController();
      const waiting = fresh.store.queue.wait("work", signal);
      await add(other);
      assert.ok(await ends(waiting));
      const [job] = await other.queue.claim("work", 1, 400);
      assert.ok(job);
      const later = claimWhenDue(fresh.store, signal);
      await other.close();
      assert.equal((await later).id, job.id);
    });
  }

  void test("a consumer that only waits and claims handles everything, whoever adds meanwhile", async () => {
    await using fresh = await engine.fresh();
    const { queue } = fresh.store;
    const stop = new AbortController();
    const handled = new Set<string>();
    const total = 200;
    const consume = async () => {
      while (!stop.signal.aborted) {
        const jobs = await queue.claim("work", 7, LEASE_MS);
        for (const job of jobs) {
          handled.add(job.id);
          await queue.acknowledge(job);
        }
        if (handled.size === total) stop.abort();
        else if (jobs.length === 0) await queue.wait("work", stop.signal);
      }
    };
    const consumers = Promise.all([consume(), consume(), consume()]).then(() => undefined);
    for (let index = 0; index < total; index += 1) {
      await add(fresh.store, { notBefore: fresh.clock.now() + (index % 5) * 10 });
    }
    assert.ok(await ends(consumers), `${handled.size} of ${total} handled`);
    assert.equal((await queue.depth("work")).due, 0);
  });
});
