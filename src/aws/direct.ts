/**
 * The direct way: the plainest requests for what is called most go past the model-driven stages of the front door. It only ever
 * succeeds. Whatever is not plain, or would be refused, goes the general way, which so has the only word on errors.
 */
import type { Ids } from "../kit/id.ts";
import type { Authenticator } from "./auth/authenticate.ts";
import { signatureInHeader } from "./auth/credential.ts";
import type { Catalogue } from "./catalogue.ts";
import type { RequestHead } from "./http/wire-request.ts";
import type { WireProtocol } from "./model/format.ts";
import type { OperationModel } from "./model/model.ts";
import { protocolFor } from "./protocol/protocols.ts";
import type { WireResponse } from "./protocol/protocol.ts";
import { resolveOperation } from "./route/target.ts";
import type { Target } from "./route/target.ts";
import type { DirectAnswer, DirectCall, DirectService, Service } from "./service.ts";

interface Deps {
  readonly services: readonly Service[];
  readonly catalogue: Catalogue;
  readonly authenticator: Authenticator;
  readonly ids: Ids;
}

export interface DirectResponse {
  readonly requestId: string;
  readonly target: Target;
  /** Those that the operation sets for its error too. */
  readonly responseHeaders: Record<string, string>;
  /** Rejects with what the operation throws. */
  readonly response: Promise<WireResponse>;
}

/** What a path of a service is for; found once. */
interface Route {
  readonly operation: OperationModel;
  readonly labels: Readonly<Record<string, string>>;
  /** By account and region. */
  readonly answers: Map<string, DirectAnswer | undefined>;
}

interface Entrance {
  readonly direct: DirectService;
  readonly target: Target;
  /** What its requests have as content type, where they name the operation in X-Amz-Target. */
  readonly contentType: string | undefined;
  readonly routes: Map<string, Route | undefined>;
}

const JSON_TYPES: Readonly<Partial<Record<WireProtocol, string>>> = {
  awsJson1_0: "application/x-amz-json-1.0",
  awsJson1_1: "application/x-amz-json-1.1",
};
const TARGET = "x-amz-target";

/** Paths remembered, and places for each; then all are forgotten. */
const KNOWN_MAX = 1_000;
const NO_QUERY: ReadonlyMap<string, readonly string[]> = new Map();

/** Headers that say nothing about what is asked for, or are looked at here. */
const PLAIN_HEADERS: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding",
  "amz-sdk-invocation-id",
  "amz-sdk-request",
  "authorization",
  "connection",
  "content-length",
  "content-type",
  "host",
  "user-agent",
  "x-amz-content-sha256",
  "x-amz-date",
  "x-amz-security-token",
  "x-amz-user-agent",
]);

export class DirectWay {
  readonly #deps: Deps;
  readonly #entrances: readonly Entrance[];
  /** Those whose requests name the operation in X-Amz-Target, by the part of it before the dot. */
  readonly #byTarget: ReadonlyMap<string, Entrance>;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#entrances = deps.services.flatMap(({ name, direct }) => {
      if (!direct) return [];
      const target = targetOf(deps.catalogue, name);
      const contentType = direct.pathRoot === undefined ? JSON_TYPES[target.found.protocol] : undefined;
      return [{ direct, target, contentType, routes: new Map() }];
    });
    this.#byTarget = new Map(
      this.#entrances
        .filter(({ contentType }) => contentType !== undefined)
        .map((entrance) => [entrance.target.model.metadata.target, entrance]),
    );
  }

  /** Undefined, with nothing done, for what has to go the general way. */
  serve(head: RequestHead, body: Buffer, caller: DirectCall["caller"]): DirectResponse | undefined {
    const target = head.headers[TARGET];
    if (typeof target === "string") {
      const entrance = this.#byTarget.get(target.slice(0, target.lastIndexOf(".")));
      const isPlain = head.url === "/" && head.headers["content-type"] === entrance?.contentType;
      return entrance && isPlain ? this.#serve(entrance, head, body, caller) : undefined;
    }
    for (const entrance of this.#entrances) {
      const { pathRoot } = entrance.direct;
      if (pathRoot !== undefined && head.url.startsWith(pathRoot))
        return this.#serve(entrance, head, body, caller);
    }
    return undefined;
  }

  #serve(
    entrance: Entrance,
    head: RequestHead,
    body: Buffer,
    presence: DirectCall["caller"],
  ): DirectResponse | undefined {
    const { direct, target } = entrance;
    const { method, url, headers } = head;
    const isRpc = entrance.contentType !== undefined;
    for (const name in headers)
      if (!PLAIN_HEADERS.has(name) && !direct.headers.has(name) && !(isRpc && name === TARGET))
        return undefined;
    const { authorization, host } = headers;
    const signature = authorization === undefined ? undefined : signatureInHeader(authorization);
    if (!signature || host === undefined) return undefined;
    const route = isRpc
      ? this.#operation(entrance, method, headers[TARGET] as string)
      : this.#route(entrance, method, url);
    if (!route) return undefined;
    const request = { method, path: url, rawQuery: "", headers, host };
    const caller = this.#deps.authenticator.callerNow(request, body, signature, target);
    // Root may do everything in its account; what others may do is for the general way to find out.
    if (caller?.principal.type !== "root") return undefined;
    const answer = answerFor(direct, route, caller.principal.account, caller.region);
    const requestId = this.#deps.ids.uuid();
    const responseHeaders = {};
    const response = answer?.({ requestId, headers, body, responseHeaders, caller: presence });
    return response && { requestId, target, responseHeaders, response };
  }

  /** The same by X-Amz-Target. */
  #operation({ target, routes }: Entrance, method: string, name: string): Route | undefined {
    if (method !== "POST") return undefined;
    const known = routes.get(name);
    if (known) return known;
    const operation = target.model.operation(name.slice(name.lastIndexOf(".") + 1));
    const route = operation && { operation, labels: {}, answers: new Map() };
    if (route) routes.set(name, route);
    return route;
  }

  #route({ target, routes }: Entrance, method: string, url: string): Route | undefined {
    const key = `${method} ${url}`;
    const known = routes.get(key);
    if (known || routes.has(key)) return known;
    if (routes.size >= KNOWN_MAX) routes.clear();
    const route = findRoute(this.#deps.catalogue, target, method, url);
    routes.set(key, route);
    return route;
  }
}

/** A service in its first protocol. */
export function targetOf(catalogue: Catalogue, name: string): Target {
  const model = catalogue.model(name);
  const { metadata } = model;
  const found = { metadata, protocol: metadata.protocols[0] ?? "restJson1" } as const;
  return { model, protocolName: found.protocol, protocol: protocolFor(found), found };
}

/** A path without a query; undefined for one that leads nowhere. */
function findRoute(catalogue: Catalogue, target: Target, method: string, url: string): Route | undefined {
  if (url.includes("?")) return undefined;
  try {
    const request = { method, path: url, query: NO_QUERY, headers: {}, host: "" };
    return { ...resolveOperation(target, request, catalogue), answers: new Map() };
  } catch {
    return undefined;
  }
}

function answerFor(
  direct: DirectService,
  { operation, labels, answers }: Route,
  account: string,
  region: string,
): DirectAnswer | undefined {
  const place = `${account} ${region}`;
  const known = answers.get(place);
  if (known || answers.has(place)) return known;
  if (answers.size >= KNOWN_MAX) answers.clear();
  const answer = direct.find(operation.name, labels, { account, region });
  answers.set(place, answer);
  return answer;
}
