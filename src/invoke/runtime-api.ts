/** The HTTP Runtime API of one execution environment. https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html */
import type { Socket } from "node:net";
import {
  accepted,
  errorBody,
  errorReply,
  notFound,
  text,
  tooLargeReply,
  writeReply,
  wrongMethod,
} from "./api-reply.ts";
import type { ApiReply } from "./api-reply.ts";
import { errorDocument } from "./error-document.ts";
import type { BodyReceiver, HttpHead, HttpRequest } from "./http-request.ts";
import { responseBytesMax } from "./limits.ts";
import { truncatedMessage } from "./payloads.ts";
import { PostedAnswer } from "./posted-answer.ts";
import type { Delivery, RuntimeListener } from "./runtime-channel.ts";
import type { SandboxApiPart } from "./sandbox-api.ts";

/** Where a custom runtime stands, in the words of the errors that AWS answers. */
type Phase = "Started" | "InitError" | "Ready" | "Running" | "InvocationResponse" | "ResponseSent";

const errorTypeHeader = "lambda-runtime-function-error-type";
const responseModeHeader = "lambda-runtime-function-response-mode";
const streamingMode = "streaming";
const defaultContentType = "application/octet-stream";

export class RuntimeApi implements SandboxApiPart {
  readonly prefix = "/2018-06-01";
  readonly #listener: RuntimeListener | undefined;
  readonly #snapStart: "to be saved" | "restored" | undefined;
  #phase: Phase = "Started";
  #requestId = "";
  /** Answers the runtime's long poll. */
  #poll: { readonly socket: Socket; readonly request: HttpRequest } | undefined;
  /** The answer under way, while the runtime streams it. */
  #posted: PostedAnswer | undefined;
  /** What the next poll takes; a runtime whose connection broke asks again. */
  #delivery: Delivery | undefined;

  /**
   * @param listener Undefined for a managed runtime, which our bootstrap serves: the address is there, as AWS_LAMBDA_RUNTIME_API
   * is on AWS, and nothing but `/ping` is answered with success.
   * @param snapStart Where a function with SnapStart stands whose runtime speaks HTTP.
   */
  constructor(listener: RuntimeListener | undefined, snapStart?: "to be saved" | "restored") {
    this.#listener = listener;
    this.#snapStart = snapStart;
  }

  deliver(delivery: Delivery): void {
    this.#requestId = delivery.requestId;
    this.#phase = "Running";
    this.#delivery = delivery;
    this.#answerPoll();
  }

  serve(request: HttpRequest, path: string, socket: Socket): ApiReply | undefined {
    const { method } = request;
    if (path === "/runtime/invocation/next")
      return method === "GET" ? this.#next(socket, request) : wrongMethod();
    const call = callOf(path);
    if (this.#posted?.isFrom(socket)) {
      this.#posted.end(request);
      return undefined;
    }
    if (call) return method === "POST" ? this.#call(call, request) : wrongMethod();
    if (path === "/runtime/init/error") return method === "POST" ? this.#initError(request) : wrongMethod();
    if (path === "/ping") return method === "GET" ? text(200, "pong") : wrongMethod();
    if (path === "/runtime/restore/next")
      return method === "GET" ? this.#restoreNext(request) : wrongMethod();
    if (path === "/runtime/restore/error")
      return method === "POST" ? this.#restoreError(request) : wrongMethod();
    return notFound();
  }

  /** A streamed answer is taken as it comes, when it is this runtime's turn to answer; else it is read and then refused. */
  receive(head: HttpHead, path: string, socket: Socket): BodyReceiver | undefined {
    // Asked of every request, so the cheapest question comes first.
    if (head.headers.get(responseModeHeader) !== streamingMode || !this.#listener) return undefined;
    const call = callOf(path);
    if (call?.kind !== "response" || head.method !== "POST") return undefined;
    if (call.requestId !== this.#requestId || this.#phase !== "Running" || this.#delivery) return undefined;
    this.#phase = "InvocationResponse";
    const posted = new PostedAnswer(socket, () => {
      this.#phase = "ResponseSent";
      this.#posted = undefined;
    });
    this.#posted = posted;
    posted.begin(this.#listener.stream(head.headers.get("content-type") ?? defaultContentType, posted));
    return posted;
  }

  truncated(method: string, path: string): ApiReply | undefined {
    const call = callOf(path);
    if (method !== "POST" || call?.kind !== "response") return undefined;
    if (this.#posted && call.requestId === this.#requestId) {
      this.#posted.breakOff();
      return errorReply(400, "TruncatedHTTPRequest", "HTTP request detected as truncated");
    }
    if (call.requestId !== this.#requestId || this.#phase !== "Running") return undefined;
    this.#phase = "ResponseSent";
    this.#listener?.answerRefused("Runtime.TruncatedResponse", truncatedMessage);
    return errorReply(400, "TruncatedHTTPRequest", "HTTP request detected as truncated");
  }

  disconnected(socket: Socket): void {
    if (this.#poll?.socket === socket) this.#poll = undefined;
  }

  #answerPoll(): void {
    const poll = this.#poll;
    const delivery = this.#delivery;
    if (!poll || !delivery) return;
    this.#poll = undefined;
    this.#delivery = undefined;
    writeReply(poll.socket, invocationReply(delivery), poll.request.keepAlive);
  }

  #next(socket: Socket, request: HttpRequest): ApiReply | undefined {
    const before = this.#phase;
    if (!this.#listener || (before === "Running" && !this.#delivery) || before === "InitError" || this.#poll)
      return stateError(before, "Ready");
    this.#poll = { socket, request };
    if (before === "Running") this.#answerPoll();
    else this.#phase = "Ready";
    if (before === "Started" || before === "ResponseSent") this.#listener.next();
    return undefined;
  }

  /**
   * Before the snapshot, our program asks in the place of AWS's client, on a connection that ends, and asks no more until it is restored.
   * After it the client asks itself.
   */
  #restoreNext(request: HttpRequest): ApiReply {
    if (!this.#listener || !this.#snapStart || (this.#snapStart === "to be saved" && request.keepAlive))
      return withoutSnapStart();
    if (this.#phase !== "Started") return stateError(this.#phase, "Ready");
    if (this.#snapStart === "to be saved") {
      this.#phase = "Ready";
      this.#listener.next();
    }
    return text(200, "");
  }

  #restoreError(request: HttpRequest): ApiReply {
    return this.#snapStart === "restored" ? this.#initError(request) : withoutSnapStart();
  }

  #call(call: Call, request: HttpRequest): ApiReply {
    if (call.requestId !== this.#requestId) return errorReply(400, "InvalidRequestID", "Invalid request ID");
    if (this.#phase !== "Running" || this.#delivery)
      return stateError(
        this.#phase,
        call.kind === "response" ? "InvocationResponse" : "InvocationErrorResponse",
      );
    return call.kind === "response" ? this.#response(request) : this.#error(request);
  }

  #response(request: HttpRequest): ApiReply {
    const mode = request.headers.get(responseModeHeader);
    if (mode !== undefined) return this.#refuseMode(mode);
    this.#phase = "ResponseSent";
    if (request.bodyBytes > responseBytesMax) return this.#tooLarge(request);
    this.#listener?.answer(request.body);
    return accepted();
  }

  #error(request: HttpRequest): ApiReply {
    this.#phase = "ResponseSent";
    if (request.bodyBytes > responseBytesMax) return this.#tooLarge(request);
    this.#listener?.answer(errorDocument(request), request.headers.get(errorTypeHeader) ?? "");
    return accepted();
  }

  #tooLarge(request: HttpRequest): ApiReply {
    this.#listener?.answerTooLarge(request.bodyBytes);
    return tooLargeReply();
  }

  #initError(request: HttpRequest): ApiReply {
    if (!this.#listener || this.#phase !== "Started") return stateError(this.#phase, "InitError");
    this.#phase = "InitError";
    this.#listener.initError(request.headers.get(errorTypeHeader) ?? "", errorDocument(request));
    return accepted();
  }

  #refuseMode(mode: string): ApiReply {
    this.#phase = "ResponseSent";
    this.#listener?.answerRefused(
      "Runtime.InvalidResponseModeHeader",
      `Invalid function response mode: ${mode}`,
    );
    return errorReply(400, "InvalidFunctionResponseMode", "Invalid function response mode");
  }
}

interface Call {
  readonly requestId: string;
  readonly kind: "response" | "error";
}

const CALL = /^\/runtime\/invocation\/([^/]+)\/(response|error)$/;

function callOf(path: string): Call | undefined {
  const match = CALL.exec(path);
  return match
    ? { requestId: match[1] ?? "", kind: match[2] === "response" ? "response" : "error" }
    : undefined;
}

function invocationReply(delivery: Delivery): ApiReply {
  const headers: Record<string, string> = {
    "Content-Type": "application/json",
    "Lambda-Runtime-Aws-Request-Id": delivery.requestId,
    "Lambda-Runtime-Deadline-Ms": String(Math.floor(delivery.deadline)),
    "Lambda-Runtime-Invoked-Function-Arn": delivery.functionArn,
  };
  if (delivery.traceHeader !== "") headers["Lambda-Runtime-Trace-Id"] = delivery.traceHeader;
  if (delivery.clientContext !== "")
    headers["Lambda-Runtime-Client-Context"] = inAscii(delivery.clientContext);
  if (delivery.cognitoIdentity !== "") headers["Lambda-Runtime-Cognito-Identity"] = delivery.cognitoIdentity;
  return { status: 200, headers, body: delivery.payload };
}

function withoutSnapStart(): ApiReply {
  return errorReply(
    501,
    "NotImplemented",
    "SnapStart is for managed runtimes; a runtime of its own that a function brings, or an executable of .NET, has none",
  );
}

/** The same JSON: HTTP clients differ in what they take other bytes of a header for, .NET's for Latin-1. */
function inAscii(json: string): string {
  return json.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function stateError(from: Phase, to: string): ApiReply {
  return {
    status: 403,
    body: errorBody(
      "InvalidStateTransition",
      `State transition from ${from} to ${to} failed for runtime. Error: State transition is not allowed`,
    ),
  };
}
