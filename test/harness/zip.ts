/** Zip files for tests. */
import { buffer } from "node:stream/consumers";
import { crc32 } from "node:zlib";
import { ZipFile } from "yazl";

/** When every file was made: the same files are the same zip, whenever it is written. */
const MADE_AT = new Date("2026-01-01T00:00:00Z");

/** A zip of the given files; names ending in `bootstrap` are executable. */
export async function zipOf(
  files: Readonly<Record<string, string | Uint8Array>>,
  { compress = true } = {},
): Promise<Uint8Array> {
  const zip = new ZipFile();
  for (const [name, content] of Object.entries(files))
    zip.addBuffer(Buffer.from(content as string), name, {
      mode: name.endsWith("bootstrap") ? 0o100755 : 0o100644,
      mtime: MADE_AT,
      compress,
    });
  zip.end();
  return buffer(zip.outputStream);
}

export interface RawEntry {
  readonly name: string;
  readonly content?: string;
  readonly unixMode?: number;
  /** Declared instead of the real ones. */
  readonly size?: number;
  readonly crc?: number;
}

/** A zip written by hand (stored, not compressed), for archives that no zip library would write. */
export function rawZip(entries: readonly RawEntry[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content = "", unixMode = 0o100644, size, crc } of entries) {
    const [nameBytes, data] = [Buffer.from(name), Buffer.from(content)];
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc ?? crc32(data), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(size ?? data.length, 18);
    common.writeUInt16LE(nameBytes.length, 22);
    const local = Buffer.concat([Buffer.from("PK\u0003\u0004"), common, nameBytes, data]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE((unixMode << 16) >>> 0, 6);
    rest.writeUInt32LE(offset, 10);
    directory.push(
      Buffer.concat([Buffer.from("PK\u0001\u0002"), Buffer.from([20, 3]), common, rest, nameBytes]),
    );
    files.push(local);
    offset += local.length;
  }
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(Buffer.concat(directory).length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...files, ...directory, Buffer.from("PK\u0005\u0006"), end]);
}

/** A symbolic link. */
export function linkEntry(name: string, content: string): RawEntry {
  return { name, content, unixMode: 0o120777 };
}

/** Entries that would lie, or lead, outside the folder that they are unpacked to. */
export const ESCAPES: readonly (readonly RawEntry[])[] = [
  [{ name: "../outside", content: "x" }],
  [{ name: "a/../../outside", content: "x" }],
  [{ name: "/etc/outside", content: "x" }],
  [linkEntry("out", "../..")],
  [linkEntry("out", "/etc/passwd")],
  [linkEntry("a/b/c", "../../../x")],
  // Each link alone stays inside; followed through the other, it does not.
  [{ name: "p/q/x", content: "x" }, linkEntry("p/q/up", "../.."), linkEntry("out", "p/q/up/../x")],
  [{ name: "r/x", content: "x" }, linkEntry("p/q/down", "../../r"), linkEntry("out", "p/q/down/../..")],
  [linkEntry("loop", "loop")],
  // A link made inside a link would be written outside before anybody saw where it leads.
  [
    linkEntry("here", "."),
    linkEntry("up", "here/.."),
    linkEntry("higher", "up/.."),
    linkEntry("higher/escaped/out", "x"),
  ],
  [
    linkEntry("here", "."),
    linkEntry("./up", "here/.."),
    linkEntry("high", "up/.."),
    linkEntry("high//escaped/out", "x"),
  ],
  [{ name: "device", unixMode: 0o020666 }],
];

/** A small zip of 256 MB of zeros; and the same with each size declared as one byte, in both headers. */
export async function zipBomb(): Promise<{ honest: Buffer; liar: Buffer }> {
  const bomb = new ZipFile();
  const block = Buffer.alloc(64 * 1024 * 1024);
  for (let at = 0; at < 4; at++) bomb.addBuffer(block, `zeros-${at}`);
  bomb.end();
  const honest = await buffer(bomb.outputStream);
  const liar = Buffer.from(honest);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(block.length);
  for (let at = liar.indexOf(size); at !== -1; at = liar.indexOf(size, at + 1)) liar.writeUInt32LE(1, at);
  return { honest, liar };
}
