/** One cleartext port for HTTP/1.1 and for HTTP/2 with prior knowledge, told apart by a connection's first bytes. */
import { createServer as createHttpServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { Http2Server, ServerHttp2Session } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { once } from "node:events";
import { PlainConnection } from "./plain/connection.ts";
import type { PlainHandler } from "./plain/connection.ts";

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
  /** Answers plain requests of HTTP/1.1, where it can do so more cheaply. */
  readonly answer?: PlainHandler;
}

/** An HTTP/2 connection begins with "PRI * HTTP/2.0"; no method of HTTP/1.1 begins so. */
const HTTP2_PREFACE = Buffer.from("PRI ", "latin1");
/** Time for a connection's first bytes, and for a request's headers. */
const HEADERS_TIMEOUT_MS = 60_000;
const KEEP_ALIVE_MS = 60_000;
const HEADER_BYTES_MAX = 64 * 1024;
const HTTP2_STREAMS_MAX = 1_000;
const SWEEP_MS = 20;

/** Binds the port. @throws Error naming the address where it is taken or not allowed. */
export async function listen(
  handler: RequestHandler,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Listener> {
  const http1 = createHttpServer(
    {
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      // Bodies may be large and slow; what they may hold is bounded where they are read.
      requestTimeout: 0,
      maxHeaderSize: HEADER_BYTES_MAX,
      noDelay: true,
    },
    (request, response) => handler.handle(request, response),
  );
  const http2 = createHttp2Server(
    { settings: { maxConcurrentStreams: HTTP2_STREAMS_MAX } },
    (request, response) =>
      handler.handle(request as unknown as IncomingMessage, response as unknown as ServerResponse),
  );
  const open: Open = {
    http1,
    sessions: new Set(),
    sockets: new Set(),
    undecided: new Set(),
    plain: new Map(),
  };
  http2.on("session", (session) => {
    open.sessions.add(session);
    session.once("close", () => open.sessions.delete(session));
  });
  sniffConnections(http1, http2, open, handler.answer);
  http1.listen(port, host);
  await once(http1, "listening");
  const address = http1.address() as AddressInfo;
  const shown = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return {
    host,
    port: address.port,
    endpoint: `http://${shown}:${address.port}`,
    close: (graceMs) => close(open, graceMs),
  };
}

/** Puts itself before HTTP/1.1's own listener, so that a connection is given to it only when it is one of its. */
function sniffConnections(
  http1: Server,
  http2: Http2Server,
  { sockets, undecided, plain }: Open,
  answer: PlainHandler | undefined,
): void {
  const accept = http1.listeners("connection") as ((socket: Socket) => void)[];
  const handOver = (socket: Socket, bytes: Buffer) => {
    plain.delete(socket);
    socket.pause();
    socket.unshift(bytes);
    for (const listener of accept) listener.call(http1, socket);
    process.nextTick(() => socket.resume());
  };
  http1.removeAllListeners("connection");
  http1.on("connection", (socket: Socket) => {
    sockets.add(socket);
    undecided.add(socket);
    socket.once("close", () => {
      sockets.delete(socket);
      undecided.delete(socket);
      plain.delete(socket);
    });
    socket.on("error", () => socket.destroy());
    sniff(socket, (isHttp2, bytes) => {
      undecided.delete(socket);
      if (isHttp2) {
        socket.pause();
        socket.unshift(bytes);
        http2.emit("connection", socket);
      } else if (answer) {
        const connection = new PlainConnection(socket, {
          handler: answer,
          keepAliveMs: KEEP_ALIVE_MS,
          handOver,
        });
        plain.set(socket, connection);
        connection.begin(bytes);
      } else handOver(socket, bytes);
    });
  });
}

/** Reads the first bytes and says which version they begin. */
function sniff(socket: Socket, decided: (isHttp2: boolean, bytes: Buffer) => void): void {
  let seen: Buffer = Buffer.alloc(0);
  socket.setTimeout(HEADERS_TIMEOUT_MS, () => socket.destroy());
  const onData = (chunk: Buffer) => {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const length = Math.min(seen.length, HTTP2_PREFACE.length);
    const matches = seen.compare(HTTP2_PREFACE, 0, length, 0, length) === 0;
    if (matches && seen.length < HTTP2_PREFACE.length) return;
    socket.off("data", onData);
    socket.off("end", onEnd);
    socket.setTimeout(0);
    socket.removeAllListeners("timeout");
    decided(matches, seen);
  };
  // HTTP lets a client close its half first; one that closes it without a word has nothing to wait for.
  const onEnd = () => socket.destroy();
  socket.on("data", onData);
  socket.on("end", onEnd);
}

interface Open {
  readonly http1: Server;
  readonly sessions: Set<ServerHttp2Session>;
  readonly sockets: Set<Socket>;
  /** Connections that have not spoken yet. */
  readonly undecided: Set<Socket>;
  /** Those that carry plain requests. */
  readonly plain: Map<Socket, PlainConnection>;
}

async function close({ http1, sessions, sockets, undecided, plain }: Open, graceMs: number): Promise<void> {
  if (!http1.listening) return;
  const closed = once(http1, "close");
  http1.close();
  for (const session of sessions) session.close();
  for (const socket of undecided) socket.destroy();
  for (const connection of plain.values()) connection.close();
  // A connection that falls idle after its last answer is closed here, not kept alive.
  const sweep = setInterval(() => http1.closeIdleConnections(), SWEEP_MS);
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
