/** One cleartext port for HTTP/1.1 and for HTTP/2 with prior knowledge, told apart by a connection's first bytes. */
import { createServer as createHttpServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { ServerHttp2Session } from "node:http2";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { once } from "node:events";

export interface Listener {
  readonly host: string;
  readonly port: number;
  /** `http://127.0.0.1:4566` */
  readonly endpoint: string;
  /** Stops accepting, lets running requests finish for at most `graceMs`, then cuts what is left. */
  close(graceMs: number): Promise<void>;
}

/** Whatever answers requests; HTTP/2's request and response have the parts of HTTP/1.1's that handlers use. */
export interface RequestHandler {
  handle(request: IncomingMessage, response: ServerResponse): void;
}

/** An HTTP/2 connection begins with "PRI * HTTP/2.0"; no method of HTTP/1.1 begins so. */
const HTTP2_PREFACE = Buffer.from("PRI ", "latin1");
/** Time for a connection's first bytes, and for a request's headers. */
const HEADERS_TIMEOUT_MS = 60_000;
const KEEP_ALIVE_MS = 60_000;
const HEADER_BYTES_MAX = 64 * 1024;

/** Binds the port. @throws Error naming the address where it is taken or not allowed. */
export async function listen(
  handler: RequestHandler,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Listener> {
  const handle = (request: IncomingMessage, response: ServerResponse) => handler.handle(request, response);
  const http1 = createHttpServer(
    {
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      // Bodies may be large and slow; what they may hold is bounded where they are read.
      requestTimeout: 0,
      maxHeaderSize: HEADER_BYTES_MAX,
      noDelay: true,
    },
    handle,
  );
  const http2 = createHttp2Server({ maxHeaderListPairs: 512 }, (request, response) =>
    handle(request as unknown as IncomingMessage, response as unknown as ServerResponse),
  );
  const sessions = new Set<ServerHttp2Session>();
  http2.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    sniff(socket, http1, http2);
  });
  server.listen(port, host);
  await once(server, "listening");
  const address = server.address() as AddressInfo;
  const shown = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return {
    host,
    port: address.port,
    endpoint: `http://${shown}:${address.port}`,
    close: (graceMs) => close({ server, http1, sessions, sockets }, graceMs),
  };
}

interface Emitter {
  emit(event: "connection", socket: Socket): boolean;
}

/** Reads the first bytes, puts them back, and hands the connection to the server that speaks its version. */
function sniff(socket: Socket, http1: Emitter, http2: Emitter): void {
  let seen: Buffer = Buffer.alloc(0);
  socket.setTimeout(HEADERS_TIMEOUT_MS, () => socket.destroy());
  const onData = (chunk: Buffer) => {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const length = Math.min(seen.length, HTTP2_PREFACE.length);
    const matches = seen.compare(HTTP2_PREFACE, 0, length, 0, length) === 0;
    if (matches && seen.length < HTTP2_PREFACE.length) return;
    socket.off("data", onData);
    socket.pause();
    socket.setTimeout(0);
    socket.removeAllListeners("timeout");
    socket.unshift(seen);
    (matches ? http2 : http1).emit("connection", socket);
    if (!matches) process.nextTick(() => socket.resume());
  };
  socket.on("data", onData);
}

interface Open {
  readonly server: Server;
  readonly http1: { closeIdleConnections(): void; readonly listening: boolean };
  readonly sessions: ReadonlySet<ServerHttp2Session>;
  readonly sockets: ReadonlySet<Socket>;
}

async function close({ server, http1, sessions, sockets }: Open, graceMs: number): Promise<void> {
  const closed = server.listening ? once(server, "close") : Promise.resolve();
  server.close();
  for (const session of sessions) session.close();
  http1.closeIdleConnections();
  // A connection that falls idle after its last answer is closed here, not kept alive.
  const sweep = setInterval(() => http1.closeIdleConnections(), 20);
  const cut = setTimeout(() => {
    for (const socket of sockets) socket.destroy();
  }, graceMs);
  try {
    await closed;
  } finally {
    clearInterval(sweep);
    clearTimeout(cut);
  }
}
