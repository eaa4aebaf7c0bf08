/** Carries batches of telemetry to a port inside the sandbox, and to nothing else. */
import { Agent, request } from "node:http";
import { connect } from "node:net";
import type { Socket } from "node:net";
import type { Destination } from "./subscription.ts";

export interface Delivery {
  /** Resolves when the subscriber has taken the batch. @param events JSON texts. */
  send(events: readonly string[], signal: AbortSignal): Promise<void>;
  close(): void;
}

/** @param address The sandbox's own, as the server reaches it. */
export function openDelivery(address: string, destination: Destination): Delivery {
  return destination.protocol === "HTTP"
    ? new HttpDelivery(address, destination)
    : new TcpDelivery(address, destination.port);
}

class HttpDelivery implements Delivery {
  readonly #address: string;
  readonly #destination: Destination & { readonly protocol: "HTTP" };
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(address: string, destination: Destination & { readonly protocol: "HTTP" }) {
    this.#address = address;
    this.#destination = destination;
  }

  send(events: readonly string[], signal: AbortSignal): Promise<void> {
    const { port, path, method } = this.#destination;
    const body = Buffer.from(`[${events.join(",")}]`);
    const headers = {
      Host: `sandbox.localdomain:${port}`,
      "Content-Type": "application/json",
      "Content-Length": body.length,
    };
    const options = { host: this.#address, port, path, method, headers, agent: this.#agent, signal };
    return new Promise((resolve, reject) => {
      // A redirection is an answer like any other that is not a success: nothing follows it.
      const outgoing = request(options, (response) => {
        const { statusCode = 0 } = response;
        response.resume();
        response.once("error", reject);
        response.once("end", () => {
          if (statusCode >= 200 && statusCode < 300) resolve();
          else reject(new Error(`the subscriber answered ${statusCode}`));
        });
      });
      outgoing.once("error", reject);
      outgoing.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Newline-delimited JSON on one connection. */
class TcpDelivery implements Delivery {
  readonly #address: string;
  readonly #port: number;
  #socket: Socket | undefined;

  constructor(address: string, port: number) {
    this.#address = address;
    this.#port = port;
  }

  send(events: readonly string[], signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = this.#connected();
      const abort = () => socket.destroy(new Error("the subscriber takes nothing"));
      const done = (error?: Error | null) => {
        signal.removeEventListener("abort", abort);
        socket.off("error", done);
        if (error) reject(error);
        else resolve();
      };
      signal.addEventListener("abort", abort);
      socket.once("error", done);
      socket.write(events.map((event) => `${event}\n`).join(""), done);
    });
  }

  close(): void {
    this.#socket?.destroy();
  }

  #connected(): Socket {
    if (this.#socket && !this.#socket.destroyed && this.#socket.writable) return this.#socket;
    const socket = connect(this.#port, this.#address);
    // What the subscriber says is not listened to, and may not pile up.
    socket.resume();
    socket.on("error", () => {});
    this.#socket = socket;
    return socket;
  }
}
