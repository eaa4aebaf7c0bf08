/** GET over HTTP(S) with what pulling an image needs: redirects, a bound on silence, and names below `localhost`. */
import { request as plainRequest } from "node:http";
import type { IncomingMessage } from "node:http";
import { request as tlsRequest } from "node:https";
import { ImageError } from "./image-error.ts";

/** A registry that says nothing for so long has failed, in milliseconds. */
const SILENCE_MS_MAX = 30_000;
const REDIRECTS_MAX = 5;
/** Largest answer that is kept in memory: a manifest, a configuration, a token, in bytes. */
const TEXT_BYTES_MAX = 4 * 1024 * 1024;

export interface GetOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** Whether it may go (on) without TLS. */
  readonly mayBePlain: boolean;
  /** A form, which makes it a POST. */
  readonly form?: string;
  readonly signal?: AbortSignal | undefined;
}

/** Follows redirects; another host is not told who we are. @throws ImageError for what is no answer. */
export async function httpGet(address: string, options: GetOptions): Promise<IncomingMessage> {
  let url = new URL(address);
  let { headers } = options;
  for (let redirects = 0; ; redirects++) {
    if (url.protocol !== "https:" && !(url.protocol === "http:" && options.mayBePlain))
      throw new ImageError("unreachable", `${url.origin} is not spoken to without TLS`);
    const answer = await ask(url, { ...options, headers });
    const { statusCode = 0 } = answer;
    const { location } = answer.headers;
    if (![301, 302, 303, 307, 308].includes(statusCode) || location === undefined) return answer;
    answer.destroy();
    if (redirects >= REDIRECTS_MAX)
      throw new ImageError("unreachable", `${address} redirects more than ${REDIRECTS_MAX} times`);
    const next = new URL(location, url);
    if (next.host !== url.host) {
      const { authorization: _, ...rest } = headers;
      headers = rest;
    }
    url = next;
  }
}

/** The whole answer. @throws ImageError when it is larger than a manifest may be. */
export async function bytesOf(answer: IncomingMessage, bytesMax = TEXT_BYTES_MAX): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > bytesMax)
        throw new ImageError("invalid", `the registry's answer is larger than ${bytesMax} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof ImageError) throw error;
    throw new ImageError("unreachable", (error as Error).message, { cause: error });
  }
  return Buffer.concat(chunks);
}

function ask(url: URL, { headers, form, signal }: GetOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === "https:" ? tlsRequest : plainRequest;
    const request = send(url, {
      method: form === undefined ? "GET" : "POST",
      headers: {
        ...headers,
        host: url.host,
        ...(form === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" }),
      },
      // Not every resolver knows that these are this machine.
      ...(url.hostname.endsWith(".localhost") ? { hostname: "127.0.0.1", servername: url.hostname } : {}),
      timeout: SILENCE_MS_MAX,
      ...(signal ? { signal } : {}),
    });
    request.once("timeout", () =>
      request.destroy(new Error(`${url.host} said nothing for ${SILENCE_MS_MAX / 1_000} s`)),
    );
    request.on("error", (error) =>
      reject(new ImageError("unreachable", wordsOf(error, url), { cause: error })),
    );
    request.once("response", resolve);
    request.end(form);
  });
}

function wordsOf(error: Error & { code?: string; errors?: readonly Error[] }, url: URL): string {
  // An attempt at each of several addresses has its own error, and the whole of them no words.
  const words = error.message || error.errors?.[0]?.message || error.code || "no answer";
  return `${url.host} cannot be reached: ${words}`;
}
