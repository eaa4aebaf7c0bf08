/** What waits in a queue as one block: a header in JSON, then a payload's bytes untouched. */

/** One block: header length (4 bytes, big endian), header, payload. */
export function encodeBlock(header: object, payload: Uint8Array): Buffer {
  const text = JSON.stringify(header);
  const textBytes = Buffer.byteLength(text);
  const block = Buffer.allocUnsafe(4 + textBytes + payload.length);
  block.writeUInt32BE(textBytes);
  block.write(text, 4);
  block.set(payload, 4 + textBytes);
  return block;
}

/** @throws Error for a block that {@link encodeBlock} did not write. */
export function decodeBlock(block: Buffer): { header: unknown; payload: Buffer } {
  const end = 4 + block.readUInt32BE(0);
  return {
    header: JSON.parse(block.toString("utf8", 4, end)),
    payload: block.subarray(end),
  };
}
