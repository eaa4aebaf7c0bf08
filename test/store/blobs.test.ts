/** Contract of Blobs, on every implementation there is: files. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { BlobNotFound } from "../../src/store/index.ts";
import type { Blobs } from "../../src/store/index.ts";
import { freshStore } from "./engines.ts";

const fresh = () => freshStore({ engine: "sqlite" });
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

async function names(blobs: Blobs, prefix: string): Promise<string[]> {
  const found = [];
  for await (const name of blobs.list(prefix)) found.push(name);
  return found;
}

function streamOf(bytes: Buffer, chunkBytes = 50_000): Readable {
  const chunks = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) chunks.push(bytes.subarray(at, at + chunkBytes));
  return Readable.from(chunks);
}

void test("A blob comes out as it went in, from bytes and from a stream, also after opening again", async () => {
  await using state = await fresh();
  const large = randomBytes(3_000_001);
  assert.deepEqual(await state.store.blobs.put("a/large", streamOf(large)), {
    bytes: large.length,
    sha256: sha256(large),
  });
  assert.deepEqual(await state.store.blobs.put("empty", new Uint8Array(0)), {
    bytes: 0,
    sha256: sha256(Buffer.alloc(0)),
  });
  const { blobs } = await state.reopen();
  assert.ok(large.equals(await blobs.readAll("a/large")));
  assert.ok(large.equals(await buffer(await blobs.read("a/large"))));
  assert.deepEqual(await blobs.stat("a/large"), { bytes: large.length });
  assert.equal((await blobs.readAll("empty")).length, 0);
  assert.equal((await buffer(await blobs.read("empty"))).length, 0);
});

void test("A range of a blob is read, and one that is not there is refused", async () => {
  await using state = await fresh();
  const { blobs } = state.store;
  const bytes = randomBytes(700_000);
  await blobs.put("x", bytes);
  for (const [start, end] of [
    [0, 0],
    [0, 699_999],
    [699_999, 699_999],
    [262_143, 262_145],
    [5, 600_000],
  ] as const) {
    const part = await buffer(await blobs.read("x", { start, end }));
    assert.ok(part.equals(bytes.subarray(start, end + 1)), `${start}-${end}`);
  }
  for (const [start, end] of [
    [0, 700_000],
    [700_000, 700_000],
    [5, 4],
    [-1, 3],
    [0.5, 3],
  ] as const) {
    await assert.rejects(blobs.read("x", { start, end }), RangeError);
  }
  await blobs.put("empty", new Uint8Array(0));
  await assert.rejects(blobs.read("empty", { start: 0, end: 0 }), RangeError);
});

void test("A blob that is missing is told by name", async () => {
  await using state = await fresh();
  const { blobs } = state.store;
  await assert.rejects(blobs.read("a/b"), BlobNotFound);
  await assert.rejects(blobs.readAll("a/b"), {
    name: "BlobNotFound",
    message: "No blob named a/b is stored",
  });
  assert.equal(await blobs.stat("a/b"), undefined);
  await blobs.delete("a/b");
  await assert.rejects(blobs.concat("c", ["a/b"]), BlobNotFound);
});

void test("A name that could leave the folder is refused by every method", async () => {
  await using state = await fresh();
  const { blobs } = state.store;
  const bad = [
    "",
    "/",
    "/etc/passwd",
    "..",
    "../x",
    "a/../b",
    "a/..",
    "./a",
    "a//b",
    "a/",
    "A",
    "a b",
    "a\0b",
    "a\\..\\b",
    "ä",
    "a~",
    "x".repeat(201),
    "x/".repeat(460) + "x",
  ];
  for (const name of bad) {
    const refused = /is not a name for a blob/;
    await assert.rejects(async () => blobs.put(name, Buffer.from("x")), refused, name);
    await assert.rejects(async () => blobs.putByContent(name, Buffer.from("x")), refused, name);
    await assert.rejects(async () => blobs.concat(name, []), refused, name);
    await assert.rejects(async () => blobs.concat("good", [name]), refused, name);
    await assert.rejects(async () => blobs.read(name), refused, name);
    await assert.rejects(async () => blobs.readAll(name), refused, name);
    await assert.rejects(async () => blobs.stat(name), refused, name);
    await assert.rejects(async () => blobs.delete(name), refused, name);
  }
  for (const prefix of ["../", "/", "a/../", "a//"]) await assert.rejects(names(blobs, prefix));
  assert.deepEqual(await names(blobs, ""), []);
});

void test("A blob is replaced at once: readers get the old or the new, whole", async () => {
  await using state = await fresh();
  const { blobs } = state.store;
  const versions = Array.from({ length: 8 }, (_, index) => Buffer.alloc(300_000 + index, index));
  await blobs.put("x", versions[0] as Buffer);
  const reading = await blobs.read("x");
  const written = new AbortController();
  const readers = Array.from({ length: 4 }, async () => {
    while (!written.signal.aborted) {
      const bytes = await blobs.readAll("x");
      assert.ok(
        versions.some((version) => version.equals(bytes)),
        "a whole version",
      );
    }
  });
  for (const version of versions) await blobs.put("x", streamOf(version));
  written.abort();
  await Promise.all(readers);
  await blobs.delete("x");
  assert.ok((await buffer(reading)).equals(versions[0] as Buffer), "a stream that began before reads on");
});

void test("A put whose stream fails changes and leaves nothing", async () => {
  await using state = await fresh();
  const { blobs } = state.store;
  await blobs.put("x", Buffer.from("old"));
  const failing = Readable.from(
    (function* () {
      yield Buffer.alloc(100_000);
      throw new Error("the client went away");
    })(),
  );
  await assert.rejects(blobs.put("x", failing), /the client went away/);
  assert.equal((await blobs.readAll("x")).toString(), "old");
  assert.deepEqual(readdirSync(join(state.options.dataDir, "blobs-unfinished")), []);
});

void test("A blob by content has the name of its hash, once for the same bytes", async () => {
  await using state = await fresh();
  const { blobs } = state.store;
  const bytes = randomBytes(100_000);
  const name = `code/${sha256(bytes)}`;
  const puts = await Promise.all([
    blobs.putByContent("code", bytes),
    blobs.putByContent("code", streamOf(bytes)),
    blobs.putByContent("code", bytes),
  ]);
  for (const put of puts) assert.deepEqual(put, { name, bytes: bytes.length, sha256: sha256(bytes) });
  assert.deepEqual(await names(blobs, "code/"), [name]);
  assert.ok(bytes.equals(await blobs.readAll(name)));
});

void test("Parts are joined in order, also into one of them", async () => {
  await using state = await fresh();
  const { blobs } = state.store;
  const parts = [randomBytes(600_000), Buffer.alloc(0), randomBytes(5)];
  for (const [index, part] of parts.entries()) await blobs.put(`part/${index}`, part);
  const whole = Buffer.concat([...parts, parts[0] as Buffer]);
  const info = await blobs.concat("part/0", ["part/0", "part/1", "part/2", "part/0"]);
  assert.deepEqual(info, { bytes: whole.length, sha256: sha256(whole) });
  assert.ok(whole.equals(await blobs.readAll("part/0")));
  assert.equal((await blobs.concat("nothing", [])).bytes, 0);
});

void test("Names are listed by prefix, in the order of their bytes", async () => {
  await using state = await fresh();
  const { blobs } = state.store;
  const all = ["a", "a-b", "a.b", "a/b", "a/b/c", "a/bc", "a0", "b/a", "b/a.x/y", "c"];
  for (const name of [...all].reverse()) await blobs.put(name, Buffer.from(name));
  const inBytes = [...all].sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
  for (const prefix of ["", "a", "a/", "a/b", "b", "b/a", "b/a.x/", "d", "a/b/c"]) {
    assert.deepEqual(
      await names(blobs, prefix),
      inBytes.filter((name) => name.startsWith(prefix)),
      prefix,
    );
  }
  for (const name of all) assert.equal((await blobs.readAll(name)).toString(), name);
  await blobs.delete("a/b");
  assert.deepEqual(await names(blobs, "a/"), ["a/b/c", "a/bc"]);
});

void test("What a killed process left unfinished is removed at opening", async () => {
  await using state = await fresh();
  await state.store.blobs.put("kept", Buffer.from("x"));
  await state.store.close();
  const unfinished = join(state.options.dataDir, "blobs-unfinished");
  mkdirSync(unfinished, { recursive: true });
  writeFileSync(join(unfinished, "half"), "half");
  const { blobs } = await state.reopen();
  assert.ok(!existsSync(join(unfinished, "half")));
  assert.deepEqual(await names(blobs, ""), ["kept"]);
});

void test("A blob larger than the memory it may take is stored, joined and read in bounded memory", async () => {
  await using state = await fresh();
  const { blobs } = state.store;
  const chunk = randomBytes(1024 * 1024);
  const chunks = 100;
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  const look = () => (most = Math.max(most, process.memoryUsage().arrayBuffers - before));
  await blobs.put(
    "large",
    Readable.from(
      (function* () {
        for (let index = 0; index < chunks; index += 1) {
          look();
          yield chunk;
        }
      })(),
    ),
  );
  const joined = await blobs.concat("joined", ["large", "large"]);
  look();
  assert.equal(joined.bytes, 2 * chunks * chunk.length);
  let read = 0;
  for await (const part of await blobs.read("joined")) {
    read += (part as Buffer).length;
    if (read % (16 * chunk.length) === 0) look();
  }
  assert.equal(read, joined.bytes);
  assert.ok(most < 64 * 1024 * 1024, `${most} bytes of buffers at once`);
});
