/** The HTTP Runtime API of one execution environment. https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html */
import type { Socket } from "node:net";
import { HttpRequestReader } from "./http-request.ts";
import type { HttpRequest } from "./http-request.ts";
import { responseBytesMax, runtimeApiConnectionsMax } from "./limits.ts";
import { closed } from "./runtime-channel.ts";
import type { Delivery, RuntimeChannel, RuntimeListener } from "./runtime-channel.ts";

/** Where a custom runtime stands. */
type Phase = "init" | "waiting" | "running" | "answered" | "closed";

const prefix = "/2018-06-01";
const errorTypeHeader = "lambda-runtime-function-error-type";
const responseModeHeader = "lambda-runtime-function-response-mode";
const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  202: "Accepted",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  413: "Request Entity Too Large",
  501: "Not Implemented",
};

interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const DEAF: RuntimeListener = {
  next() {},
  initError() {},
  answer() {},
  answerTooLarge() {},
  log() {},
};

export class RuntimeApi implements RuntimeChannel {
  readonly #listener: RuntimeListener;
  readonly #sockets = new Set<Socket>();
  #phase: Phase;
  #requestId = "";
  /** Answers the runtime's long poll. */
  #poll: { readonly socket: Socket; readonly request: HttpRequest } | undefined;

  /**
   * @param listener Undefined for a managed runtime, which our bootstrap serves: the address is there, as AWS_LAMBDA_RUNTIME_API
   * is on AWS, and nothing but `/ping` is answered with success.
   */
  constructor(listener: RuntimeListener | undefined) {
    this.#listener = listener ?? DEAF;
    this.#phase = listener ? "init" : "closed";
  }

  /** Serves one connection from inside the sandbox. */
  connect(socket: Socket): void {
    if (this.#sockets.size >= runtimeApiConnectionsMax) return void socket.destroy();
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    const reader = new HttpRequestReader(
      responseBytesMax,
      (request) => this.#serve(socket, request),
      () => socket.write("HTTP/1.1 100 Continue\r\n\r\n"),
    );
    socket.on("data", (chunk: Buffer) => {
      try {
        reader.push(chunk);
        // Who asks without reading the answers waits: they would pile up here, outside the sandbox's memory.
        if (socket.writableNeedDrain) socket.pause();
      } catch (error) {
        const body = errorBody("BadRequest", (error as Error).message);
        write(socket, { status: 400, body }, false);
      }
    });
    socket.on("drain", () => socket.resume());
    socket.on("error", () => socket.destroy());
    socket.once("close", () => {
      this.#sockets.delete(socket);
      if (this.#poll?.socket === socket) this.#poll = undefined;
    });
  }

  deliver(delivery: Delivery): void {
    this.#requestId = delivery.requestId;
    this.#phase = "running";
    this.#delivery = delivery;
    this.#answerPoll();
  }

  async drained(): Promise<void> {
    await Promise.all([...this.#sockets].map(closed));
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** What the next poll takes; a runtime whose connection broke asks again. */
  #delivery: Delivery | undefined;

  #answerPoll(): void {
    const poll = this.#poll;
    const delivery = this.#delivery;
    if (!poll || !delivery) return;
    this.#poll = undefined;
    this.#delivery = undefined;
    write(poll.socket, invocationReply(delivery), poll.request.keepAlive);
  }

  #serve(socket: Socket, request: HttpRequest): void {
    const reply = this.#route(socket, request);
    if (reply) write(socket, reply, request.keepAlive);
  }

  #route(socket: Socket, request: HttpRequest): Reply | undefined {
    const { method } = request;
    const path = request.path.startsWith(prefix) ? request.path.slice(prefix.length) : request.path;
    if (path === "/ping") return method === "GET" ? text(200, "pong") : text(405, "");
    if (path === "/runtime/invocation/next")
      return method === "GET" ? this.#next(socket, request) : text(405, "");
    const call = /^\/runtime\/invocation\/([^/]+)\/(response|error)$/.exec(path);
    if (path === "/runtime/init/error") return method === "POST" ? this.#initError(request) : text(405, "");
    if (path.startsWith("/runtime/restore/"))
      return error(501, "NotImplemented", "Lambent does not implement SnapStart yet");
    if (!call) return text(404, "404 page not found\n");
    if (method !== "POST") return text(405, "");
    if (call[1] !== this.#requestId) return error(400, "InvalidRequestID", "Invalid request ID");
    if (this.#phase !== "running")
      return stateError(`State transition from ${this.#phase} to InvocationResponse is not allowed`);
    return call[2] === "response" ? this.#response(request) : this.#error(request);
  }

  #next(socket: Socket, request: HttpRequest): Reply | undefined {
    if ((this.#phase === "running" && !this.#delivery) || this.#phase === "closed" || this.#poll)
      return stateError(`State transition from ${this.#phase} to Ready is not allowed`);
    this.#poll = { socket, request };
    const before = this.#phase;
    if (before === "running") this.#answerPoll();
    else this.#phase = "waiting";
    if (before === "init" || before === "answered") this.#listener.next();
    return undefined;
  }

  #response(request: HttpRequest): Reply {
    const mode = request.headers.get(responseModeHeader);
    if (mode !== undefined) return this.#refuseMode(mode);
    this.#phase = "answered";
    if (request.bodyBytes > responseBytesMax) {
      this.#listener.answerTooLarge(request.bodyBytes);
      const message = `Exceeded maximum allowed payload size (${responseBytesMax} bytes).`;
      return error(413, "RequestEntityTooLarge", message);
    }
    this.#listener.answer(request.body);
    return accepted();
  }

  #error(request: HttpRequest): Reply {
    this.#phase = "answered";
    this.#listener.answer(request.body, request.headers.get(errorTypeHeader) ?? "");
    return accepted();
  }

  #initError(request: HttpRequest): Reply {
    if (this.#phase !== "init")
      return stateError(`State transition from ${this.#phase} to InitError is not allowed`);
    this.#phase = "closed";
    this.#listener.initError(request.headers.get(errorTypeHeader) ?? "", request.body);
    return accepted();
  }

  /** Streamed answers are not done yet, so they are refused by name, to the runtime and to the caller. */
  #refuseMode(mode: string): Reply {
    this.#phase = "answered";
    const streaming = mode.toLowerCase() === "streaming";
    const message = streaming
      ? "Lambent does not implement streamed responses yet (Lambda-Runtime-Function-Response-Mode: streaming)"
      : `Invalid function response mode: ${mode}`;
    const errorType = "Runtime.InvalidResponseModeHeader";
    this.#listener.answer(errorBody(errorType, message), errorType);
    return streaming
      ? error(501, "NotImplemented", message)
      : error(400, "InvalidFunctionResponseMode", message);
  }
}

function invocationReply(delivery: Delivery): Reply {
  const optional = {
    "Lambda-Runtime-Trace-Id": delivery.traceHeader,
    "Lambda-Runtime-Client-Context": delivery.clientContext,
    "Lambda-Runtime-Cognito-Identity": delivery.cognitoIdentity,
  };
  return {
    status: 200,
    headers: {
      "Content-Type": "application/json",
      "Lambda-Runtime-Aws-Request-Id": delivery.requestId,
      "Lambda-Runtime-Deadline-Ms": String(Math.floor(delivery.deadline)),
      "Lambda-Runtime-Invoked-Function-Arn": delivery.functionArn,
      ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== "")),
    },
    body: delivery.payload,
  };
}

function write(socket: Socket, reply: Reply, keepAlive: boolean): void {
  let head = `HTTP/1.1 ${reply.status} ${REASONS[reply.status] ?? ""}\r\n`;
  // A caller's client context may hold line breaks; none may end a header.
  for (const [name, value] of Object.entries(reply.headers ?? { "Content-Type": "application/json" }))
    head += `${name}: ${value.replaceAll(/[\r\n\0]/g, " ")}\r\n`;
  head += `Content-Length: ${reply.body.length}\r\n${keepAlive ? "" : "Connection: close\r\n"}\r\n`;
  socket.cork();
  socket.write(head);
  socket.write(reply.body);
  socket.uncork();
  if (!keepAlive) socket.end();
}

function accepted(): Reply {
  return { status: 202, body: Buffer.from('{"status":"OK"}\n') };
}

function error(status: number, errorType: string, errorMessage: string): Reply {
  return { status, body: errorBody(errorType, errorMessage) };
}

function stateError(message: string): Reply {
  return error(403, "InvalidStateTransition", message);
}

function errorBody(errorType: string, errorMessage: string): Buffer {
  return Buffer.from(JSON.stringify({ errorType, errorMessage }));
}

function text(status: number, body: string): Reply {
  return { status, headers: { "Content-Type": "text/plain; charset=utf-8" }, body: Buffer.from(body) };
}
