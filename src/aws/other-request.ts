/** Requests that none of the model's operations answers, for services that have an answer of their own. */
import type { Authenticator } from "./auth/authenticate.ts";
import type { Catalogue } from "./catalogue.ts";
import { RequestBody } from "./http/request-body.ts";
import type { WireRequest } from "./http/wire-request.ts";
import type { OperationModel } from "./model/model.ts";
import type { WireResponse } from "./protocol/protocol.ts";
import { ServedRequest } from "./request-context.ts";
import { restPath } from "./route/target.ts";
import type { Target } from "./route/target.ts";
import type { CallerPresence } from "./http/caller-presence.ts";
import type { OtherCall, RequestContext, Service } from "./service.ts";

/** What the front door serves such requests with. */
interface Door {
  readonly catalogue: Catalogue;
  readonly authenticator: Authenticator;
  readonly implementations: ReadonlyMap<string, Service>;
  readonly options: {
    readonly authorize?: (context: RequestContext, input: Readonly<Record<string, unknown>>) => Promise<void>;
  };
}

interface Exchange {
  readonly request: WireRequest;
  readonly requestId: string;
  readonly caller: CallerPresence;
  readonly responseHeaders: Record<string, string>;
  readonly sourceIp: string | undefined;
}

const NO_QUERY: WireRequest["query"] = new Map();

/** The service's own answer; undefined where it has none. @throws AwsError */
export function answerOther(
  door: Door,
  exchange: Exchange,
  target: Target,
): Promise<WireResponse> | undefined {
  const { model } = target;
  const { request } = exchange;
  return door.implementations.get(model.metadata.name)?.others?.answer({
    method: request.method,
    path: restPath(model, request),
    host: request.host,
    headers: request.headers,
    get body() {
      return request.body.stream();
    },
    identify: (signed) => door.authenticator.signerOf(signed, target),
    call: (as) => call(door, exchange, target, as),
  });
}

async function call(
  { catalogue, options }: Door,
  exchange: Exchange,
  target: Target,
  { operation: name, caller, labels, headers, body, run }: OtherCall,
): Promise<WireResponse> {
  const { model, protocol } = target;
  const operation = model.operation(name) as OperationModel;
  const request: WireRequest = {
    ...exchange.request,
    rawQuery: "",
    query: NO_QUERY,
    headers,
    body: new RequestBody(body, undefined),
  };
  const input = await protocol.readInput({ operation, request, labels, form: [] });
  catalogue.validator(model).validate(operation, input);
  const context = new ServedRequest({ ...exchange, request }, target, operation, caller);
  await options.authorize?.(context, input);
  const output = await run(input as never, context);
  return protocol.writeOutput({
    metadata: model.metadata,
    operation,
    output: (output ?? {}) as Record<string, unknown>,
    requestId: exchange.requestId,
    errorModel: (code) => model.error(code),
    onStreamError: () => {},
  });
}
