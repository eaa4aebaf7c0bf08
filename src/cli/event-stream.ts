/** Reads `application/vnd.amazon.eventstream` as it arrives. */

export interface StreamEvent {
  /** The `:event-type` header: `sessionUpdate`. */
  readonly type: string;
  readonly payload: Buffer;
}

/** A frame is: total length, headers length, checksum of these (4 bytes each), headers, payload, checksum (4 bytes). */
const PRELUDE_BYTES = 12;
const CHECKSUM_BYTES = 4;
const STRING_HEADER = 7;

/** @throws Error with the exception's type and text when the server ends the stream with one. */
export async function* decodeEventStream(body: AsyncIterable<Uint8Array>): AsyncGenerator<StreamEvent> {
  let buffered = Buffer.alloc(0);
  for await (const chunk of body) {
    buffered = Buffer.concat([buffered, chunk]);
    while (buffered.length >= PRELUDE_BYTES && buffered.length >= buffered.readUInt32BE(0)) {
      const total = buffered.readUInt32BE(0);
      yield decodeFrame(buffered.subarray(0, total));
      buffered = buffered.subarray(total);
    }
  }
}

function decodeFrame(frame: Buffer): StreamEvent {
  const headersEnd = PRELUDE_BYTES + frame.readUInt32BE(4);
  const headers = decodeHeaders(frame.subarray(PRELUDE_BYTES, headersEnd));
  const payload = frame.subarray(headersEnd, frame.length - CHECKSUM_BYTES);
  const exception = headers.get(":exception-type");
  if (exception !== undefined) throw new Error(`${exception}: ${payload.toString()}`);
  return { type: headers.get(":event-type") ?? "", payload };
}

/** Only string headers matter here, and only they are sent. */
function decodeHeaders(bytes: Buffer): Map<string, string> {
  const headers = new Map<string, string>();
  for (let at = 0; at < bytes.length;) {
    const nameEnd = at + 1 + bytes.readUInt8(at);
    const name = bytes.toString("utf8", at + 1, nameEnd);
    if (bytes.readUInt8(nameEnd) !== STRING_HEADER) throw new Error(`event header ${name} is not a string`);
    const valueStart = nameEnd + 3;
    const valueEnd = valueStart + bytes.readUInt16BE(nameEnd + 1);
    headers.set(name, bytes.toString("utf8", valueStart, valueEnd));
    at = valueEnd;
  }
  return headers;
}
