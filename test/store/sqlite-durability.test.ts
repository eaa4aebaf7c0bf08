/** What the embedded engine promises about the disk: nothing is answered or read before it is durable; failure is final. */
import assert from "node:assert/strict";
import { copyFileSync, fdatasync, mkdirSync } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { setImmediate as comeRound, setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { sql } from "../../src/store/index.ts";
import { SqliteDatabase } from "../../src/store/sqlite/database.ts";
import type { SqliteDeps } from "../../src/store/sqlite/database.ts";
import { createLog } from "../../src/telemetry/log.ts";

const INSERT = sql("test.insert", "INSERT INTO item (id, content) VALUES (?, ?)");
const COUNT = sql("test.count", "SELECT count(*) AS items FROM item");
const IDS = sql("test.ids", "SELECT group_concat(id) AS ids FROM (SELECT id FROM item ORDER BY id)");
const fdatasyncFile = promisify(fdatasync);

/** Opens a database in a folder of its own. */
async function open(deps: Partial<SqliteDeps> = {}) {
  const folder = await mkdtemp(join(tmpdir(), "lambent-sqlite-"));
  const logged: string[] = [];
  const log = createLog("warn", (line) => logged.push(line));
  const database = new SqliteDatabase(folder, { log, ...deps });
  await database.migrate("test", [
    { name: "001-item", sql: "CREATE TABLE item (id bigint PRIMARY KEY, content blob)" },
  ]);
  return {
    folder,
    database,
    logged,
    add: (id: number, bytes = 10) => database.tx((tx) => tx.run(INSERT, id, Buffer.alloc(bytes, id))),
    count: async () => (await database.get<{ items: number }>(COUNT))?.items,
    async [Symbol.asyncDispose]() {
      await database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A sync that ends when the test says so. */
function heldSync() {
  const held: (() => void)[] = [];
  let isHeld = false;
  return {
    syncFile: async () => {
      if (isHeld) await new Promise<void>((resolve) => held.push(resolve));
    },
    hold() {
      isHeld = true;
    },
    letGo() {
      isHeld = false;
      for (const resolve of held.splice(0)) resolve();
    },
    get waiting() {
      return held.length;
    },
  };
}

void test("A commit is neither answered nor read before the disk has it", async () => {
  const sync = heldSync();
  await using opened = await open({ syncFile: sync.syncFile });
  sync.hold();
  const events: string[] = [];
  const note = async (event: string, promise: Promise<unknown>) => {
    await promise;
    events.push(event);
  };
  const write = note("written", opened.add(1));
  while (sync.waiting === 0) await comeRound();
  const read = note("read", opened.count());
  await sleep(50);
  assert.deepEqual(events, []);
  sync.letGo();
  await Promise.all([write, read]);
  assert.deepEqual(new Set(events), new Set(["read", "written"]));
  assert.equal(await opened.count(), 1);
});

void test("Transactions that commit while the disk is busy share the next sync", async () => {
  let syncs = 0;
  const syncFile = async (descriptor: number) => {
    syncs += 1;
    await fdatasyncFile(descriptor);
    await sleep(5);
  };
  await using opened = await open({ syncFile });
  syncs = 0;
  await Promise.all(Array.from({ length: 200 }, (_, id) => opened.add(id)));
  assert.ok(syncs <= 4, `${syncs} syncs for 200 commits`);
  assert.equal(await opened.count(), 200);
});

void test("What an earlier process committed is made durable before it is read", async () => {
  await using opened = await open();
  await opened.add(1);
  await opened.database.close();
  const sync = heldSync();
  const database = new SqliteDatabase(opened.folder, { log: createLog("error"), syncFile: sync.syncFile });
  sync.hold();
  let isRead = false;
  const read = database.get<{ items: number }>(COUNT).then((row) => {
    isRead = true;
    return row;
  });
  await sleep(50);
  assert.equal(isRead, false);
  sync.letGo();
  assert.equal((await read)?.items, 1);
  await database.close();
});

void test("What only wakes others runs once it is committed, and does not wait for the disk", async () => {
  const sync = heldSync();
  await using opened = await open({ syncFile: sync.syncFile });
  sync.hold();
  const events: string[] = [];
  const written = opened.database.tx(async (tx) => {
    await tx.run(INSERT, 1, null);
    tx.onCommit(() => events.push("committed"));
    tx.afterCommit(() => events.push("durable"));
  });
  while (sync.waiting === 0) await comeRound();
  assert.deepEqual(events, ["committed"]);
  sync.letGo();
  await written;
  assert.deepEqual(events, ["committed", "durable"]);
});

void test("A sync that fails is final: its commits reject, and nothing is accepted or read any more", async () => {
  let fails = false;
  const syncFile = async () => {
    if (fails) throw Object.assign(new Error("EIO: i/o error, fdatasync"), { code: "EIO" });
  };
  await using opened = await open({ syncFile });
  await opened.add(1);
  fails = true;
  const outcomes = await Promise.allSettled([opened.add(2), opened.add(3)]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ["rejected", "rejected"],
  );
  fails = false;
  await assert.rejects(opened.add(4), /The store failed: EIO/);
  await assert.rejects(opened.count(), /The store failed: EIO/);
  assert.match(opened.logged.join(""), /accepts nothing more/);
});

void test("What was answered is in the files as they were at the last sync (a power loss keeps no more)", async () => {
  const images = await mkdtemp(join(tmpdir(), "lambent-images-"));
  let imagesTaken = 0;
  let current = "";
  // Takes what is written when the sync starts: of what comes later a machine that loses power may keep nothing.
  const syncFile = async () => {
    const image = join(images, `${(imagesTaken += 1)}`);
    mkdirSync(image);
    for (const name of ["lambent.db", "lambent.db-wal"]) copyFileSync(join(folder, name), join(image, name));
    await comeRound();
    current = image;
  };
  let folder = "";
  let isOpen = false;
  await using opened = await open({ syncFile: async () => (isOpen ? syncFile() : undefined) });
  ({ folder } = opened);
  isOpen = true;
  const answered = new Map<string, number[]>();
  await Promise.all(
    Array.from({ length: 8 }, async (_, writer) => {
      for (let turn = 0; turn < 12; turn += 1) {
        const id = writer * 1_000 + turn;
        await opened.add(id, 6_000);
        answered.set(current, [...(answered.get(current) ?? []), id]);
      }
    }),
  );
  assert.ok(answered.size > 3, `${answered.size} syncs answered something`);
  for (const [image, ids] of answered) {
    const survivor = new DatabaseSync(join(image, "lambent.db"));
    const kept = new Set(
      survivor
        .prepare("SELECT id FROM item")
        .all()
        .map((row) => row["id"]),
    );
    for (const id of ids) assert.ok(kept.has(id), `${id} was answered and is lost`);
    assert.deepEqual({ ...survivor.prepare("PRAGMA integrity_check").get() }, { integrity_check: "ok" });
    survivor.close();
  }
  await rm(images, { recursive: true, force: true });
});

void test("Writers that never pause do not make the write-ahead log grow without bound", async () => {
  await using opened = await open({ walPagesMax: 4_000 });
  let id = 0;
  await Promise.all(
    Array.from({ length: 64 }, async () => {
      while (id < 9_000) await opened.add((id += 1), 8_000);
    }),
  );
  const { size } = await stat(join(opened.folder, "lambent.db-wal"));
  assert.equal(await opened.count(), id);
  // Some 9,000 commits of five pages each wrote about 190 MB through it.
  assert.ok(size < 64 * 1024 * 1024, `the log has ${size} bytes`);
  assert.deepEqual(opened.logged, []);
});

void test("A foreign reader that holds the log open is told of and does not stop the writers", async () => {
  await using opened = await open({ walPagesMax: 2_000 });
  await opened.add(0);
  const foreign = new DatabaseSync(join(opened.folder, "lambent.db"), { readOnly: true });
  foreign.exec("BEGIN");
  foreign.prepare("SELECT count(*) FROM item").get();
  await Promise.all(Array.from({ length: 2_500 }, (_, index) => opened.add(index + 1, 16_000)));
  foreign.close();
  assert.equal(await opened.count(), 2_501);
  assert.match(opened.logged.join(""), /another process is reading the database/);
});

void test("Of transactions that are committed together, one that fails is undone alone", async () => {
  await using opened = await open();
  const refused = new Error("every third is refused");
  const all = await Promise.allSettled(
    Array.from({ length: 300 }, (_, id) =>
      opened.database.tx(async (tx) => {
        await tx.run(INSERT, id, null);
        if (id % 3 === 0) throw refused;
        if (id % 3 === 1) await tx.run(INSERT, id, null).catch(() => undefined);
        return id;
      }),
    ),
  );
  for (const [id, one] of all.entries()) assert.equal(one.status, id % 3 === 2 ? "fulfilled" : "rejected");
  const { ids } = (await opened.database.get<{ ids: string }>(IDS)) ?? assert.fail();
  assert.deepEqual(
    ids.split(",").map(Number),
    Array.from({ length: 100 }, (_, at) => at * 3 + 2),
  );
});

void test("Of transactions that are committed together, none is answered before all are durable", async () => {
  const sync = heldSync();
  await using opened = await open({ syncFile: sync.syncFile });
  await opened.add(0);
  sync.hold();
  let answered = 0;
  const all = [1, 2, 3].map((id) => opened.add(id).then(() => answered++));
  while (sync.waiting === 0) await comeRound();
  assert.equal(answered, 0);
  sync.letGo();
  await Promise.all(all);
  assert.equal(await opened.count(), 4);
});

void test("A transaction that waits for something else is undone, and the next one runs", async () => {
  await using opened = await open({ stuckMs: 200 });
  const forever = opened.database.tx(async (tx) => {
    await tx.run(INSERT, 1, null);
    await new Promise(() => undefined);
  });
  const next = opened.add(2);
  await assert.rejects(forever, /undone because it waited for something other than its own statements/);
  await next;
  assert.equal(await opened.count(), 1);
});
