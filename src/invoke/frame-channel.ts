/** The server's end of the frames: one Unix socket per execution environment, one connection on it. */
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import type { Log } from "../telemetry/log.ts";
import { FramedAnswer } from "./framed-answer.ts";
import { FrameError, FrameReader, encodeAssign, encodeCredit, encodeInvoke, frameVersion } from "./frames.ts";
import type { RuntimeFrame } from "./frames.ts";
import { responseBytesMax } from "./limits.ts";
import { closed } from "./runtime-channel.ts";
import type { Delivery, RuntimeChannel, RuntimeListener } from "./runtime-channel.ts";

/** Listens at `path` for a bootstrap. @throws when the socket cannot be made. */
export async function listenForFrames(
  path: string,
  listener: RuntimeListener | undefined,
  log: Log,
): Promise<FrameChannel> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  return new FrameChannel(server, listener, log);
}

export class FrameChannel implements RuntimeChannel {
  /** Resolves when a process that was booted before it is known what for waits to be assigned. */
  readonly ready: Promise<void>;
  readonly #isReady = Promise.withResolvers<void>();
  readonly #server: Server;
  /** Undefined until it is known what the process is for. */
  #knownListener: RuntimeListener | undefined;
  readonly #log: Log;
  #socket: Socket | undefined;
  #isInitialized = false;
  #requestId = "";
  /** The answer under way, when the runtime streams it. */
  #streamed: FramedAnswer | undefined;

  constructor(server: Server, listener: RuntimeListener | undefined, log: Log) {
    this.ready = this.#isReady.promise;
    this.#server = server;
    this.#knownListener = listener;
    this.#log = log;
    server.once("connection", (socket) => {
      // The function's own code could connect too; the first connection is our bootstrap's, before any of that code runs.
      server.close();
      this.#read(socket);
    });
  }

  /** Makes the process that waits one of a function's: its words go to `listener` from now on. */
  assign(
    listener: RuntimeListener,
    workingDirectory: string,
    environment: Readonly<Record<string, string>>,
  ): void {
    if (!this.#socket || this.#knownListener) throw new Error("a process that does not wait to be assigned");
    this.#knownListener = listener;
    this.#socket.write(encodeAssign(workingDirectory, environment));
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

  get #listener(): RuntimeListener {
    if (this.#knownListener === undefined) throw new FrameError("a process that does more than wait");
    return this.#knownListener;
  }

  #take(frame: RuntimeFrame): void {
    switch (frame.type) {
      case "ready":
        return this.#isReady.resolve();
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
      case "streamStart":
        if (!this.#isStale(frame.requestId)) this.#beginStream(frame.requestId, frame.contentType);
        return;
      case "streamChunk":
        this.#streamed?.chunk(frame.requestId, frame.payload);
        return;
      case "streamEnd":
        this.#streamed?.end(frame.requestId);
        return;
      case "streamFail":
        this.#failStream(frame);
        return;
      case "next":
        this.#streamed?.next();
        return;
      case "fatal":
        if (!this.#isStale(frame.requestId)) this.#listener.answer(frame.payload, frame.errorType);
        return;
      case "log":
        this.#listener.log(frame.record, frame.payload);
    }
  }

  #beginStream(requestId: string, contentType: string): void {
    const streamed = this.#framedAnswer(requestId);
    streamed.begin(this.#listener.stream(contentType, streamed));
  }

  /** A streaming handler may fail before its first byte: then nothing was begun. */
  #failStream(failure: { requestId: string; errorType: string; payload: Buffer }): void {
    if (this.#streamed) return this.#streamed.end(failure.requestId, failure);
    if (this.#isStale(failure.requestId)) return;
    this.#listener.answer(failure.payload, failure.errorType);
    this.#framedAnswer(failure.requestId).ended();
  }

  #framedAnswer(requestId: string): FramedAnswer {
    this.#streamed = new FramedAnswer(requestId, {
      credit: (weight) => this.#socket?.write(encodeCredit(weight)),
      next: () => {
        this.#streamed = undefined;
        this.#listener.next();
      },
    });
    return this.#streamed;
  }

  /** An answer to anything but the invocation under way is nobody's. */
  #isStale(requestId: string): boolean {
    if (requestId === "" || requestId !== this.#requestId) return true;
    this.#requestId = "";
    return false;
  }
}
