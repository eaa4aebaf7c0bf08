/** Writes an answer to a connection in as few system calls as it takes. */
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { WireResponse } from "../../aws/index.ts";

/** A body up to this size is copied behind its head, which is cheaper than a second buffer for the kernel. */
const COPY_BYTES_MAX = 64 * 1024;
const NO_CONTENT = 204;
const NOT_MODIFIED = 304;

/**
 * Sends a whole answer.
 * @returns false where a streamed body broke off: the connection is cut then, so that half a body is not taken for a whole one
 */
export async function writeAnswer(
  socket: Socket,
  answer: WireResponse,
  keepAliveMs: number,
  onStreamError: (error: unknown) => void,
): Promise<boolean> {
  const { body } = answer;
  if (body === undefined || typeof body === "string" || body instanceof Uint8Array) {
    writeWhole(socket, answer, body, keepAliveMs);
    if (socket.writableNeedDrain) await drained(socket);
    return true;
  }
  try {
    await writeStream(socket, answer, body, keepAliveMs);
    return !socket.destroyed;
  } catch (error) {
    onStreamError(error);
    return false;
  }
}

function writeWhole(
  socket: Socket,
  { status, headers }: WireResponse,
  body: string | Uint8Array | undefined,
  keepAliveMs: number,
): void {
  const text = typeof body === "string" ? body : "";
  const bytes = body === undefined || typeof body === "string" ? undefined : body;
  const length = bytes ? bytes.length : Buffer.byteLength(text);
  const hasLength = status !== NO_CONTENT && status !== NOT_MODIFIED;
  delete headers["content-length"];
  const head = headText(status, headers, keepAliveMs, hasLength ? `content-length: ${length}\r\n` : "");
  if (length > COPY_BYTES_MAX) {
    socket.cork();
    socket.write(head, "latin1");
    if (bytes) socket.write(bytes);
    else socket.write(text);
    socket.uncork();
    return;
  }
  const out = Buffer.allocUnsafe(head.length + length);
  out.write(head, 0, "latin1");
  if (bytes) out.set(bytes, head.length);
  else if (length > 0) out.write(text, head.length, "utf8");
  socket.write(out);
}

async function writeStream(
  socket: Socket,
  { status, headers }: WireResponse,
  body: AsyncIterable<Uint8Array | string>,
  keepAliveMs: number,
): Promise<void> {
  const isChunked = headers["content-length"] === undefined;
  const framing = isChunked ? "transfer-encoding: chunked\r\n" : "";
  socket.write(headText(status, headers, keepAliveMs, framing), "latin1");
  for await (const part of body) {
    if (socket.destroyed) return;
    const bytes = typeof part === "string" ? Buffer.from(part) : part;
    // An empty chunk would end the body.
    if (bytes.length === 0) continue;
    if (isChunked) {
      socket.cork();
      socket.write(`${bytes.length.toString(16)}\r\n`, "latin1");
      socket.write(bytes);
      socket.write("\r\n", "latin1");
      socket.uncork();
    } else socket.write(bytes);
    if (socket.writableNeedDrain) await drained(socket);
  }
  if (isChunked) socket.write("0\r\n\r\n", "latin1");
}

function headText(
  status: number,
  headers: Readonly<Record<string, string>>,
  keepAliveMs: number,
  framing: string,
): string {
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n`;
  for (const name in headers) text += `${name}: ${headers[name]}\r\n`;
  return `${text}${framing}date: ${date()}\r\nconnection: keep-alive\r\nkeep-alive: timeout=${keepAliveMs / 1_000}\r\n\r\n`;
}

let dateText = "";
let dateSecond = 0;

/** The Date header, made once a second. */
function date(): string {
  const second = Math.floor(Date.now() / 1_000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = new Date(second * 1_000).toUTCString();
  }
  return dateText;
}

/** Resolves when the caller has taken what was written, or has gone. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off("drain", done);
      socket.off("close", done);
      resolve();
    };
    socket.on("drain", done);
    socket.on("close", done);
  });
}
