/** Adds a file to a zip without touching what is in it: the new entry goes where the central directory was. */
import { crc32 } from "node:zlib";

const END = Buffer.from("PK\u0005\u0006");
const END_BYTES = 22;
const ZIP64_MARK = 0xffff;
/** Regular file, readable by everyone, made on Unix. */
const ATTRIBUTES = (0o100644 << 16) >>> 0;
const MADE_BY_UNIX = 0x0314;

/** @throws Error for what is no zip, or one that has more than 65,534 entries or 4 GB. */
export function appendFile(zip: Buffer, name: string, content: Buffer): Buffer {
  const endAt = zip.lastIndexOf(END);
  if (endAt < 0 || endAt + END_BYTES > zip.length) throw new Error("This is no zip file.");
  const count = zip.readUInt16LE(endAt + 10);
  const directoryBytes = zip.readUInt32LE(endAt + 12);
  const directoryAt = zip.readUInt32LE(endAt + 16);
  if (count >= ZIP64_MARK - 1 || directoryAt >= 0xffff_ffff - content.length - 1_024)
    throw new Error("Zip files of more than 65,534 entries or 4 GB cannot be signed.");
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  // The time stays zero days after the beginning of the format's time: 1980-01-01.
  common.writeUInt16LE(0x21, 8);
  common.writeUInt32LE(crc32(content), 10);
  common.writeUInt32LE(content.length, 14);
  common.writeUInt32LE(content.length, 18);
  common.writeUInt16LE(Buffer.byteLength(name), 22);
  const local = Buffer.concat([Buffer.from("PK\u0003\u0004"), common, Buffer.from(name), content]);
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE(ATTRIBUTES, 6);
  rest.writeUInt32LE(directoryAt, 10);
  const madeBy = Buffer.alloc(2);
  madeBy.writeUInt16LE(MADE_BY_UNIX);
  const record = Buffer.concat([Buffer.from("PK\u0001\u0002"), madeBy, common, rest, Buffer.from(name)]);
  const end = Buffer.from(zip.subarray(endAt));
  end.writeUInt16LE(count + 1, 8);
  end.writeUInt16LE(count + 1, 10);
  end.writeUInt32LE(directoryBytes + record.length, 12);
  end.writeUInt32LE(directoryAt + local.length, 16);
  const directory = zip.subarray(directoryAt, directoryAt + directoryBytes);
  return Buffer.concat([zip.subarray(0, directoryAt), local, directory, record, end]);
}
