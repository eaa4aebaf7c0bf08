/** Calls function URLs as a browser or curl does: by the host name in the URL, which here need not resolve. */
import { request } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";

export interface UrlReply {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface UrlCallOptions {
  readonly method?: string;
  /** Behind the URL's slash. */
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array;
}

/** Begins a call; the reply's head has come. */
export function openUrl(url: string, options: UrlCallOptions = {}): Promise<IncomingMessage> {
  const { host, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const call = request({
      host: "127.0.0.1",
      port,
      method: options.method ?? "GET",
      path: `/${options.path ?? ""}`,
      headers: { host, ...options.headers } as Record<string, string>,
      agent: false,
    });
    call.once("response", resolve);
    call.once("error", reject);
    call.end(options.body);
  });
}

export async function callUrl(url: string, options: UrlCallOptions = {}): Promise<UrlReply> {
  const reply = await openUrl(url, options);
  const pieces: Buffer[] = [];
  for await (const piece of reply) pieces.push(piece as Buffer);
  return { status: reply.statusCode, headers: reply.headers, body: Buffer.concat(pieces) };
}
