/** Code.Location of GetFunction: a signed URL of ours to the stored zip, good for ten minutes. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { Clock } from "../../../kit/clock.ts";
import type { Blobs } from "../../../store/blobs.ts";
import { BlobNotFound } from "../../../store/blobs.ts";
import type { Log } from "../../../telemetry/log.ts";
import { CODE_LOCATION_MS } from "../limits.ts";
import { codeBlob } from "./code-store.ts";

const PREFIX = "/_lambent/code/";

interface Deps {
  readonly blobs: Blobs;
  readonly clock: Clock;
  readonly log: Log;
  /** Survives restarts, so that a URL handed out before one still works. */
  readonly secret: string;
}

/** The URL under `endpoint` at which the zip is read; opaque, as AWS's presigned ones are. */
export function codeLocation(deps: Pick<Deps, "clock" | "secret">, endpoint: string, sha256: string): string {
  const claim = `${sha256}.${deps.clock.now() + CODE_LOCATION_MS}`;
  return `${endpoint}${PREFIX}${claim}.${signature(deps.secret, claim).toString("base64url")}`;
}

/** Answers a code URL; false when the request is not for one. */
export function answerCodeLocation(deps: Deps, request: IncomingMessage, response: ServerResponse): boolean {
  const path = request.url?.split("?", 1)[0] ?? "";
  if (!path.startsWith(PREFIX)) return false;
  const sha256 = verify(deps, path.slice(PREFIX.length));
  if (request.method !== "GET" && request.method !== "HEAD") refuse(response, 405, "Method not allowed");
  else if (sha256 === undefined) refuse(response, 403, "The code location has expired or is not genuine");
  else
    send(deps, response, codeBlob(sha256), request.method === "HEAD").catch((error: unknown) => {
      deps.log.warn("A code download broke off", { error });
      response.destroy();
    });
  return true;
}

async function send(deps: Deps, response: ServerResponse, blob: string, headOnly: boolean): Promise<void> {
  const info = await deps.blobs.stat(blob);
  if (!info) return refuse(response, 404, "The code is no longer stored");
  response.writeHead(200, { "content-type": "application/zip", "content-length": info.bytes });
  if (headOnly) {
    response.end();
    return;
  }
  try {
    await pipeline(await deps.blobs.read(blob), response);
  } catch (error) {
    if (
      error instanceof BlobNotFound ||
      (error as NodeJS.ErrnoException).code === "ERR_STREAM_PREMATURE_CLOSE"
    )
      response.destroy();
    else throw error;
  }
}

function verify(deps: Deps, token: string): string | undefined {
  const match = /^(([0-9a-f]{64})\.(\d{1,15}))\.([\w-]{43})$/.exec(token);
  if (!match) return undefined;
  const [, claim = "", sha256, expires, signed = ""] = match;
  if (!timingSafeEqual(signature(deps.secret, claim), Buffer.from(signed, "base64url"))) return undefined;
  return Number(expires) >= deps.clock.now() ? sha256 : undefined;
}

function signature(secret: string, claim: string): Buffer {
  return createHmac("sha256", secret).update(claim).digest();
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain" }).end(`${text}\n`);
}
