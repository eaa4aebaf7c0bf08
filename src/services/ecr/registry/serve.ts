/**
 * Serves the OCI distribution API, which docker, skopeo and others push to and pull from: paths below /v2/ on the server's one port.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Identification } from "../../../aws/index.ts";
import { CallerPresence } from "../../../aws/http/caller-presence.ts";
import { incomingRequest } from "../../../aws/http/wire-request.ts";
import type { WireRequest } from "../../../aws/http/wire-request.ts";
import { bucketOfHost } from "../../../aws/route/virtual-host.ts";
import type { Ecr } from "../deps.ts";
import { registryOfHost } from "../names.ts";
import { RegistryError, errorAnswer, json, refusal } from "./answer.ts";
import type { RegistryAnswer } from "./answer.ts";
import { deleteUpload, getUpload, patchUpload, postUpload, putUpload, readBlob } from "./blobs.ts";
import { identified, unauthorized } from "./call.ts";
import type { RegistryCall } from "./call.ts";
import { listCatalogue, listReferrers, listTags } from "./lists.ts";
import { deleteManifest, putManifest, readManifestOf } from "./manifests.ts";

/** Undefined for an answer that has been sent. */
type Handler = (call: RegistryCall, name: string, last: string) => Promise<RegistryAnswer | undefined>;

/** Paths with the repository's name and what comes last, and who answers which method. */
const ROUTES: readonly (readonly [RegExp, Readonly<Record<string, Handler>>])[] = [
  [/^\/v2\/?$/, { GET: answerBase, HEAD: answerBase }],
  [/^\/v2\/_catalog$/, { GET: listCatalogue }],
  [/^\/v2\/(.+)\/blobs\/uploads\/?$/, { POST: postUpload }],
  [
    /^\/v2\/(.+)\/blobs\/uploads\/([0-9a-f-]{36})$/,
    { GET: getUpload, PATCH: patchUpload, PUT: putUpload, DELETE: deleteUpload },
  ],
  [/^\/v2\/(.+)\/blobs\/([^/]+)$/, { GET: readBlob, HEAD: readBlob }],
  [
    /^\/v2\/(.+)\/manifests\/([^/]+)$/,
    { GET: readManifestOf, HEAD: readManifestOf, PUT: putManifest, DELETE: deleteManifest },
  ],
  [/^\/v2\/(.+)\/tags\/list$/, { GET: listTags }],
  [/^\/v2\/(.+)\/referrers\/([^/]+)$/, { GET: listReferrers }],
];

/**
 * Whether a request is to the registry. What is signed as AWS's clients do is API Gateway's, whose paths begin so too; what has a bucket in
 * its host is S3's.
 */
export function isRegistryRequest(url: string | undefined, headers: IncomingHttpHeaders): boolean {
  if (!url?.startsWith("/v2") || !/^\/v2(\/|\?|$)/.test(url)) return false;
  if (
    headers.authorization?.startsWith("AWS") ||
    /[?&](X-Amz-(Algorithm|Signature)|AWSAccessKeyId)=/i.test(url)
  )
    return false;
  const { host, ":authority": authority } = headers as Record<string, string | undefined>;
  const name = host ?? authority ?? "";
  return registryOfHost(name) !== undefined || bucketOfHost(name) === undefined;
}

/** Answers a request to the registry; false for one that is to none. @param identify The front door's. */
export function serveRegistry(
  ecr: Ecr,
  incoming: IncomingMessage,
  response: ServerResponse,
  identify: Identification,
): boolean {
  if (!isRegistryRequest(incoming.url, incoming.headers)) return false;
  const caller = new CallerPresence();
  response.once("close", () => caller.leave());
  const requestId = ecr.ids.uuid();
  serve(ecr, requestId, incoming, response, caller, identify).catch((error: unknown) => {
    if (!caller.hasLeft)
      ecr.log.error("A request to the registry failed", { requestId, url: incoming.url, error });
    if (response.headersSent) response.destroy();
    else {
      const broken = new RegistryError(
        "UNKNOWN",
        500,
        `Internal error; the log tells more of request ${requestId}`,
      );
      send(incoming, response, errorAnswer(broken));
    }
  });
  return true;
}

async function serve(
  ecr: Ecr,
  requestId: string,
  incoming: IncomingMessage,
  response: ServerResponse,
  caller: CallerPresence,
  identify: Identification,
): Promise<void> {
  const request = wireOf(incoming);
  const sourceIp = incoming.socket?.remoteAddress?.replace(/^::ffff:/, "");
  let answer: RegistryAnswer | undefined;
  try {
    if (!request) throw new RegistryError("NAME_INVALID", 400, "The URL is not properly encoded");
    const exchange = { request, requestId, caller, sourceIp, incoming, response };
    const call = await identified(ecr, exchange, identify);
    answer = await route(call);
  } catch (error) {
    const refused = refusal(error);
    if (!refused) throw error;
    const asked = refused.status === 401 && request ? unauthorized(request) : refused;
    answer = errorAnswer(asked);
  }
  if (!answer) return;
  const isReusable = request?.body.discard() ?? true;
  send(incoming, response, answer, isReusable);
}

async function route(call: RegistryCall): Promise<RegistryAnswer | undefined> {
  const path = decodeURIComponent(call.request.path);
  const { method } = call.request;
  for (const [pattern, methods] of ROUTES) {
    const [whole, name = "", last = ""] = pattern.exec(path) ?? [];
    if (whole === undefined) continue;
    const handler = methods[method];
    if (handler) return handler(call, name, last);
    const allow = Object.keys(methods).join(", ");
    throw new RegistryError("UNSUPPORTED", 405, `${method} is not supported here; ${allow} is`, { allow });
  }
  throw new RegistryError("UNSUPPORTED", 404, `There is nothing at ${path}`);
}

/** Tells that this is a registry, and that the caller is known. */
async function answerBase(): Promise<RegistryAnswer> {
  return json(200, {});
}

function send(
  incoming: IncomingMessage,
  response: ServerResponse,
  { status, headers, body = "" }: RegistryAnswer,
  isReusable = true,
): void {
  if (response.destroyed) return;
  const own: Record<string, string> = { "docker-distribution-api-version": "registry/2.0" };
  if (status !== 204) own["content-length"] = String(Buffer.byteLength(body));
  if (!isReusable && incoming.httpVersionMajor === 1) own["connection"] = "close";
  response.writeHead(status, { ...headers, ...own });
  response.end(incoming.method === "HEAD" ? undefined : body);
}

function wireOf(incoming: IncomingMessage): WireRequest | undefined {
  try {
    decodeURIComponent(incoming.url?.split("?", 1)[0] ?? "");
    return incomingRequest(incoming);
  } catch {
    return undefined;
  }
}
