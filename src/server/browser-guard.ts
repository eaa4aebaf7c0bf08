/**
 * Without authentication, whoever reaches the port may do everything; a web page in the user's browser reaches it. So requests
 * that a browser sends for a page of another host are refused: by their Origin, or, where a name was rebound to this machine,
 * by their Host. Tools and SDKs send neither Origin nor Sec-Fetch-Site.
 */
import type { IncomingHttpHeaders } from "node:http";
import { isLoopback } from "../config/index.ts";

/** Why the request is refused; undefined when it is not. */
export function foreignPage(headers: IncomingHttpHeaders): string | undefined {
  const { origin } = headers;
  if (origin !== undefined && !isLocal(hostOf(origin))) return origin;
  const authority = headers.host ?? headers[":authority"];
  const host = typeof authority === "string" ? hostOf(`http://${authority}`) : undefined;
  return headers["sec-fetch-site"] !== undefined && !isLocal(host) ? host : undefined;
}

function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, "") : undefined;
}

function isLocal(host: string | undefined): boolean {
  return host !== undefined && (isLoopback(host) || host.endsWith(".localhost"));
}
