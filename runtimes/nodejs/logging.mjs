/** console and the standard streams, captured in AWS's line format or as JSON. */
import { format } from "node:util";
import { asError, loggedError } from "./errors.mjs";

const LEVELS = { TRACE: 1, DEBUG: 2, INFO: 3, WARN: 4, ERROR: 5, FATAL: 6 };

/** What a console method writes, and how the runtime itself logs an error. */
export function createLogger(connection) {
  const isJson = process.env.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === "JSON";
  const minimum = LEVELS[process.env.AWS_LAMBDA_LOG_LEVEL?.toUpperCase()] ?? LEVELS.TRACE;
  const logger = {
    /** The request that lines belong to. */
    requestId: undefined,
    isEnabled: (level) => LEVELS[level] >= minimum,
    write(level, values) {
      const time = new Date().toISOString();
      const line = isJson
        ? jsonLine(time, logger.requestId, level, values)
        : `${time}\t${logger.requestId}\t${level}\t${format(...values)}`;
      connection.log(true, LEVELS[level], Buffer.from(`${line}\n`));
    },
    error(title, thrown) {
      const error = asError(thrown);
      if (isJson) logger.write("ERROR", [error]);
      else logger.write("ERROR", [title, `\t${loggedError(error)}`]);
    },
  };
  return logger;
}

const METHODS = {
  trace: "TRACE",
  debug: "DEBUG",
  info: "INFO",
  log: "INFO",
  warn: "WARN",
  error: "ERROR",
  fatal: "FATAL",
};

/** Gives console AWS's levels. */
export function patchConsole(logger) {
  for (const [method, level] of Object.entries(METHODS))
    console[method] = logger.isEnabled(level) ? (...values) => logger.write(level, values) : () => {};
}

/** Sends what the function writes to its standard streams in order with everything else. */
export function patchStandardStreams(connection) {
  for (const name of ["stdout", "stderr"]) {
    const original = Object.getOwnPropertyDescriptor(process, name);
    // The stream is only made when the function asks for it.
    Object.defineProperty(process, name, {
      ...original,
      get() {
        const stream = original.get.call(process);
        if (stream.write !== write) stream.write = write;
        return stream;
      },
    });
  }

  function write(chunk, encoding, callback) {
    const done = typeof encoding === "function" ? encoding : callback;
    const bytes =
      typeof chunk === "string"
        ? Buffer.from(chunk, typeof encoding === "string" ? encoding : "utf8")
        : chunk;
    connection.log(false, LEVELS.INFO, bytes);
    if (typeof done === "function") process.nextTick(done);
    return true;
  }
}

function jsonLine(timestamp, requestId, level, values) {
  const line = { timestamp, level, requestId };
  if (values.length === 1) {
    line.message = values[0];
    try {
      return JSON.stringify(line, replaceError);
    } catch {
      line.message = format(values[0]);
      return JSON.stringify(line);
    }
  }
  line.message = format(...values);
  const error = values.find((value) => value instanceof Error);
  return JSON.stringify(error ? { ...line, ...errorFields(error) } : line);
}

function replaceError(_key, value) {
  return value instanceof Error ? Object.assign(errorFields(value), value) : value;
}

function errorFields(error) {
  return {
    errorType: error.constructor?.name ?? "UnknownError",
    errorMessage: error.message,
    stackTrace: typeof error.stack === "string" ? error.stack.split("\n") : [],
  };
}
