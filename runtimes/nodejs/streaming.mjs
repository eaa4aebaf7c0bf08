/** Handlers that stream their answer: how they are marked, and one invocation of one. https://docs.aws.amazon.com/lambda/latest/dg/response-streaming.html */
import { createContext } from "./context.mjs";
import { errorDocument, runtimeError } from "./errors.mjs";
import { ResponseStream } from "./response-stream.mjs";

/** Wrappers of handlers (tracers, middleware) know these symbols and copy them. */
const streamingMark = Symbol.for("aws.lambda.runtime.handler.streaming");
const highWaterMarkMark = Symbol.for("aws.lambda.runtime.handler.streaming.highWaterMark");

const httpContentType = "application/vnd.awslambda.http-integration-response";
/** What divides the JSON of an HTTP answer from its body. */
const httpDelimiter = new Uint8Array(8);

/** Defines the global that functions mark their handlers with. */
export function defineAwslambda() {
  if (["1", "true"].includes(process.env.AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA)) return;
  globalThis.awslambda = {
    streamifyResponse(handler, options) {
      handler[streamingMark] = "response";
      if (typeof options?.highWaterMark === "number")
        handler[highWaterMarkMark] = Math.trunc(options.highWaterMark);
      return handler;
    },
    HttpResponseStream: {
      /** The stream, which now sends `{statusCode, headers, cookies}` before what is first written to it. */
      from(stream, metadata) {
        stream.setContentType(httpContentType);
        const prelude = JSON.stringify(metadata);
        // oxlint-disable-next-line no-underscore-dangle -- AWS's name, which libraries know
        stream._onBeforeFirstWrite = (write) => {
          write(prelude);
          write(httpDelimiter);
        };
        return stream;
      },
    },
  };
}

/** How a handler streams, as its marks say; undefined for one that does not. Throws Runtime.MalformedStreamingHandler. */
export function streamingOptions(handler) {
  const mark = handler[streamingMark];
  if (mark === undefined || mark === null || mark === false) return undefined;
  if (mark !== "response")
    throw runtimeError("MalformedStreamingHandler", "Only response streaming is supported.");
  const highWaterMark = Number.parseInt(handler[highWaterMarkMark], 10);
  return Number.isNaN(highWaterMark) ? {} : { highWaterMark };
}

/** Runs one invocation. @param legacy The guards of Node 22's manner; undefined from Node 24 on. */
export async function runStreaming(handler, invocation, { connection, logger, legacy, highWaterMark }) {
  // An answer that has not ended is something to wait for, as the request that AWS's runtime has open is.
  connection.ref();
  const stream = new ResponseStream(connection, invocation.requestId, highWaterMark);
  let isBack = false;
  const finished = finish(stream).finally(() => {
    if (!isBack) connection.unref();
  });
  // A handler that fails has its own error told, not that of the stream it left behind.
  finished.catch(() => {});
  const next = () => {
    isBack = true;
    legacy?.reset();
    connection.ref();
    connection.next();
  };
  legacy?.begin(invocation.requestId, next);
  const context = createContext(invocation);
  let waitsForEmptyLoop = legacy !== undefined;
  if (legacy)
    Object.defineProperty(context, "callbackWaitsForEmptyEventLoop", {
      enumerable: true,
      get: () => waitsForEmptyLoop,
      set: (value) => {
        waitsForEmptyLoop = value;
      },
    });
  try {
    const result = handler(JSON.parse(invocation.payload), stream, context);
    if (typeof result?.then !== "function") throw noPromise(legacy);
    if ((await result) !== undefined) console.warn("Streaming handlers ignore return values.");
    await finished;
  } catch (error) {
    logger.error("Invoke Error", error);
    await stream.fail(errorDocument(error));
  }
  if (!waitsForEmptyLoop) next();
  else legacy.onEmptyLoop(() => setImmediate(next));
}

/** Resolves when everything written has been sent. */
function finish(stream) {
  return new Promise((resolve, reject) => {
    stream.once("finish", resolve);
    // Stays, so that an error which nobody listens for does not end the process.
    stream.on("error", reject);
    stream.once("close", () => reject(new Error("Response stream is not finished.")));
  });
}

/** Node 22's runtime throws a string here, later ones an Error; the caller sees the difference. */
function noPromise(legacy) {
  const message = "Streaming does not support non-async handlers.";
  return legacy ? message : new Error(message);
}
