/** Pages over keys in memory: order, prefixes, markers, and that what is rolled up is skipped and not read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { afterKey, afterPrefix, AFTER_ALL_KEYS, urlEncoded } from "./keys.ts";
import { walk } from "./walk.ts";
import type { Fetch, Page, Place } from "./walk.ts";

let fetched = 0;

function over(keys: readonly string[]): Fetch<Place> {
  const rows = keys
    .map((key) => ({ object_key: Buffer.from(key), seq: 1 }))
    .sort((a, b) => a.object_key.compare(b.object_key));
  return async (cursor, end, limit) => {
    const from = "from" in cursor ? cursor.from : afterKey(cursor.after.object_key);
    const found = rows
      .filter((row) => row.object_key.compare(from) >= 0 && row.object_key.compare(end) < 0)
      .slice(0, limit);
    fetched += found.length;
    return found;
  };
}

async function page(
  keys: readonly string[],
  options: { prefix?: string; delimiter?: string; marker?: string; limit?: number },
) {
  const { prefix = "", delimiter = "", marker, limit = 1_000 } = options;
  return walk({
    prefix: Buffer.from(prefix),
    delimiter: Buffer.from(delimiter),
    marker: marker === undefined ? undefined : Buffer.from(marker),
    limit,
    fetch: over(keys),
  });
}

const told = ({ rows, prefixes }: Page<Place>) => [
  ...rows.map((row) => row.object_key.toString()),
  ...prefixes.map(String),
];

const KEYS = ["a", "b/1", "b/2", "b/c/3", "d", "é/1", "z", "😀"];

test("everything, in the order of UTF-8 bytes", async () => {
  assert.deepEqual(told(await page(KEYS, {})), ["a", "b/1", "b/2", "b/c/3", "d", "z", "é/1", "😀"]);
});

test("a delimiter rolls up, below the prefix only", async () => {
  assert.deepEqual(told(await page(KEYS, { delimiter: "/" })), ["a", "d", "z", "😀", "b/", "é/"]);
  assert.deepEqual(told(await page(KEYS, { delimiter: "/", prefix: "b/" })), ["b/1", "b/2", "b/c/"]);
  assert.deepEqual(told(await page(KEYS, { delimiter: "/", prefix: "b" })), ["b/"]);
  assert.deepEqual(told(await page(KEYS, { prefix: "x" })), []);
});

test("pages of one: each entry once, prefixes counted, and the end is known", async () => {
  const seen: string[] = [];
  let marker: string | undefined;
  for (;;) {
    const one: Page<Place> = await page(KEYS, {
      delimiter: "/",
      limit: 1,
      ...(marker === undefined ? {} : { marker }),
    });
    seen.push(...told(one));
    if (!one.truncated) break;
    assert.ok(one.last);
    marker = ("row" in one.last ? one.last.row.object_key : one.last.prefix).toString();
  }
  assert.deepEqual(seen, ["a", "b/", "d", "z", "é/", "😀"]);
});

test("a marker inside a common prefix is behind all of it; without delimiter it is a key", async () => {
  assert.deepEqual(told(await page(KEYS, { delimiter: "/", marker: "b/1" })), ["d", "z", "😀", "é/"]);
  assert.deepEqual(told(await page(KEYS, { marker: "b/1", prefix: "b/" })), ["b/2", "b/c/3"]);
});

test("a page of size nothing is whole", async () => {
  const none = await page(KEYS, { limit: 0 });
  assert.deepEqual([told(none), none.truncated], [[], false]);
});

test("twenty thousand keys below one prefix cost a seek", async () => {
  const keys = Array.from({ length: 20_000 }, (_, i) => `logs/${i}`);
  fetched = 0;
  assert.deepEqual(told(await page([...keys, "x"], { delimiter: "/" })), ["x", "logs/"]);
  assert.ok(fetched < 100, `read ${fetched} rows`);
});

test("the byte string behind a prefix", () => {
  assert.deepEqual(afterPrefix(Buffer.from("ab")), Buffer.from("ac"));
  assert.deepEqual(afterPrefix(Buffer.from([0x61, 0xff])), Buffer.from([0x62]));
  assert.deepEqual(afterPrefix(Buffer.alloc(0)), AFTER_ALL_KEYS);
});

test("the encoding of encoding-type=url", () => {
  assert.equal(urlEncoded("a b/c+d(é)*~"), "a+b/c%2Bd%28%C3%A9%29*%7E");
});
