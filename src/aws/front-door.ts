/** The pipeline of every AWS request: resolve, authenticate, authorize, read, validate, handle, write. */
import { validateHeaderName, validateHeaderValue } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { Clock } from "../kit/clock.ts";
import type { Ids } from "../kit/id.ts";
import type { Log } from "../telemetry/log.ts";
import type { AccessKeys } from "./authentication.ts";
import { createNamedCalls } from "./named-calls.ts";
import type { NamedCalls } from "./named-calls.ts";
import { createCatalogue } from "./catalogue.ts";
import type { Catalogue } from "./catalogue.ts";
import { DirectWay, targetOf } from "./direct.ts";
import { AwsError, notImplemented } from "./errors.ts";
import { undoTransferCodings } from "./http/transfer-codings.ts";
import { CallerPresence } from "./http/caller-presence.ts";
import { incomingRequest, wireRequest } from "./http/wire-request.ts";
import type { AnyIncoming, RequestHead, WireRequest } from "./http/wire-request.ts";
import { writeResponse } from "./http/write-response.ts";
import type { AnyResponse } from "./http/write-response.ts";
import { answerOther } from "./other-request.ts";
import { errorResponse } from "./protocol/error-response.ts";
import { MalformedInput, MalformedUrl } from "./protocol/malformed-input.ts";
import type { WireResponse } from "./protocol/protocol.ts";
import { createServiceIndex } from "./route/resolve-service.ts";
import type { ServiceIndex } from "./route/resolve-service.ts";
import { fallbackTarget, findOperation, resolveTarget, restPath } from "./route/target.ts";
import type { Target } from "./route/target.ts";
import { createAuthenticator, refuseOtherAlgorithms } from "./auth/authenticate.ts";
import type { Authenticator, KeyHolder } from "./auth/authenticate.ts";
import { readSignature } from "./auth/credential.ts";
import { ServedRequest } from "./request-context.ts";
import type { OperationModel } from "./model/model.ts";
import type { Principal, RequestContext, Service } from "./service.ts";

export interface FrontDoorOptions {
  readonly services: readonly Service[];
  readonly accessKeys: AccessKeys;
  readonly authentication: "off" | "on";
  readonly clock: Clock;
  /** The clock that callers date their requests by; `clock` where it is not told. */
  readonly signingClock?: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Region of requests that name none. */
  readonly defaultRegion: string;
  /** Host and port of this server, for what is called in process. */
  readonly host?: string;
  /** Throws AwsError (AccessDenied…) where the principal may not do this; absent, everyone may do everything. */
  readonly authorize?: (context: RequestContext, input: Readonly<Record<string, unknown>>) => Promise<void>;
}

/** The answer to a request, for whoever sends it. */
export interface Answer {
  readonly response: WireResponse;
  /** To be told what breaks a streamed body after the status has gone out. */
  readonly onStreamError: (error: unknown) => void;
}

/** A request that calls no operation, but what a service offers under a host of its own. */
export interface OtherExchange {
  readonly request: WireRequest;
  readonly requestId: string;
  readonly caller: CallerPresence;
  /** The caller's address. */
  readonly sourceIp: string | undefined;
}

/**
 * Says who makes such a request, once their policies allow what the service's authorization says that `action` needs.
 * @throws AwsError for a request that is not signed, or not well, and for a caller who may not.
 */
export type Admission = (
  exchange: OtherExchange,
  service: string,
  action: string,
  input: Readonly<Record<string, unknown>>,
) => Promise<Principal>;

/**
 * Says who makes a request whose caller a service has verified itself, by a credential that stands for an access key. What it then needs
 * of their policies is asked by the context's `authorize`, which root does without.
 * @throws AwsError for a key that is nobody's any more, and with authentication on for none.
 */
export type Identification = (
  exchange: OtherExchange,
  service: string,
  action: string,
  holder: KeyHolder,
) => Promise<RequestContext>;

export interface FrontDoor {
  /** Operations by their names, for services that call them for a role. */
  readonly calls: NamedCalls;
  readonly admit: Admission;
  readonly identify: Identification;
  /** Answers one request, of HTTP/1.1 or HTTP/2; never throws. */
  handle(request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse): void;
  /**
   * Answers one request of HTTP/1.1 that has come whole; never throws. Undefined for one that only `handle` answers.
   * @param sourceIp The caller's address.
   */
  answer(
    head: RequestHead,
    body: Buffer,
    caller: CallerPresence,
    sourceIp: string | undefined,
  ): Promise<Answer> | undefined;
}

interface Door {
  readonly options: FrontDoorOptions;
  readonly catalogue: Catalogue;
  readonly services: ServiceIndex;
  readonly implementations: ReadonlyMap<string, Service>;
  readonly authenticator: Authenticator;
  readonly direct: DirectWay;
}

/** One exchange: what is known of it so far decides how an error is written. */
interface Exchange {
  readonly request: WireRequest;
  readonly requestId: string;
  readonly caller: CallerPresence;
  target: Target | undefined;
  /** Headers that the operation sets itself, for its success and its error alike. */
  readonly responseHeaders: Record<string, string>;
  /** The caller's address. */
  readonly sourceIp: string | undefined;
}

const OWN_PATHS = "/_lambent/";
const BAD_URL = "The request's URL is not properly encoded\n";

export function createFrontDoor(options: FrontDoorOptions): FrontDoor {
  const catalogue = createCatalogue();
  const authenticator = createAuthenticator(options);
  const door: Door = {
    options,
    catalogue,
    services: createServiceIndex(catalogue.metadata),
    implementations: new Map(options.services.map((service) => [service.name, service])),
    authenticator,
    direct: new DirectWay({ ...options, catalogue, authenticator }),
  };
  refuseUnknownOperations(door);
  return {
    calls: createNamedCalls({ ...options, catalogue, host: options.host ?? "localhost" }),
    handle(incoming, response) {
      if (incoming.url?.startsWith(OWN_PATHS)) answerPlain(response, 404, "No such page\n");
      else void exchange(door, incoming, response);
    },
    admit: (exchange, service, action, input) => admit(door, exchange, service, action, input),
    identify: async (exchange, service, action, holder) => {
      const target = targetOf(catalogue, service);
      const caller = await authenticator.callerOf(holder, target);
      const operation = { name: action } as OperationModel;
      const context = new ServedRequest({ ...exchange, responseHeaders: {} }, target, operation, caller);
      await options.authorize?.(context, {});
      return context;
    },
    answer(head, body, caller, sourceIp) {
      if (head.url.startsWith(OWN_PATHS)) return undefined;
      return (
        answerDirectly(door, head, body, caller, sourceIp) ?? answerWhole(door, head, body, caller, sourceIp)
      );
    },
  };
}

async function admit(
  { catalogue, authenticator, options }: Door,
  exchange: OtherExchange,
  service: string,
  action: string,
  input: Readonly<Record<string, unknown>>,
): Promise<Principal> {
  const { request } = exchange;
  const signature = readSignature(request);
  refuseOtherAlgorithms(request, signature);
  if (!signature) throw new AwsError("AccessDeniedException", "Missing Authentication Token", {}, 403);
  const target = targetOf(catalogue, service);
  const caller = await authenticator.authenticate(request, signature, target, action);
  undoTransferCodings(request, caller.proof, false);
  const operation = { name: action } as OperationModel;
  const context = new ServedRequest({ ...exchange, responseHeaders: {} }, target, operation, caller);
  await options.authorize?.(context, input);
  return caller.principal;
}

function answerDirectly(
  door: Door,
  head: RequestHead,
  body: Buffer,
  caller: CallerPresence,
  sourceIp: string | undefined,
): Promise<Answer> | undefined {
  const direct = door.direct.serve(head, body, caller);
  return direct?.response.then(
    (response) => ({ response, onStreamError: noStream }),
    (error: unknown) => {
      const state = { ...direct, request: wireRequest(head, body), caller, sourceIp };
      return { response: errorAnswer(door, state, error), onStreamError: noStream };
    },
  );
}

/** A whole body does not break. */
function noStream(): void {}

async function answerWhole(
  door: Door,
  head: RequestHead,
  body: Buffer,
  caller: CallerPresence,
  sourceIp: string | undefined,
): Promise<Answer> {
  let request: WireRequest;
  try {
    request = wireRequest(head, body);
  } catch {
    return { response: plain(400, BAD_URL), onStreamError: noStream };
  }
  const state = newExchange(door, request, caller, sourceIp);
  const response = await answerTo(door, state);
  return { response, onStreamError: (error) => logStreamError(door, state, error) };
}

async function exchange(door: Door, incoming: AnyIncoming, response: AnyResponse): Promise<void> {
  const caller = new CallerPresence();
  response.once("close", () => caller.leave());
  let request: WireRequest;
  try {
    request = incomingRequest(incoming);
  } catch {
    return answerPlain(response, 400, BAD_URL);
  }
  const state = newExchange(door, request, caller, incoming.socket?.remoteAddress);
  const answer = await answerTo(door, state);
  if (!request.body.discard() && incoming.httpVersionMajor === 1) answer.headers["connection"] = "close";
  writeResponse(response, answer, request.method, (error) => logStreamError(door, state, error));
}

function newExchange(
  door: Door,
  request: WireRequest,
  caller: CallerPresence,
  sourceIp: string | undefined,
): Exchange {
  const requestId = door.options.ids.uuid();
  return { request, requestId, caller, target: undefined, responseHeaders: {}, sourceIp };
}

async function answerTo(door: Door, exchange: Exchange): Promise<WireResponse> {
  try {
    const answer = await serve(door, exchange);
    requireSendable(answer.headers);
    return answer;
  } catch (error) {
    if (error instanceof UnsendableHeader)
      // The operation's own may be the one, and are left out.
      for (const name of Object.keys(exchange.responseHeaders)) delete exchange.responseHeaders[name];
    return errorAnswer(door, exchange, error);
  }
}

/** The whole way of a request that succeeds. */
async function serve(door: Door, exchange: Exchange): Promise<WireResponse> {
  const { request, requestId } = exchange;
  const signature = readSignature(request);
  refuseOtherAlgorithms(request, signature);
  const target = await resolveTarget(request, signature?.scope?.signingName, door.services, door.catalogue);
  exchange.target = target;
  const { model, protocol } = target;
  const preflight = await tellOrigins(door, exchange, target);
  if (preflight) return preflight;
  const match = findOperation(target, request, door.catalogue);
  if (!match) return serveOther(door, exchange, target);
  const { operation, labels } = match;
  const caller = await door.authenticator.authenticate(request, signature, target, operation.name);
  undoTransferCodings(request, caller.proof, model.metadata.protocols[0] === "restXml");
  const run = door.implementations.get(model.metadata.name)?.operations.get(operation.name);
  if (!run) throw notImplemented(`${model.metadata.serviceId} ${operation.name}`);
  const input = await protocol.readInput({ operation, request, labels, form: target.found.form ?? [] });
  door.catalogue.validator(model).validate(operation, input);
  const context = new ServedRequest(exchange, target, operation, caller);
  await door.options.authorize?.(context, input);
  const output = await run(input as never, context);
  const answer = protocol.writeOutput({
    metadata: model.metadata,
    operation,
    output: (output ?? {}) as Record<string, unknown>,
    requestId,
    errorModel: (code) => model.error(code),
    onStreamError: (error) => logStreamError(door, exchange, error),
  });
  Object.assign(answer.headers, exchange.responseHeaders);
  return { ...answer, status: context.responseStatus ?? answer.status };
}

/** @throws AwsError in the service's own words for what it does not know either */
async function serveOther(door: Door, exchange: Exchange, target: Target): Promise<WireResponse> {
  const answer = await answerOther(door, exchange, target);
  const { method, path } = exchange.request;
  if (!answer) throw target.protocol.unknownOperation(`${method} ${path}`);
  Object.assign(answer.headers, exchange.responseHeaders);
  return answer;
}

/** Answers a browser's preflight, and tells it in every answer what the page that asks may see, where the service has such rules. */
async function tellOrigins(
  { implementations }: Door,
  { request, responseHeaders }: Exchange,
  { model }: Target,
): Promise<WireResponse | undefined> {
  const { method, headers } = request;
  if (method !== "OPTIONS" && headers.origin === undefined) return undefined;
  const crossOrigin = implementations.get(model.metadata.name)?.crossOrigin;
  if (!crossOrigin) return undefined;
  const asked = { method, headers, path: restPath(model, request) };
  if (method === "OPTIONS")
    return {
      status: 200,
      headers: { ...(await crossOrigin.preflight(asked)), "content-length": "0" },
      body: undefined,
    };
  Object.assign(responseHeaders, await crossOrigin.headers(asked));
  return undefined;
}

/** Everything that is not an AwsError is a bug of ours: one 500 with the request id, logged with its stack. */
function errorAnswer(door: Door, exchange: Exchange, error: unknown): WireResponse {
  const target =
    exchange.target ??
    fallbackTarget(door.catalogue, exchange.request, readSignature(exchange.request)?.scope?.signingName);
  let known: AwsError;
  if (error instanceof AwsError) known = error;
  else if (error instanceof MalformedInput) known = target.protocol.malformed(error);
  else if (error instanceof URIError) known = target.protocol.malformed(new MalformedUrl());
  else {
    if (!exchange.caller.hasLeft)
      door.options.log.error("internal error", {
        requestId: exchange.requestId,
        service: target.model.metadata.name,
        path: exchange.request.path,
        error,
      });
    known = target.protocol.internalError();
  }
  const answer = errorResponse(target, known, exchange.requestId);
  Object.assign(answer.headers, exchange.responseHeaders);
  return answer;
}

/** A header that HTTP cannot carry. */
class UnsendableHeader extends Error {}

/** @throws UnsendableHeader before anything of the answer has been sent */
function requireSendable(headers: Readonly<Record<string, string>>): void {
  try {
    for (const name in headers) {
      validateHeaderName(name);
      validateHeaderValue(name, headers[name] ?? "");
    }
  } catch (cause) {
    throw new UnsendableHeader("an operation set a header that HTTP cannot carry", { cause });
  }
}

function logStreamError(door: Door, exchange: Exchange, error: unknown): void {
  if (exchange.caller.hasLeft) return;
  door.options.log.error("error in a streamed response", { requestId: exchange.requestId, error });
}

/** A service that offers an operation which AWS does not have is a mistake of ours, found at start. */
function refuseUnknownOperations({ implementations, catalogue }: Door): void {
  for (const [name, service] of implementations) {
    if (service.operations.size === 0) continue;
    const model = catalogue.model(name);
    for (const operation of service.operations.keys())
      if (!model.operationNames.includes(operation)) throw new Error(`${name} has no operation ${operation}`);
  }
}

function answerPlain(response: AnyResponse, status: number, text: string): void {
  writeResponse(response, plain(status, text), "GET", () => {});
}

function plain(status: number, text: string): WireResponse {
  const headers = { "content-type": "text/plain", "content-length": String(Buffer.byteLength(text)) };
  return { status, headers, body: text };
}
