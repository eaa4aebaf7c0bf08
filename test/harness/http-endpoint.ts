/** An HTTP endpoint of a test's own, which keeps what it gets and answers as it is told. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface TestEndpoint extends AsyncDisposable {
  readonly url: string;
  readonly received: Received[];
  /** The one of that number, once it has come. */
  nth(count: number): Promise<Received>;
}

/** @param statuses With which it answers one request after another; with the last from then on. */
export async function startEndpoint(...statuses: number[]): Promise<TestEndpoint> {
  const received: Received[] = [];
  const waiting = new Set<() => void>();
  const server = createServer((request, response) => {
    const { method, url, headers } = request;
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      received.push({ method, url, headers, body });
      response.statusCode = statuses[Math.min(received.length, statuses.length) - 1] ?? 200;
      response.end("answer");
      for (const wake of waiting) wake();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    async nth(count) {
      const end = Date.now() + 10_000;
      while (received.length < count) {
        const left = end - Date.now();
        if (left <= 0) throw new Error(`Only ${received.length} requests came, not ${count}`);
        await new Promise<void>((resolve) => {
          const wake = () => {
            clearTimeout(timer);
            waiting.delete(wake);
            resolve();
          };
          const timer = setTimeout(wake, left);
          waiting.add(wake);
        });
      }
      return received[count - 1] as Received;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}
