/** The server's end of the frames: one Unix socket per execution environment, one connection on it. */
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import type { Log } from "../telemetry/log.ts";
import { FrameError, FrameReader, encodeInvoke, frameVersion } from "./frames.ts";
import type { RuntimeFrame } from "./frames.ts";
import { responseBytesMax } from "./limits.ts";
import { closed } from "./runtime-channel.ts";
import type { Delivery, RuntimeChannel, RuntimeListener } from "./runtime-channel.ts";

/** Listens at `path` for a bootstrap. @throws when the socket cannot be made. */
export async function listenForFrames(
  path: string,
  listener: RuntimeListener,
  log: Log,
): Promise<RuntimeChannel> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  return new FrameChannel(server, listener, log);
}

class FrameChannel implements RuntimeChannel {
  readonly #server: Server;
  readonly #listener: RuntimeListener;
  readonly #log: Log;
  #socket: Socket | undefined;
  #isInitialized = false;
  #requestId = "";

  constructor(server: Server, listener: RuntimeListener, log: Log) {
    this.#server = server;
    this.#listener = listener;
    this.#log = log;
    server.once("connection", (socket) => {
      // The function's own code could connect too; the first connection is our bootstrap's, before any of that code runs.
      server.close();
      this.#read(socket);
    });
  }

  deliver(delivery: Delivery): void {
    this.#requestId = delivery.requestId;
    const socket = this.#socket;
    if (!socket) throw new Error("an invocation for a runtime that is not connected");
    const parts = encodeInvoke(delivery);
    if (parts.length > 1) socket.cork();
    for (const part of parts) socket.write(part);
    if (parts.length > 1) socket.uncork();
  }

  async drained(): Promise<void> {
    if (this.#socket && !this.#socket.destroyed) await closed(this.#socket);
  }

  close(): void {
    this.#server.close();
    this.#socket?.destroy();
  }

  #read(socket: Socket): void {
    this.#socket = socket;
    const reader = new FrameReader((frame) => this.#take(frame));
    socket.on("data", (chunk: Buffer) => {
      try {
        reader.push(chunk);
      } catch (error) {
        this.#log.warn("a runtime does not keep to the frame format", { error });
        socket.destroy();
      }
    });
    socket.on("error", () => socket.destroy());
  }

  #take(frame: RuntimeFrame): void {
    switch (frame.type) {
      case "hello":
        if (frame.version !== frameVersion)
          throw new FrameError(`a bootstrap that speaks version ${frame.version} of the frames`);
        return;
      case "initResult":
        if (this.#isInitialized) throw new FrameError("a second result of the init phase");
        this.#isInitialized = true;
        if (frame.ok) this.#listener.next();
        else this.#listener.initError(frame.errorType, frame.payload);
        return;
      case "response":
        if (this.#isStale(frame.requestId)) return;
        if (frame.payload.length > responseBytesMax) this.#listener.answerTooLarge(frame.payload.length);
        else this.#listener.answer(frame.payload);
        this.#listener.next();
        return;
      case "error":
        if (this.#isStale(frame.requestId)) return;
        this.#listener.answer(frame.payload, frame.errorType);
        this.#listener.next();
        return;
      case "fatal":
        if (!this.#isStale(frame.requestId)) this.#listener.answer(frame.payload, frame.errorType);
        return;
      case "log":
        this.#listener.log(frame.record, frame.payload);
    }
  }

  /** An answer to anything but the invocation under way is nobody's. */
  #isStale(requestId: string): boolean {
    if (requestId === "" || requestId !== this.#requestId) return true;
    this.#requestId = "";
    return false;
  }
}
