/** Code.Location of GetFunction: a signed URL of ours to the stored zip, good for ten minutes. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Clock } from "../../../kit/clock.ts";
import type { Blobs } from "../../../store/blobs.ts";
import { BlobNotFound } from "../../../store/blobs.ts";
import type { Log } from "../../../telemetry/log.ts";
import type { ReferencedCode } from "../configuration.ts";
import { CODE_LOCATION_MS } from "../limits.ts";
import type { CodeObjects } from "../ports.ts";
import { codeBlob } from "./code-store.ts";

const PREFIX = "/_lambent/code/";

interface Deps {
  readonly blobs: Blobs;
  readonly objects: CodeObjects;
  readonly clock: Clock;
  readonly log: Log;
  /** Survives restarts, so that a URL handed out before one still works. */
  readonly secret: string;
}

/** The URL under `endpoint` at which the zip is read, wherever it is; opaque, as AWS's presigned ones are. */
export function codeLocation(
  deps: Pick<Deps, "clock" | "secret">,
  endpoint: string,
  sha256: string,
  object?: ReferencedCode,
): string {
  const place = object ? `.${Buffer.from(JSON.stringify(object)).toString("base64url")}` : "";
  const claim = `${sha256}.${deps.clock.now() + CODE_LOCATION_MS}${place}`;
  return `${endpoint}${PREFIX}${claim}.${signature(deps.secret, claim).toString("base64url")}`;
}

/** Answers a code URL; false when the request is not for one. */
export function answerCodeLocation(deps: Deps, request: IncomingMessage, response: ServerResponse): boolean {
  const path = request.url?.split("?", 1)[0] ?? "";
  if (!path.startsWith(PREFIX)) return false;
  const place = verify(deps, path.slice(PREFIX.length));
  if (request.method !== "GET" && request.method !== "HEAD") refuse(response, 405, "Method not allowed");
  else if (place === undefined) refuse(response, 403, "The code location has expired or is not genuine");
  else
    send(deps, response, place, request.method === "HEAD").catch((error: unknown) => {
      deps.log.warn("A code download broke off", { error });
      response.destroy();
    });
  return true;
}

async function send(deps: Deps, response: ServerResponse, place: Place, headOnly: boolean): Promise<void> {
  const bytes = place.object?.zipBytes ?? (await deps.blobs.stat(codeBlob(place.sha256)))?.bytes;
  const content = bytes === undefined ? undefined : await read(deps, place);
  if (!content) return refuse(response, 404, "The code is no longer stored");
  response.writeHead(200, { "content-type": "application/zip", "content-length": bytes });
  if (headOnly) {
    content.destroy();
    response.end();
    return;
  }
  try {
    await pipeline(content, response);
  } catch (error) {
    if (
      error instanceof BlobNotFound ||
      (error as NodeJS.ErrnoException).code === "ERR_STREAM_PREMATURE_CLOSE"
    )
      response.destroy();
    else throw error;
  }
}

/** Which zip a URL is for. */
interface Place {
  readonly sha256: string;
  /** Where it stays; absent for what is stored here. */
  readonly object?: ReferencedCode;
}

async function read({ blobs, objects }: Deps, { sha256, object }: Place): Promise<Readable | undefined> {
  if (object) {
    const { account, region, bucket, key, versionId } = object;
    return objects.read(account, region, bucket, key, versionId);
  }
  return blobs.read(codeBlob(sha256)).catch((error: unknown) => {
    if (error instanceof BlobNotFound) return undefined;
    throw error;
  });
}

function verify(deps: Deps, token: string): Place | undefined {
  const match = /^(([0-9a-f]{64})\.(\d{1,15})(?:\.([\w-]+))?)\.([\w-]{43})$/.exec(token);
  if (!match) return undefined;
  const [, claim = "", sha256 = "", expires, object, signed = ""] = match;
  if (!timingSafeEqual(signature(deps.secret, claim), Buffer.from(signed, "base64url"))) return undefined;
  if (Number(expires) < deps.clock.now()) return undefined;
  if (object === undefined) return { sha256 };
  return { sha256, object: JSON.parse(Buffer.from(object, "base64url").toString()) as ReferencedCode };
}

function signature(secret: string, claim: string): Buffer {
  return createHmac("sha256", secret).update(claim).digest();
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain" }).end(`${text}\n`);
}
