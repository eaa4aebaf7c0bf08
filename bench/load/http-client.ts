/** The smallest HTTP/1.1 client that measures: one request at a time on a connection that stays, and no more parsing than it takes. */
import { connect } from "node:net";
import type { Socket } from "node:net";
import { once } from "node:events";

export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

const HEAD_END = Buffer.from("\r\n\r\n");
const LAST_CHUNK = Buffer.from("0\r\n\r\n");

export type Caller = Pick<Connection, "send" | "close">;

/** A connection that stays, or one for each request where the server closes them. */
export async function callerOf(
  { host, port }: { readonly host: string; readonly port: number },
  keepsAlive: boolean,
): Promise<Caller> {
  if (keepsAlive) return Connection.open(port, host);
  return {
    async send(request) {
      const connection = await Connection.open(port, host);
      try {
        return await connection.send(request);
      } finally {
        connection.close();
      }
    },
    close() {},
  };
}

export class Connection {
  readonly #socket: Socket;
  #seen: Buffer = Buffer.alloc(0);
  #waiter: { resolve(answer: Answer): void; reject(error: Error): void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the server closed the connection")));
  }

  static async open(port: number, host = "127.0.0.1"): Promise<Connection> {
    const socket = connect({ port, host, noDelay: true });
    await once(socket, "connect");
    return new Connection(socket);
  }

  /** Sends a whole request and resolves with the whole answer. */
  send(request: Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#waiter = undefined;
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#seen = this.#seen.length === 0 ? chunk : Buffer.concat([this.#seen, chunk]);
    const headEnd = this.#seen.indexOf(HEAD_END);
    if (headEnd === -1) return;
    const head = this.#seen.toString("latin1", 0, headEnd).toLowerCase();
    const from = headEnd + HEAD_END.length;
    const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1];
    const end = length === undefined ? this.#chunkedEnd(from) : from + Number(length);
    if (end === undefined || this.#seen.length < end) return;
    const answer = { status: Number(head.slice(9, 12)), body: this.#seen.subarray(from, end) };
    this.#seen = this.#seen.subarray(end);
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.resolve(answer);
  }

  /** Requests are not pipelined, so what ends with the last chunk is the end. */
  #chunkedEnd(from: number): number | undefined {
    const isWhole = this.#seen.length > from && this.#seen.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK);
    return isWhole ? this.#seen.length : undefined;
  }

  #fail(error: Error): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.reject(error);
  }
}
