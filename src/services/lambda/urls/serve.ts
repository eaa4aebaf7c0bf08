/** Serves function URLs: who may call, the event that the function gets, and its answer as the caller gets it. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { AwsError } from "../../../aws/errors.ts";
import type { Admission } from "../../../aws/index.ts";
import { CallerPresence } from "../../../aws/http/caller-presence.ts";
import { incomingRequest } from "../../../aws/http/wire-request.ts";
import type { WireRequest } from "../../../aws/http/wire-request.ts";
import type { Principal } from "../../../aws/service.ts";
import type { Lambda } from "../deps.ts";
import { accessDenied } from "../errors.ts";
import { SYNC_PAYLOAD_BYTES_MAX } from "../limits.ts";
import { functionArn } from "../names.ts";
import { checkSize, invocationError, invocationOf } from "../operations/invoke.ts";
import type { PolicyCaller } from "../../../aws/resource-policies.ts";

import { askFunction, isGrant } from "../resource-policies.ts";
import { readUrlById } from "../store-urls.ts";
import type { UrlRow } from "../store-urls.ts";
import { answerOf, failedAnswer, plainAnswer } from "./answer.ts";
import type { UrlAnswer } from "./answer.ts";
import { corsHeaders, preflight } from "./cors.ts";
import { urlEvent } from "./event.ts";
import { FORBIDDEN, refusal, send } from "./exchange.ts";
import type { UrlExchange, UrlInvocation } from "./exchange.ts";
import { sendStreamed } from "./send-streamed.ts";
import { INVOKE_URL, urlIdOf } from "./url-host.ts";

/** What a caller of a URL needs: both, since October 2025. */
const ACTIONS = ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"];
const METHODS: ReadonlySet<string> = new Set(["GET", "POST", "PUT", "HEAD", "OPTIONS", "PATCH", "DELETE"]);

/** Answers a request to a function URL; false for one that is to none. @param admit The front door's, for URLs that ask who calls. */
export function serveUrl(
  lambda: Lambda,
  incoming: IncomingMessage,
  response: ServerResponse,
  admit: Admission,
): boolean {
  const { host, ":authority": authority } = incoming.headers as Record<string, string | undefined>;
  const urlId = urlIdOf(host ?? authority);
  if (urlId === undefined) return false;
  const caller = new CallerPresence();
  response.once("close", () => caller.leave());
  serve(lambda, urlId, { incoming, response, caller }, admit).catch((error: unknown) => {
    if (!caller.hasLeft) lambda.log.error("A request to a function URL failed", { urlId, error });
    if (response.headersSent) response.destroy();
    else send(response, failedAnswer(), {});
  });
  return true;
}

async function serve(
  lambda: Lambda,
  urlId: string,
  { incoming, response, caller }: Pick<UrlExchange, "incoming" | "response" | "caller">,
  admit: Admission,
): Promise<void> {
  const row = await readUrlById(lambda.database, urlId);
  const request = wireOf(incoming);
  if (!request) return send(response, plainAnswer(400, JSON.stringify({ Message: "Bad Request" })), {});
  if (!row) return send(response, forbidden(), {});
  const began = lambda.clock.now();
  response.once("close", () => count(lambda, row, response, lambda.clock.now() - began));
  const origin = incoming.headers.origin;
  const wanted = incoming.headers["access-control-request-method"];
  const ahead = preflight(row.cors, request.method, origin, wanted);
  if (ahead) return send(response, { status: 200, headers: { ...ahead }, body: Buffer.alloc(0) }, {});
  const requestId = lambda.ids.uuid();
  const ownHeaders = { ...corsHeaders(row.cors, origin), "x-amzn-requestid": requestId };
  const sourceIp = incoming.socket?.remoteAddress?.replace(/^::ffff:/, "");
  const exchange = { row, incoming, response, ownHeaders, request, requestId, caller, sourceIp };
  let prepared: UrlInvocation;
  try {
    if (!METHODS.has(request.method)) throw new AwsError("MethodNotAllowed", "Method Not Allowed", {}, 405);
    const principal = await authorize(lambda, exchange, admit);
    prepared = await prepare(lambda, exchange, principal);
  } catch (error) {
    return send(response, refusal(error), ownHeaders);
  }
  if (row.invokeMode === "RESPONSE_STREAM") return sendStreamed(lambda, exchange, prepared);
  return send(response, await answer(lambda, prepared), ownHeaders);
}

/** @see https://docs.aws.amazon.com/lambda/latest/dg/urls-monitoring.html */
function count({ eventMetrics }: Lambda, row: UrlRow, response: ServerResponse, latencyMs: number): void {
  const reference = { ...row, qualifier: row.qualifier === "" ? undefined : row.qualifier };
  // Nobody was answered where the caller left before.
  const status = response.headersSent ? response.statusCode : 0;
  eventMetrics.add(reference, "UrlRequestCount");
  eventMetrics.add(reference, "Url4xxCount", status >= 400 && status < 500 ? 1 : 0);
  eventMetrics.add(reference, "Url5xxCount", status >= 500 ? 1 : 0);
  eventMetrics.add(reference, "UrlRequestLatency", latencyMs);
}

async function answer(lambda: Lambda, { target, invocation }: UrlInvocation): Promise<UrlAnswer> {
  try {
    const { functionError, payload } = await lambda.invoker.invoke(target.version, invocation);
    return functionError ? failedAnswer() : answerOf(payload);
  } catch (error) {
    return refusal(invocationError(error));
  }
}

/** @throws AwsError for whom neither policies nor the function's own let in. */
async function authorize(
  lambda: Lambda,
  { row, ...exchange }: UrlExchange,
  admit: Admission,
): Promise<Principal | undefined> {
  const places = { policies: lambda.policies, reader: lambda.database };
  const qualifier = row.qualifier === "" ? undefined : row.qualifier;
  const conditions = {
    "lambda:FunctionUrlAuthType": row.authType,
    "lambda:InvokedViaFunctionUrl": "true",
    ...(exchange.sourceIp !== undefined && { "aws:SourceIp": exchange.sourceIp }),
  };
  const isGranted = async (caller: PolicyCaller) => {
    for (const action of ACTIONS)
      if (!isGrant(await askFunction(places, { ...row, qualifier }, action, caller, conditions)))
        return false;
    return true;
  };
  if (row.authType === "NONE") {
    if (await isGranted({ account: "", arn: "" })) return undefined;
    throw accessDenied(FORBIDDEN);
  }
  const resource = functionArn(row, qualifier);
  const principal = await admit(exchange, "lambda", INVOKE_URL, { resource }).catch((error: unknown) => {
    throw error instanceof AwsError ? new AwsError(error.code, error.message, {}, 403) : error;
  });
  if (principal.account !== row.account && !(await isGranted(principal))) throw accessDenied(FORBIDDEN);
  return principal;
}

async function prepare(
  lambda: Lambda,
  { row, request, incoming, requestId, ownHeaders, sourceIp = "" }: UrlExchange,
  principal: Principal | undefined,
): Promise<UrlInvocation> {
  checkSize(Number(incoming.headers["content-length"] ?? 0), SYNC_PAYLOAD_BYTES_MAX);
  const body = await request.body.bytes();
  const qualifier = row.qualifier === "" ? undefined : row.qualifier;
  const reference = { account: row.account, region: row.region, name: row.name, qualifier };
  const target = await lambda.catalogue.target(reference);
  const context = { requestId, headers: incoming.headers, responseHeaders: ownHeaders };
  const checked = { reference, target, payload: Buffer.alloc(0) };
  const invocation = invocationOf(lambda, {}, checked, context);
  const payload = urlEvent({
    request: {
      method: request.method,
      path: request.path,
      rawQuery: request.rawQuery,
      query: request.query,
      headers: valuesOf(incoming),
      protocol: `HTTP/${incoming.httpVersion}`,
      body,
      sourceIp,
    },
    urlId: row.urlId,
    requestId,
    traceHeader: invocation.traceHeader ?? "",
    now: lambda.clock.now(),
    principal,
  });
  checkSize(payload.length, SYNC_PAYLOAD_BYTES_MAX);
  return { target, invocation: { ...invocation, payload } };
}

/** Every value of every header; the host of HTTP/2 under its name of HTTP/1.1. */
function valuesOf({ rawHeaders, headers }: IncomingMessage): Record<string, string[]> {
  const values: Record<string, string[]> = {};
  for (let at = 0; at < rawHeaders.length; at += 2)
    (values[(rawHeaders[at] ?? "").toLowerCase()] ??= []).push(rawHeaders[at + 1] ?? "");
  const authority = headers[":authority"];
  if (!values["host"] && typeof authority === "string") values["host"] = [authority];
  return values;
}

function wireOf(incoming: IncomingMessage): WireRequest | undefined {
  try {
    return incomingRequest(incoming);
  } catch {
    return undefined;
  }
}

function forbidden(): UrlAnswer {
  return refusal(accessDenied(FORBIDDEN));
}
