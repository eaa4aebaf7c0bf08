/** An asynchronous invocation as it waits in the queue: a header in JSON, then the payload's bytes untouched. */

/** Everything about an event but its payload. */
export interface EventHeader {
  readonly requestId: string;
  readonly account: string;
  readonly region: string;
  readonly name: string;
  /** As named by the caller; an alias is resolved when the event runs. */
  readonly qualifier?: string;
  readonly traceHeader?: string;
  /** When it was accepted, in epoch milliseconds. */
  readonly acceptedAt: number;
  /** Runs that ended in a function error. */
  readonly failures: number;
  /** Throttles and failures of ours in a row, for their back-off. */
  readonly delays: number;
}

export interface QueuedEvent {
  readonly header: EventHeader;
  readonly payload: Buffer;
}

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
