import assert from "node:assert/strict";
import { test } from "node:test";
import { TarReader } from "./tar-reader.ts";
import type { TarEntry } from "./tar-reader.ts";

/** One header block, and what follows it, padded. */
function entry(name: string, type: string, content = "", change: (block: Buffer) => void = () => {}): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0);
  block.write("0000755\0", 100);
  block.write("0001751\0", 108);
  block.write("0001736\0", 116);
  block.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
  block.write("14700000000\0", 136);
  block.write(type, 156);
  block.write("ustar\u000000", 257);
  change(block);
  block.write("        ", 148);
  const sum = block.reduce((all, byte) => all + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([block, Buffer.from(content), Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

/** Everything that a reader says of an archive that comes in pieces of a size. */
function read(archive: Buffer, pieceBytes: number): (Partial<TarEntry> & { content: string })[] {
  const found: (TarEntry & { content: string })[] = [];
  let open: (TarEntry & { content: string }) | undefined;
  const reader = new TarReader({
    begin: (one) => {
      open = { ...one, content: "" };
      found.push(open);
    },
    data: (chunk) => {
      if (open) open.content += chunk.toString();
    },
    end: () => (open = undefined),
  });
  for (let at = 0; at < archive.length; at += pieceBytes) reader.push(archive.subarray(at, at + pieceBytes));
  reader.finish();
  return found;
}

const END = Buffer.alloc(1_024);

test("entries are read however the archive is cut into pieces", () => {
  const archive = Buffer.concat([
    entry("folder/", "5"),
    entry("folder/file", "0", "x".repeat(700)),
    entry("empty", "0"),
    entry("link", "2", "", (block) => block.write("folder/file", 157)),
    END,
    Buffer.from("what follows the end is nothing"),
  ]);
  for (const pieceBytes of [1, 7, 512, 513, 100_000]) {
    const found = read(archive, pieceBytes);
    assert.deepEqual(
      found.map(({ kind, path, target, content }) => [kind, path, target, content?.length]),
      [
        ["folder", "folder/", "", 0],
        ["file", "folder/file", "", 700],
        ["file", "empty", "", 0],
        ["link", "link", "folder/file", 0],
      ],
    );
    assert.deepEqual([found[0]?.mode, found[0]?.uid, found[0]?.gid], [0o755, 1_001, 990]);
  }
});

test("long names come before their entry, by pax or by GNU; numbers may be larger than octal digits hold", () => {
  const long = "n".repeat(300);
  const pax = (key: string, value: string) => {
    const rest = ` ${key}=${value}\n`;
    const length = String(rest.length + 3).length + rest.length;
    return `${length}${rest}`;
  };
  const [a, b, c, d] = read(
    Buffer.concat([
      entry("pax", "x", pax("path", long) + pax("uid", "70000") + pax("mtime", "1700000000.5")),
      entry("short", "0", "1"),
      entry("././@LongLink", "L", `${long}\0`),
      entry("././@LongLink", "K", `${long}2\0`),
      entry("short", "2"),
      entry("plain", "0", "2", (block) => block.write("dir", 345)),
      entry("big", "0", "", (block) => {
        block.fill(0, 108, 116);
        block[108] = 0x80;
        block.writeUInt32BE(3_000_000_000, 112);
      }),
      END,
    ]),
    100_000,
  );
  assert.deepEqual([a?.path, a?.uid, a?.modifiedAt, a?.content], [long, 70_000, 1_700_000_000.5, "1"]);
  assert.deepEqual([b?.path, b?.target], [long, `${long}2`]);
  assert.deepEqual([c?.path, c?.content, c?.uid], ["dir/plain", "2", 1_001]);
  assert.equal(d?.uid, 3_000_000_000);
});

test("what is no archive, is cut off, or has what is not supported is refused", () => {
  const cases: readonly [Buffer, RegExp][] = [
    [Buffer.from("x".repeat(512)), /checksum/],
    [entry("file", "0", "x".repeat(700)).subarray(0, 600), /ends within an entry/],
    [entry("file", "S"), /type "S"/],
    [entry("file", "x", "y".repeat(1_100_000)), /too long/],
    [Buffer.concat([entry("pax", "x", "99 path=x\n"), entry("file", "0")]), /extended header/],
  ];
  for (const [archive, message] of cases)
    assert.throws(() => read(archive, 4_096), { name: "ImageError", message });
});
