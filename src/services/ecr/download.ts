/** URLs at which a layer can be downloaded without credentials for an hour, as ECR's presigned ones. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Ecr } from "./deps.ts";
import { DOWNLOAD_URL_MS } from "./limits.ts";
import { sendLayer } from "./registry/send-layer.ts";
import type { RepositoryRow } from "./store.ts";
import { getLayer } from "./store-layers.ts";

const PREFIX = "/_lambent/layers/";
const CLAIM = /^(([0-9]+)\.([0-9a-f]{64})\.([0-9]{1,15}))\.([\w-]{43})$/;

/** The URL under `endpoint`; it stands for the layer of that repository. */
export function downloadUrl(
  ecr: Ecr,
  endpoint: string,
  { repository_id: id }: RepositoryRow,
  digest: string,
): string {
  const claim = `${id}.${digest.replace("sha256:", "")}.${ecr.clock.now() + DOWNLOAD_URL_MS}`;
  return `${endpoint}${PREFIX}${claim}.${signature(ecr.secret, claim).toString("base64url")}`;
}

/** Answers such a URL; false when the request is not for one. */
export function answerDownload(ecr: Ecr, request: IncomingMessage, response: ServerResponse): boolean {
  const path = request.url?.split("?", 1)[0] ?? "";
  if (!path.startsWith(PREFIX)) return false;
  download(ecr, path.slice(PREFIX.length), request, response).catch((error: unknown) => {
    ecr.log.warn("A layer's download broke off", { error });
    response.destroy();
  });
  return true;
}

async function download(
  ecr: Ecr,
  token: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [, claim = "", id, sha256, expires, signed = ""] = CLAIM.exec(token) ?? [];
  const isGood =
    claim !== "" &&
    timingSafeEqual(signature(ecr.secret, claim), Buffer.from(signed, "base64url")) &&
    Number(expires) >= ecr.clock.now();
  if (!isGood) return refuse(response, 403, "The download URL has expired or is not genuine");
  if (request.method !== "GET" && request.method !== "HEAD")
    return refuse(response, 405, "Method not allowed");
  const layer = await getLayer(ecr.database, Number(id), `sha256:${sha256}`);
  if (!layer) return refuse(response, 404, "The repository has the layer no longer");
  await sendLayer(ecr, layer, request, response);
}

function signature(secret: string, claim: string): Buffer {
  return createHmac("sha256", secret).update(`layer ${claim}`).digest();
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain" }).end(`${text}\n`);
}
