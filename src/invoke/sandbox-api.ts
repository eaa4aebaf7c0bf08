/** The HTTP server that one sandbox sees at AWS_LAMBDA_RUNTIME_API: it reads requests and hands each to the API of its path. */
import type { Socket } from "node:net";
import { errorReply, notFound, text, wrongMethod, writeReply } from "./api-reply.ts";
import type { ApiReply } from "./api-reply.ts";
import { HttpRequestReader } from "./http-request.ts";
import type { BodyReceiver, HttpHead, HttpRequest } from "./http-request.ts";
import { responseBytesMax, runtimeApiConnectionsMax } from "./limits.ts";
import { closed } from "./runtime-channel.ts";

/** One API, named by the version that its paths begin with. */
export interface SandboxApiPart {
  /** `/2018-06-01` */
  readonly prefix: string;
  /** @returns Undefined when it answers later, by `writeReply`. @param path What follows the prefix. */
  serve(request: HttpRequest, path: string, socket: Socket): ApiReply | undefined;
  /** Who takes the body of a request as it comes; undefined where it is to be collected. `serve` follows when all of it has come. */
  receive?(head: HttpHead, path: string, socket: Socket): BodyReceiver | undefined;
  /** A request's connection ended before all of its body had come. */
  truncated?(method: string, path: string): ApiReply | undefined;
  /** A connection is gone, and with it whatever waits on it. */
  disconnected?(socket: Socket): void;
}

export class SandboxApi {
  readonly #parts: readonly SandboxApiPart[];
  readonly #sockets = new Set<Socket>();

  /** @param parts The one that is asked most comes first. */
  constructor(parts: readonly SandboxApiPart[]) {
    this.#parts = parts;
  }

  /** Serves one connection from inside the sandbox. */
  connect(socket: Socket): void {
    if (this.#sockets.size >= runtimeApiConnectionsMax) return void socket.destroy();
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    // A client that said all it has to say may still be told that it was not all.
    socket.allowHalfOpen = true;
    const reader = new HttpRequestReader(responseBytesMax, {
      request: (request) => this.#serve(socket, request),
      expectsContinue: () => void socket.write("HTTP/1.1 100 Continue\r\n\r\n"),
      begins: (head) => this.#receive(socket, head),
    });
    socket.on("data", (chunk: Buffer) => {
      try {
        reader.push(chunk);
        // Who asks without reading the answers waits: they would pile up here, outside the sandbox's memory.
        if (socket.writableNeedDrain) socket.pause();
      } catch (error) {
        writeReply(socket, errorReply(400, "BadRequest", (error as Error).message), false);
      }
    });
    socket.on("drain", () => socket.resume());
    socket.on("error", () => socket.destroy());
    socket.once("end", () => {
      this.#truncated(socket, reader.unfinished());
      socket.end();
    });
    socket.once("close", () => {
      this.#sockets.delete(socket);
      this.#truncated(socket, reader.unfinished());
      for (const part of this.#parts) part.disconnected?.(socket);
    });
  }

  /** Resolves when every connection is closed. */
  async drained(): Promise<void> {
    await Promise.all([...this.#sockets].map(closed));
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #receive(socket: Socket, head: HttpHead): BodyReceiver | undefined {
    for (const part of this.#parts)
      if (head.path.startsWith(part.prefix))
        return part.receive?.(head, head.path.slice(part.prefix.length), socket);
    return undefined;
  }

  #serve(socket: Socket, request: HttpRequest): void {
    const reply = this.#route(socket, request);
    if (reply) writeReply(socket, reply, request.keepAlive);
  }

  #route(socket: Socket, request: HttpRequest): ApiReply | undefined {
    const { path } = request;
    for (const part of this.#parts)
      if (path.startsWith(part.prefix)) return part.serve(request, path.slice(part.prefix.length), socket);
    if (path === "/ping") return request.method === "GET" ? text(200, "pong") : wrongMethod();
    return notFound();
  }

  #truncated(socket: Socket, request: { readonly method: string; readonly path: string } | undefined): void {
    if (!request) return;
    for (const part of this.#parts)
      if (request.path.startsWith(part.prefix)) {
        const reply = part.truncated?.(request.method, request.path.slice(part.prefix.length));
        if (reply && socket.writable) writeReply(socket, reply, false);
      }
  }
}
