/** Plain HTTP requests, as clients in other languages send them. */
import { request as httpRequest } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { bytesOf } from "./door.ts";

export interface RawRequest {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface RawResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export function rawRequest(
  port: number,
  { method = "POST", path = "/", headers = {}, body }: RawRequest,
): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: "127.0.0.1", port, method, path, headers }, (response) => {
      bytesOf(response).then(
        (bytes) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: bytes }),
        reject,
      );
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** An Authorization header that names a service; its signature is nobody's. */
export function scope(service: string): { readonly authorization: string } {
  const credential = `000000000000/20261123/us-east-1/${service}/aws4_request`;
  return {
    authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=00`,
  };
}
