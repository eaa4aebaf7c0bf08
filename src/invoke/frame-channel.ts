/** The server's end of the frames: one Unix socket per execution environment, one connection on it. */
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import type { Log } from "../telemetry/log.ts";
import { FramedAnswer } from "./framed-answer.ts";
import {
  FrameError,
  FrameReader,
  encodeAssign,
  encodeCredit,
  encodeInvoke,
  encodeRecall,
  frameVersion,
} from "./frames.ts";
import type { RuntimeFrame } from "./frames.ts";
import { responseBytesMax } from "./limits.ts";
import { closed } from "./runtime-channel.ts";
import { writeNow } from "./write-now.ts";
import type { Ahead, Delivery, RuntimeChannel, RuntimeListener } from "./runtime-channel.ts";

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
  ahead: Ahead | undefined;
  /** The invocations handed over ahead, in the order in which they begin. */
  #idsAhead: string[] = [];
  /** What goes out at the end of this tick. */
  #frames: Buffer[] = [];
  readonly #reader = new FrameReader((frame) => this.#take(frame));

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
    const [frame, rest] = encodeInvoke(delivery);
    if (!frame) return;
    if (!rest) return this.#writeSoon(socket, frame);
    socket.cork();
    socket.write(frame);
    socket.write(rest);
    socket.uncork();
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
    socket.on("data", (chunk: Buffer) => this.#reading(socket, () => this.#reader.push(chunk)));
    socket.on("error", () => socket.destroy());
  }

  #reading(socket: Socket, read: () => void): void {
    try {
      read();
    } catch (error) {
      this.#log.warn("a runtime does not keep to the frame format", { error });
      socket.destroy();
    }
  }

  #newAhead(socket: Socket): Ahead {
    return {
      deliver: (delivery) => {
        const [frame, rest] = encodeInvoke(delivery);
        // A recall must never have to wait here behind what the runtime does not read.
        if (!frame || rest || socket.destroyed || socket.writableLength > 0) return false;
        this.#writeSoon(socket, frame);
        this.#idsAhead.push(delivery.requestId);
        return true;
      },
      begin: () => {
        this.#requestId = this.#idsAhead.shift() ?? "";
        this.#reading(socket, () => this.#reader.resume());
      },
      recall: (requestId) => {
        if (socket.writableLength > 0 || this.#frames.length > 0) return false;
        return writeNow(socket, encodeRecall(requestId));
      },
      forget: () => {
        this.#idsAhead = [];
        this.#reader.release();
      },
    };
  }

  /** Frames of one moment are written together, and wake the runtime once. */
  #writeSoon(socket: Socket, frame: Buffer): void {
    if (this.#frames.push(frame) > 1) return;
    process.nextTick(() => {
      const frames = this.#frames;
      this.#frames = [];
      writeNow(socket, frames.length === 1 ? frame : Buffer.concat(frames));
    });
  }

  /** The runtime is done with an invocation; what it says next is about another. */
  #next(): void {
    if (this.#idsAhead.length > 0) this.#reader.hold();
    this.#listener.next();
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
        if (frame.version > frameVersion)
          throw new FrameError(`a bootstrap that speaks version ${frame.version} of the frames`);
        if (frame.version > 1 && this.#socket) this.ahead = this.#newAhead(this.#socket);
        return;
      case "snapshot":
        if (this.#isInitialized) throw new FrameError("a snapshot after the init phase");
        this.#isInitialized = true;
        this.#listener.next();
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
        this.#next();
        return;
      case "error":
        if (this.#isStale(frame.requestId)) return;
        this.#listener.answer(frame.payload, frame.errorType);
        this.#next();
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
      case "recalled":
        this.#recalled(frame.requestIds);
        return;
      case "fatal":
        if (!this.#isStale(frame.requestId)) this.#listener.answer(frame.payload, frame.errorType);
        return;
      case "log":
        this.#listener.log(frame.record, frame.payload);
    }
  }

  #recalled(requestIds: readonly string[]): void {
    this.#idsAhead = this.#idsAhead.filter((id) => !requestIds.includes(id));
    if (this.#idsAhead.length === 0) this.#reader.release();
    // What we thought to be under way never began: what is said next is about the one behind it.
    else if (requestIds.includes(this.#requestId)) this.#reader.hold();
    this.#listener.recalled?.(requestIds);
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
        this.#next();
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
