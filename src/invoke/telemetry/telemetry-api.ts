/** The HTTP Telemetry API of one execution environment, and the Logs API that it superseded: extensions subscribe here. */
import { errorReply, notFound, wrongMethod } from "../api-reply.ts";
import type { ApiReply } from "../api-reply.ts";
import { ExtensionError } from "../extensions/extension-set.ts";
import type { ExtensionSet } from "../extensions/extension-set.ts";
import { identifierOf } from "../extensions/extensions-api.ts";
import type { HttpRequest } from "../http-request.ts";
import type { PlatformEvent } from "../platform-events.ts";
import type { SandboxApiPart } from "../sandbox-api.ts";
import { LOGS_RULES, TELEMETRY_RULES, readSubscription } from "./subscription.ts";
import { isOfLogsApi } from "./telemetry.ts";
import type { Telemetry } from "./telemetry.ts";

export interface TelemetryApiDeps {
  readonly telemetry: Telemetry;
  extensions(): ExtensionSet;
  /** The sandbox's own address, as the server reaches it. */
  address(): string;
  /** Tells the log and all subscribers. */
  tell(event: PlatformEvent): void;
}

const APIS = {
  telemetry: {
    prefix: "/2022-07-01/telemetry",
    rules: TELEMETRY_RULES,
    event: "telemetrySubscription",
    invalid: "ValidationError",
    closed: "Telemetry.SubscriptionClosed",
    closedMessage: "Telemetry API subscription is closed already",
  },
  logs: {
    prefix: "/2020-08-15/logs",
    rules: LOGS_RULES,
    event: "logsSubscription",
    invalid: "Logs.ValidationError",
    closed: "Logs.SubscriptionClosed",
    closedMessage: "Logs API subscription is closed already",
  },
} as const;

export class TelemetryApi implements SandboxApiPart {
  readonly prefix: string;
  readonly #api: (typeof APIS)[keyof typeof APIS];
  readonly #deps: TelemetryApiDeps;

  constructor(name: keyof typeof APIS, deps: TelemetryApiDeps) {
    this.#api = APIS[name];
    this.prefix = this.#api.prefix;
    this.#deps = deps;
  }

  serve(request: HttpRequest, path: string): ApiReply {
    if (path !== "" && path !== "/") return notFound();
    if (request.method !== "PUT") return wrongMethod();
    try {
      return this.#subscribe(request);
    } catch (error) {
      if (error instanceof ExtensionError) return errorReply(403, error.errorType, error.message);
      throw error;
    }
  }

  #subscribe(request: HttpRequest): ApiReply {
    const { telemetry } = this.#deps;
    const { name } = this.#deps.extensions().find(identifierOf(request));
    const { invalid, rules, event, closed, closedMessage } = this.#api;
    if (!telemetry.isOpen) return errorReply(403, closed, closedMessage);
    const subscription = readSubscription(request.body, rules);
    if ("problems" in subscription) return errorReply(400, invalid, subscription.problems.join("; "));
    const before = telemetry.schemaOf(name);
    if (before && isOfLogsApi(before) !== isOfLogsApi(subscription.schema))
      return errorReply(
        400,
        invalid,
        `${name} has subscribed through the ${isOfLogsApi(before) ? "Logs" : "Telemetry"} API already`,
      );
    telemetry.subscribe(name, subscription, this.#deps.address());
    this.#deps.tell({
      type: event,
      name,
      state: before ? "Already subscribed" : "Subscribed",
      types: subscription.types,
    });
    return { status: 200, body: Buffer.from('"OK"') };
  }
}
