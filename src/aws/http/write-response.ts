/** Sends a response over HTTP/1.1 or HTTP/2. */
import type { ServerResponse } from "node:http";
import type { Http2ServerResponse } from "node:http2";
import { Readable, pipeline } from "node:stream";
import type { WireResponse } from "../protocol/protocol.ts";

export type AnyResponse = ServerResponse | Http2ServerResponse;

/**
 * Sends status, headers and body. `onStreamError` hears what breaks a streamed body after the status has gone out;
 * the connection is then cut, so that the caller does not take half a body for a whole one.
 */
export function writeResponse(
  response: AnyResponse,
  { status, headers, body }: WireResponse,
  method: string,
  onStreamError: (error: unknown) => void,
): void {
  if (response.destroyed || response.headersSent) return;
  const target = response as ServerResponse;
  if (body === undefined || typeof body === "string" || body instanceof Uint8Array) {
    // A HEAD operation's content length is that of the object, which no body here has.
    if (method !== "HEAD" || headers["content-length"] === undefined)
      headers["content-length"] = String(body === undefined ? 0 : Buffer.byteLength(body));
    if (status === 204 || status === 304) delete headers["content-length"];
    target.writeHead(status, headers);
    target.end(method === "HEAD" ? undefined : body);
    return;
  }
  const stream = body instanceof Readable ? body : Readable.from(body, { objectMode: false });
  target.writeHead(status, headers);
  if (method === "HEAD") {
    stream.destroy();
    target.end();
    return;
  }
  pipeline(stream, target, (error) => {
    if (error) onStreamError(error);
  });
}
