/** Answers of the HTTP APIs that a sandbox sees, in the words and shapes of AWS's own. */
import type { Socket } from "node:net";
import { responseBytesMax } from "./limits.ts";

export interface ApiReply {
  readonly status: number;
  /** `application/json` when absent. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  202: "Accepted",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  413: "Request Entity Too Large",
  501: "Not Implemented",
};
const ACCEPTED: ApiReply = { status: 202, body: Buffer.from('{"status":"OK"}\n') };

/** A body up to this size is copied behind its head, which is cheaper than a second buffer for the kernel. */
const COPY_BYTES_MAX = 16 * 1024;

/** Writes an answer; the connection ends after it unless it is kept alive. */
export function writeReply(socket: Socket, reply: ApiReply, keepAlive: boolean): void {
  let head = `HTTP/1.1 ${reply.status} ${REASONS[reply.status] ?? ""}\r\n`;
  if (!reply.headers) head += "Content-Type: application/json\r\n";
  // A caller's client context may hold line breaks; none may end a header.
  else for (const name in reply.headers) head += `${name}: ${withoutBreaks(reply.headers[name] ?? "")}\r\n`;
  head += `Content-Length: ${reply.body.length}\r\n${keepAlive ? "" : "Connection: close\r\n"}\r\n`;
  if (reply.body.length <= COPY_BYTES_MAX) {
    // UTF-8 takes at most three bytes for a UTF-16 unit.
    const bytes = Buffer.allocUnsafe(head.length * 3 + reply.body.length);
    const headBytes = bytes.write(head);
    bytes.set(reply.body, headBytes);
    socket.write(bytes.subarray(0, headBytes + reply.body.length));
  } else {
    socket.cork();
    socket.write(head);
    socket.write(reply.body);
    socket.uncork();
  }
  if (!keepAlive) socket.end();
}

const BREAKS = /[\r\n\0]/;

function withoutBreaks(text: string): string {
  return BREAKS.test(text) ? text.replaceAll(/[\r\n\0]/g, " ") : text;
}

/** 202, as for everything that a runtime or an extension posts. */
export function accepted(): ApiReply {
  return ACCEPTED;
}

export function errorReply(status: number, errorType: string, errorMessage: string): ApiReply {
  return { status, body: errorBody(errorType, errorMessage) };
}

/** 413, in which AWS names the limit of an answer that is not streamed, whatever was sent. */
export function tooLargeReply(): ApiReply {
  const message = `Exceeded maximum allowed payload size (${responseBytesMax} bytes).`;
  return errorReply(413, "RequestEntityTooLarge", message);
}

export function errorBody(errorType: string, errorMessage: string): Buffer {
  return Buffer.from(JSON.stringify({ errorType, errorMessage }));
}

export function text(status: number, body: string): ApiReply {
  return { status, headers: { "Content-Type": "text/plain; charset=utf-8" }, body: Buffer.from(body) };
}

export function notFound(): ApiReply {
  return text(404, "404 page not found\n");
}

export function wrongMethod(): ApiReply {
  return text(405, "");
}
