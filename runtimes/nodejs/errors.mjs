/** Errors as AWS's Node.js runtime names, shows and logs them. */

/** An error of the runtime itself; its name is what the caller reads as `errorType`. */
export function runtimeError(name, message, stack) {
  const error = new Error(message);
  error.name = `Runtime.${name}`;
  if (stack !== undefined) error.stack = stack;
  return error;
}

/** The error as the caller reads it: its type, and its JSON document as bytes. */
export function errorDocument(error) {
  const document = describe(error);
  return { errorType: document.errorType ?? "", payload: Buffer.from(JSON.stringify(document)) };
}

function describe(error) {
  try {
    if (error instanceof Error || looksLikeError(error))
      return {
        errorType: escape(error.name),
        errorMessage: escape(error.message),
        trace: escape(error.stack)?.split("\n") ?? [],
      };
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  } catch {
    return {
      errorType: "handled",
      errorMessage:
        "callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack",
      trace: [],
    };
  }
}

/** The error as one log line shows it: every property, the stack as a list. */
export function loggedError(error) {
  try {
    return JSON.stringify(error, (_key, value) => (value instanceof Error ? withProperties(value) : value));
  } catch {
    return JSON.stringify(describe(error));
  }
}

/** Anything thrown, as an Error. */
export function asError(thrown) {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

function withProperties(error) {
  return {
    errorType: error.name,
    errorMessage: error.message,
    code: error.code,
    ...error,
    ...(typeof error.stack === "string" ? { stack: error.stack.split("\n") } : {}),
  };
}

/** Errors of another realm (a vm context) are no instances of our Error. */
function looksLikeError(value) {
  return (
    typeof value === "object" &&
    value !== null &&
    [value.name, value.message, value.stack].every((part) => typeof part === "string" && part !== "")
  );
}

/** AWS writes ASCII DEL in this way. */
function escape(text) {
  return typeof text === "string" ? text.replaceAll("\x7f", "%7F") : text;
}
