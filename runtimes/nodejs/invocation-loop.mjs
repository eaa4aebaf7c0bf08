/** Runs invocations one after the other, in the manner of Node 22 (callbacks) or of Node 24 and later (promises only). */
import { createContext } from "./context.mjs";
import { errorDocument, runtimeError } from "./errors.mjs";
import { runStreaming, streamingOptions } from "./streaming.mjs";

export function createInvocationLoop({ connection, logger, isModern }) {
  const legacy = isModern ? undefined : new LegacyGuards(connection, logger);
  return {
    /** Tells the server that the function is ready, and waits for work. */
    start(handler) {
      const streaming = streamingOptions(handler);
      connection.onInvocation = (invocation) => {
        connection.unref();
        logger.requestId = invocation.requestId;
        setTraceId(invocation.traceHeader);
        // From a fresh stack, so that the function's traces do not show ours.
        queueMicrotask(() => {
          if (streaming) void runStreaming(handler, invocation, { connection, logger, legacy, ...streaming });
          else if (legacy) runLegacy(handler, invocation, connection, logger, legacy);
          else void runModern(handler, invocation, connection, logger);
        });
      };
      connection.ref();
      connection.initSucceeded();
    },
  };
}

async function runModern(handler, invocation, connection, logger) {
  const { requestId } = invocation;
  let answer;
  try {
    const result = await handler(JSON.parse(invocation.payload), createContext(invocation));
    await new Promise(setImmediate);
    const json = toJson(result);
    answer = () => connection.respond(requestId, json);
  } catch (error) {
    await new Promise(setImmediate);
    logger.error("Invoke Error", error);
    const document = errorDocument(error);
    answer = () => connection.fail(requestId, document);
  }
  connection.ref();
  answer();
}

function runLegacy(handler, invocation, connection, logger, guards) {
  const { requestId } = invocation;
  let isDone = false;
  let waitsForEmptyLoop = true;
  const finish = (answer) => {
    if (isDone) return;
    isDone = true;
    guards.reset();
    connection.ref();
    answer();
  };
  const succeed = (result) =>
    finish(() => {
      try {
        connection.respond(requestId, toJson(result));
      } catch (error) {
        logger.error("Invoke Error", error);
        connection.fail(requestId, errorDocument(error));
      }
    });
  const fail = (error) =>
    finish(() => {
      logger.error("Invoke Error", error);
      connection.fail(requestId, errorDocument(error));
    });
  const failOrHandled = (error) => fail(isError(error) ? error : "handled");
  const done = (error, result) => (isError(error) ? fail(error) : succeed(result));
  const callback = (error, result) => {
    if (isError(error)) fail(error);
    else if (!waitsForEmptyLoop) succeed(result);
    else if (!isDone) guards.onEmptyLoop(() => setImmediate(() => succeed(result)));
  };
  const context = Object.defineProperty(
    createContext(invocation, {
      succeed: (result) => done(null, result),
      fail: failOrHandled,
      done,
    }),
    "callbackWaitsForEmptyEventLoop",
    {
      enumerable: true,
      get: () => waitsForEmptyLoop,
      set(value) {
        waitsForEmptyLoop = value;
      },
    },
  );
  guards.begin(requestId, () => succeed(null));
  try {
    const result = handler(JSON.parse(invocation.payload), context, callback);
    if (typeof result?.then === "function") result.then(succeed, failOrHandled);
  } catch (error) {
    callback(error ?? "handled");
  }
}

/** What Node 22's runtime does when nothing is left to do, and when an error reaches the top. */
class LegacyGuards {
  #connection;
  #requestId;
  #onEmptyLoop = () => {};

  constructor(connection, logger) {
    this.#connection = connection;
    process.on("beforeExit", () => {
      const act = this.#onEmptyLoop;
      this.#onEmptyLoop = () => {};
      act();
    });
    process.on("uncaughtException", (error) => {
      logger.error("Uncaught Exception", error);
      this.#giveUp(error, 129);
    });
    process.on("unhandledRejection", (reason) => {
      const error = runtimeError("UnhandledPromiseRejection", String(reason));
      error.reason = reason;
      error.promise = {};
      logger.error("Unhandled Promise Rejection", error);
      this.#giveUp(error, 128);
    });
  }

  begin(requestId, onEmptyLoop) {
    this.#requestId = requestId;
    this.#onEmptyLoop = onEmptyLoop;
  }

  onEmptyLoop(act) {
    this.#onEmptyLoop = act;
  }

  reset() {
    this.#onEmptyLoop = () => {};
  }

  #giveUp(error, code) {
    if (this.#requestId === undefined) this.#connection.initFailed(errorDocument(error));
    else this.#connection.failForGood(this.#requestId, errorDocument(error));
    process.exit(code);
  }
}

function isError(value) {
  return value !== undefined && value !== null;
}

function toJson(value) {
  try {
    return JSON.stringify(value === undefined ? null : value) ?? "null";
  } catch {
    throw runtimeError("JSONStringifyError", "Unable to stringify response body");
  }
}

function setTraceId(header) {
  if (header === "") delete process.env["_X_AMZN_TRACE_ID"];
  else process.env["_X_AMZN_TRACE_ID"] = header;
}
