/** The context of one request, as its operation sees it; a class, since one is made for every request. */
import type { IncomingHttpHeaders } from "node:http";
import type { Caller } from "./auth/authenticate.ts";
import type { CallerPresence } from "./http/caller-presence.ts";
import type { WireRequest } from "./http/wire-request.ts";
import type { OperationModel } from "./model/model.ts";
import type { Target } from "./route/target.ts";
import type { Principal, ProtocolName, RequestContext, Requirement } from "./service.ts";

/** What the front door knows of the exchange. */
interface Exchange {
  readonly request: WireRequest;
  readonly requestId: string;
  readonly caller: CallerPresence;
  readonly responseHeaders: Record<string, string>;
  readonly sourceIp: string | undefined;
}

export class ServedRequest implements RequestContext {
  readonly requestId: string;
  readonly account: string;
  readonly region: string;
  readonly principal: Principal;
  readonly service: string;
  readonly operation: string;
  readonly protocol: ProtocolName;
  readonly headers: IncomingHttpHeaders;
  readonly responseHeaders: Record<string, string>;
  declare readonly sourceIp?: string;
  declare responseStatus?: number;
  declare authorize?: (requirement: Requirement) => Promise<void>;
  readonly #request: WireRequest;
  readonly #caller: CallerPresence;

  constructor(exchange: Exchange, target: Target, operation: OperationModel, caller: Caller) {
    this.requestId = exchange.requestId;
    this.account = caller.principal.account;
    this.region = caller.region;
    this.principal = caller.principal;
    this.service = target.model.metadata.name;
    this.operation = operation.name;
    this.protocol = target.protocolName;
    this.headers = exchange.request.headers;
    this.responseHeaders = exchange.responseHeaders;
    if (exchange.sourceIp !== undefined) this.sourceIp = exchange.sourceIp;
    this.#request = exchange.request;
    this.#caller = exchange.caller;
  }

  get endpoint(): string {
    return `http://${this.#request.host}`;
  }

  get trailers(): Readonly<Record<string, string>> {
    return this.#request.body.trailers;
  }

  get signal(): AbortSignal {
    return this.#caller.signal;
  }

  bodyBytes(): Promise<Buffer> {
    return this.#request.body.bytes();
  }
}
