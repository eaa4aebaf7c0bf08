/** Shows a bucket as a website: index and error documents, redirects; to whom the bucket's policy lets everyone be. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { requestConditions } from "../../../aws/authorization.ts";
import { AwsError } from "../../../aws/errors.ts";
import { CallerPresence } from "../../../aws/http/caller-presence.ts";
import { writeResponse } from "../../../aws/http/write-response.ts";
import { DEFAULT_ACCOUNT } from "../../../aws/index.ts";
import type { WireResponse } from "../../../aws/index.ts";
import type { Output, Principal, RequestContext, Requirement } from "../../../aws/service.ts";
import type { S3 } from "../deps.ts";
import { s3Error } from "../errors.ts";
import { hostIdOf } from "../notification/send.ts";
import type { Client } from "../operations/client.ts";
import { getObject } from "../operations/get-object.ts";
import { bucketArn } from "../notification/event.ts";
import { grantOf } from "../policy/grants.ts";
import type { BucketRow } from "../rows.ts";
import { findBucket } from "../store-buckets.ts";
import { errorPage, objectAnswer } from "./answer.ts";
import type { Website } from "./configuration.ts";
import { websiteOf } from "./host.ts";
import { encodeKey, redirectAll, redirectBy } from "./routing.ts";
import type { Redirect } from "./routing.ts";

const NOBODY: Principal = {
  type: "anonymous",
  account: DEFAULT_ACCOUNT,
  arn: "",
  userId: "anonymous",
  accessKeyId: undefined,
};
const FOUND = 302;

/** One request to a website. */
interface Visit {
  readonly s3: S3;
  readonly bucket: BucketRow;
  readonly website: Website;
  readonly context: RequestContext;
  readonly host: string;
  readonly method: string;
}

type Found = Output<Client, "GetObject">;

/** Answers a request to a website; false for one that is to none. */
export function serveWebsite(s3: S3, incoming: IncomingMessage, response: ServerResponse): boolean {
  const { host, ":authority": authority } = incoming.headers as Record<string, string | undefined>;
  const name = websiteOf(host ?? authority);
  if (name === undefined) return false;
  const caller = new CallerPresence();
  response.once("close", () => caller.leave());
  const requestId = s3.ids.uuid();
  const { method = "GET", url = "/" } = incoming;
  const failed = (error: unknown) => {
    if (!caller.hasLeft) s3.log.error("A website could not be shown", { bucket: name, requestId, error });
  };
  const send = (answer: WireResponse) => {
    const ids = { "x-amz-request-id": requestId, "x-amz-id-2": hostIdOf(requestId) };
    writeResponse(response, { ...answer, headers: { ...answer.headers, ...ids } }, method, failed);
  };
  const visit = { name, host: host ?? authority ?? "", method, url, requestId, caller };
  answerTo(s3, incoming, visit).then(send, (error: unknown) => {
    if (!(error instanceof AwsError || error instanceof URIError)) failed(error);
    send(errorPage(error, requestId));
  });
  return true;
}

async function answerTo(
  s3: S3,
  { headers, socket }: IncomingMessage,
  {
    name,
    host,
    method,
    url,
    requestId,
    caller,
  }: {
    name: string;
    host: string;
    method: string;
    url: string;
    requestId: string;
    caller: CallerPresence;
  },
): Promise<WireResponse> {
  if (method !== "GET" && method !== "HEAD")
    throw s3Error("MethodNotAllowed", { Method: method, ResourceType: "OBJECT" });
  const bucket = await findBucket(s3.database, name);
  if (!bucket) throw s3Error("NoSuchBucket", { BucketName: name });
  if (bucket.website === null) throw s3Error("NoSuchWebsiteConfiguration", { BucketName: name });
  const website = JSON.parse(bucket.website) as Website;
  if (website.RedirectAllRequestsTo) return redirection(redirectAll(website.RedirectAllRequestsTo, url));
  const context: RequestContext = {
    requestId,
    account: DEFAULT_ACCOUNT,
    region: bucket.region,
    principal: NOBODY,
    service: "s3",
    operation: "GetObject",
    protocol: "restXml",
    headers,
    endpoint: `http://${host}`,
    trailers: {},
    signal: caller.signal,
    ...(socket?.remoteAddress !== undefined && { sourceIp: socket.remoteAddress }),
    responseHeaders: {},
    authorize: (requirement) => authorize(s3, bucket, requirement, context),
  };
  return show({ s3, bucket, website, context, host, method }, keyOf(url));
}

/** @throws URIError */
function keyOf(url: string): string {
  const path = /^[^?#]*/.exec(url)?.[0] ?? "/";
  return decodeURIComponent(path.slice(1));
}

async function show(visit: Visit, key: string): Promise<WireResponse> {
  const { website, host, context } = visit;
  const ahead = redirectBy(website.RoutingRules, { key, host });
  if (ahead) return redirection(ahead);
  const suffix = website.IndexDocument?.Suffix ?? "";
  const document = key === "" || key.endsWith("/") ? key + suffix : key;
  try {
    const found = await read(visit, document);
    const { WebsiteRedirectLocation: location } = found;
    if (location !== undefined) return redirection({ status: 301, location });
    return objectAnswer(found, context);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    if (error.code === "NotModified")
      return { status: 304, headers: { ...context.responseHeaders }, body: undefined };
    if (document === key && (await isFolder(visit, key, suffix)))
      return redirection({ status: FOUND, location: `/${encodeKey(key)}/` });
    const errorStatus = error.status ?? 500;
    const behind = redirectBy(website.RoutingRules, { key, host, errorStatus });
    if (behind) return redirection(behind);
    return errorDocument(visit, error);
  }
}

async function errorDocument(visit: Visit, error: AwsError): Promise<WireResponse> {
  const { website, context } = visit;
  const key = website.ErrorDocument?.Key;
  if (key === undefined) throw error;
  const found = await read(visit, key, false).catch((other: unknown) => other);
  if (found instanceof AwsError) throw error;
  if (found instanceof Error) throw found;
  return { ...objectAnswer(found as Found, context), status: error.status ?? 500 };
}

async function isFolder(visit: Visit, key: string, suffix: string): Promise<boolean> {
  const found = await read(visit, `${key}/${suffix}`, false).catch((error: unknown) => error);
  if (found instanceof Error && !(found instanceof AwsError)) throw found;
  if (found instanceof Error) return false;
  const { Body } = found as Found;
  if (Body !== undefined && typeof Body === "object" && "destroy" in Body) Body.destroy();
  return true;
}

/** An object that everyone may have; with the conditions and the range of the request, where it is what was asked for. */
async function read({ s3, bucket, context }: Visit, key: string, isAsked = true): Promise<Found> {
  await authorize(
    s3,
    bucket,
    { action: "s3:GetObject", resource: `${bucketArn(bucket.name)}/${key}` },
    context,
  );
  const { headers } = context;
  const asked = isAsked
    ? {
        Range: headers.range,
        IfMatch: headers["if-match"],
        IfNoneMatch: headers["if-none-match"],
        IfModifiedSince: dateOf(headers["if-modified-since"]),
        IfUnmodifiedSince: dateOf(headers["if-unmodified-since"]),
      }
    : {};
  return getObject(s3, { Bucket: bucket.name, Key: key, ...asked }, context);
}

function dateOf(text: string | undefined): Date | undefined {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? undefined : new Date(time);
}

/** Visitors are nobody. Without authentication everyone may do what the default account may. @throws AccessDenied */
async function authorize(
  s3: S3,
  bucket: BucketRow,
  requirement: Requirement,
  context: RequestContext,
): Promise<void> {
  if (s3.authentication === "off" && bucket.account === DEFAULT_ACCOUNT) return;
  const conditions = { ...requestConditions(context), ...requirement.conditions };
  const grant = await grantOf(s3, { ...requirement, conditions }, context);
  if (grant !== "principal") throw s3Error("AccessDenied");
}

function redirection({ status, location }: Redirect): WireResponse {
  return { status, headers: { location }, body: undefined };
}
