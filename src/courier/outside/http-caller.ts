/** Calls http(s) URLs that others have named: only where the server may, which is decided by the address that the connection is made to. */
import { lookup as resolveName } from "node:dns";
import type { LookupAddress } from "node:dns";
import { Agent as PlainAgent, request as plainRequest } from "node:http";
import type { IncomingMessage, RequestOptions } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import { isIP } from "node:net";
import type { LookupFunction } from "node:net";
import type { Clock } from "../../kit/clock.ts";
import type { Reach } from "./reach.ts";

export interface Call {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Until the whole answer must have come, in milliseconds. */
  readonly timeoutMs: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** What came of it within the bound. */
  readonly body: Buffer;
}

export interface HttpCaller {
  /** Why a URL is not called, as far as it tells by itself; what a name leads to is seen when it is called. */
  fault(url: string): string | undefined;
  /** Redirects are not followed. @throws UnreachableError, TimeoutError, Error of the connection */
  call(call: Call): Promise<Answer>;
  close(): void;
}

/** The server does not call that address. */
export class UnreachableError extends Error {}
export class TimeoutError extends Error {}

/** How much of an answer is read, in bytes, before the connection is given up. */
const ANSWER_BYTES_MAX = 64 * 1024;
/** Connections to one host. */
const SOCKETS_MAX = 64;
/** How long an idle connection is kept, in milliseconds. */
const IDLE_MS = 4_000;
/** Paths of runtimes' own APIs and of the server's: a request to one would come from this machine, and be believed. */
const OWN_PATH = /^\/(_lambent|\d{4}-\d\d-\d\d\/(runtime|extension|telemetry|logs))(\/|$)/i;
/** What a request says of its connection and length is the server's to say. */
const NOT_GIVEN: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

export function createHttpCaller({ clock, reach }: { clock: Clock; reach: Reach }): HttpCaller {
  const kept = { keepAlive: true, maxSockets: SOCKETS_MAX, timeout: IDLE_MS };
  const agents = { plain: new PlainAgent(kept), tls: new TlsAgent(kept) };
  const fault = (text: string): string | undefined => {
    const url = new URL(text);
    if (OWN_PATH.test(url.pathname)) return `${url.pathname} is a path of a function's or server's own API`;
    const address = addressIn(url);
    return address === undefined ? undefined : reach.fault(address, portOf(url), url.hostname);
  };
  return {
    fault,
    async call(call) {
      const reason = fault(call.url);
      if (reason !== undefined) throw new UnreachableError(reason);
      const abort = new AbortController();
      const cancel = clock.after(call.timeoutMs, () => abort.abort());
      try {
        return await send(call, reach, agents, abort.signal);
      } catch (error) {
        if (abort.signal.aborted) throw new TimeoutError(`no answer within ${call.timeoutMs} ms`);
        throw error;
      } finally {
        cancel();
      }
    },
    close() {
      agents.plain.destroy();
      agents.tls.destroy();
    },
  };
}

type Agents = { readonly plain: PlainAgent; readonly tls: TlsAgent };

async function send(
  { url: text, method, headers, body }: Call,
  reach: Reach,
  agents: Agents,
  signal: AbortSignal,
): Promise<Answer> {
  const url = new URL(text);
  const isTls = url.protocol === "https:";
  const options: RequestOptions = {
    method,
    signal,
    agent: isTls ? agents.tls : agents.plain,
    lookup: lookupWithin(reach, portOf(url)),
    headers: {
      ...Object.fromEntries(Object.entries(headers).filter(([name]) => !NOT_GIVEN.has(name.toLowerCase()))),
      ...(body && { "content-length": body.length }),
    },
  };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = isTls ? tlsRequest(url, options) : plainRequest(url, options);
    request.once("response", resolve);
    request.once("error", reject);
    request.end(body);
  });
  return {
    status: response.statusCode ?? 0,
    headers: Object.fromEntries(
      Object.entries(response.headers).map(([name, value]) => [name, value?.toString()]),
    ),
    body: await readBounded(response),
  };
}

/** Read to its end, so that the connection can be used again; or given up. */
async function readBounded(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    if ((bytes += chunk.length) > ANSWER_BYTES_MAX) break;
  }
  return Buffer.concat(chunks);
}

/** Finds the addresses of a name, and passes on those that may be called: nobody answers otherwise in between. */
function lookupWithin(reach: Reach, port: number): LookupFunction {
  return (host, options, callback) => {
    const done = (found: readonly LookupAddress[]) => {
      const faults = found.map(({ address }) => reach.fault(address, port, host));
      const open = found.filter((_, at) => faults[at] === undefined);
      const [first] = open;
      if (!first) return callback(new UnreachableError(`${host}: ${faults[0] ?? "it has no address"}`), []);
      if (options.all) return callback(null, open);
      callback(null, first.address, first.family);
    };
    if (isLocalName(host)) return done([{ address: "127.0.0.1", family: 4 }]);
    resolveName(host, { ...options, all: true }, (error, found) =>
      error ? callback(error, []) : done(found),
    );
  };
}

/** The address that a URL names by itself. */
function addressIn({ hostname }: URL): string | undefined {
  const host = hostname.replace(/^\[|\]$/g, "");
  if (isIP(host) !== 0) return host;
  return isLocalName(host) ? "127.0.0.1" : undefined;
}

/** https://www.rfc-editor.org/rfc/rfc6761#section-6.3 */
function isLocalName(host: string): boolean {
  return /(^|\.)localhost\.?$/i.test(host);
}

function portOf({ port, protocol }: URL): number {
  return port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
}
