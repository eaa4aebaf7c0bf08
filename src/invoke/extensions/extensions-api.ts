/** The HTTP Extensions API of one execution environment. https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html */
import type { Socket } from "node:net";
import type { Ids } from "../../kit/id.ts";
import { accepted, errorReply, notFound, writeReply, wrongMethod } from "../api-reply.ts";
import type { ApiReply } from "../api-reply.ts";
import type { HttpRequest } from "../http-request.ts";
import type { SandboxApiPart } from "../sandbox-api.ts";
import type { FunctionVersion } from "../types.ts";
import { ExtensionError } from "./extension-set.ts";
import type { ExtensionEvent, ExtensionSet, Poll } from "./extension-set.ts";

const nameHeader = "lambda-extension-name";
const featureHeader = "lambda-extension-accept-feature";
const identifierHeader = "lambda-extension-identifier";
const errorTypeHeader = "lambda-extension-function-error-type";
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export interface ExtensionsApiDeps {
  readonly version: FunctionVersion;
  readonly ids: Ids;
  /** Those of the environment's present life. */
  extensions(): ExtensionSet;
}

export class ExtensionsApi implements SandboxApiPart {
  readonly prefix = "/2020-01-01/extension";
  readonly #deps: ExtensionsApiDeps;
  /** Connections on which an extension waits. */
  readonly #waiting = new Map<
    Socket,
    { readonly set: ExtensionSet; readonly id: string; readonly poll: Poll }
  >();

  constructor(deps: ExtensionsApiDeps) {
    this.#deps = deps;
  }

  serve(request: HttpRequest, path: string, socket: Socket): ApiReply | undefined {
    const call = this.#callOf(path);
    if (!call) return notFound();
    if (request.method !== call.method) return wrongMethod();
    try {
      return call.run(request, socket);
    } catch (error) {
      if (error instanceof ExtensionError) return errorReply(403, error.errorType, error.message);
      throw error;
    }
  }

  disconnected(socket: Socket): void {
    const waiting = this.#waiting.get(socket);
    this.#waiting.delete(socket);
    waiting?.set.abandon(waiting.id, waiting.poll);
  }

  #callOf(path: string) {
    switch (path) {
      case "/register":
        return { method: "POST", run: (request: HttpRequest) => this.#register(request) };
      case "/event/next":
        return {
          method: "GET",
          run: (request: HttpRequest, socket: Socket) => this.#next(request, socket),
        };
      case "/init/error":
        return { method: "POST", run: (request: HttpRequest) => this.#fail(request, "InitError") };
      case "/exit/error":
        return { method: "POST", run: (request: HttpRequest) => this.#fail(request, "ExitError") };
      default:
        return undefined;
    }
  }

  #register(request: HttpRequest): ApiReply {
    const name = request.headers.get(nameHeader) ?? "";
    if (name === "") throw new ExtensionError("Extension.InvalidExtensionName", "Empty extension name");
    const events = eventsOf(request.body);
    const extensions = this.#deps.extensions();
    const isExternal = extensions.list.some((each) => each.name === name && each.isExternal);
    for (const event of events)
      if (event !== "INVOKE" && (event !== "SHUTDOWN" || !isExternal))
        throw new ExtensionError(
          "Extension.InvalidEventType",
          `${event}: ${event === "SHUTDOWN" ? "an internal extension cannot register for it" : "ErrInvalidEventType"}`,
        );
    const { id } = extensions.register(name, events as ExtensionEvent[]);
    const { functionName, version, handler, account } = this.#deps.version;
    const features = (request.headers.get(featureHeader) ?? "").split(",").map((each) => each.trim());
    const accountId = features.includes("accountId") ? { accountId: account } : {};
    return {
      status: 200,
      headers: { "Content-Type": "application/json", "Lambda-Extension-Identifier": id },
      body: Buffer.from(JSON.stringify({ functionName, functionVersion: version, handler, ...accountId })),
    };
  }

  #next(request: HttpRequest, socket: Socket): undefined {
    const id = identifierOf(request);
    const poll: Poll = (event) => {
      this.#waiting.delete(socket);
      const headers = {
        "Content-Type": "application/json",
        "Lambda-Extension-Identifier": id,
        "Lambda-Extension-Event-Identifier": this.#deps.ids.uuid(),
      };
      writeReply(
        socket,
        { status: 200, headers, body: Buffer.from(JSON.stringify(event)) },
        request.keepAlive,
      );
    };
    const set = this.#deps.extensions();
    this.#waiting.set(socket, { set, id, poll });
    try {
      set.next(id, poll);
    } catch (error) {
      this.#waiting.delete(socket);
      throw error;
    }
    return undefined;
  }

  #fail(request: HttpRequest, state: "InitError" | "ExitError"): ApiReply {
    const id = identifierOf(request);
    const errorType = request.headers.get(errorTypeHeader) ?? "";
    if (errorType === "")
      throw new ExtensionError("Extension.MissingHeader", "Lambda-Extension-Function-Error-Type not found");
    this.#deps.extensions().fail(id, state, errorType);
    return accepted();
  }
}

/** The identifier that a request carries. @throws ExtensionError when there is none. */
export function identifierOf(request: HttpRequest): string {
  const id = request.headers.get(identifierHeader) ?? "";
  if (id === "")
    throw new ExtensionError(
      "Extension.MissingExtensionIdentifier",
      "Missing Lambda-Extension-Identifier header",
    );
  if (!UUID.test(id))
    throw new ExtensionError("Extension.InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier");
  return id.toLowerCase();
}

function eventsOf(body: Buffer): readonly string[] {
  const document = parse(body);
  const events = document["events"] ?? [];
  if (!Array.isArray(events) || !events.every((event) => typeof event === "string"))
    throw new ExtensionError("InvalidRequestFormat", "events is no array of strings");
  const keys = document["configurationKeys"];
  if (Array.isArray(keys) && keys.length > 0)
    throw new ExtensionError(
      "InvalidRequestFormat",
      "configurationKeys are deprecated; use environment variables instead",
    );
  return events;
}

function parse(body: Buffer): Record<string, unknown> {
  let document: unknown;
  try {
    document = JSON.parse(body.toString());
  } catch (error) {
    throw new ExtensionError("InvalidRequestFormat", (error as Error).message);
  }
  if (typeof document !== "object" || document === null || Array.isArray(document))
    throw new ExtensionError("InvalidRequestFormat", "the body is no JSON object");
  return document as Record<string, unknown>;
}
