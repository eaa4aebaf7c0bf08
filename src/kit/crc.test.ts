/** The CRCs against their published check values, and joined CRCs against whole ones. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { combineCrc, Crc64Nvme, crc32c } from "./crc.ts";

const CHECK = Buffer.from("123456789");

function nvme(...chunks: Uint8Array[]): Buffer {
  const crc = new Crc64Nvme();
  for (const chunk of chunks) crc.update(chunk);
  return crc.digest();
}

function word(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(value);
  return out;
}

const long = Buffer.from(Array.from({ length: 10_007 }, (_, i) => (i * 31 + (i >> 3)) & 255));

test("the check values of the catalogue of CRCs", () => {
  assert.equal(crc32c(CHECK).toString(16), "e3069283");
  assert.equal(nvme(CHECK).toString("hex"), "ae8b14860a799888");
});

test("pieces give the same as the whole, at every odd boundary", () => {
  for (const cut of [0, 1, 7, 8, 9, 4_099]) {
    const [a, b] = [long.subarray(0, cut), long.subarray(cut)];
    assert.equal(crc32c(b, crc32c(a)), crc32c(long));
    assert.deepEqual(nvme(a, b), nvme(long));
  }
});

test("joining the CRCs of two parts gives the CRC of both together", () => {
  for (const cut of [0, 1, 1_000, 10_006, 10_007]) {
    const [a, b] = [long.subarray(0, cut), long.subarray(cut)];
    assert.deepEqual(combineCrc("CRC32", word(crc32(a)), word(crc32(b)), b.length), word(crc32(long)));
    assert.deepEqual(combineCrc("CRC32C", word(crc32c(a)), word(crc32c(b)), b.length), word(crc32c(long)));
    assert.deepEqual(combineCrc("CRC64NVME", nvme(a), nvme(b), b.length), nvme(long));
  }
});
