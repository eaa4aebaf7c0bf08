/** Node's way to call the C library, for what Node itself has no call for. */

/** The module; undefined where Node has none of it (before 26). */
export function nodeFfi() {
  return withoutExperimentalWarning(() => process.getBuiltinModule("node:ffi"));
}

/** Node warns once that node:ffi may change. That is for us to know, whose fallback is tested too, not for who starts the server. */
function withoutExperimentalWarning<T>(load: () => T): T {
  const emitWarning = process.emitWarning.bind(process);
  const quiet = (warning: string | Error, type?: string) => {
    if (type !== "ExperimentalWarning") emitWarning(warning, type);
  };
  Object.assign(process, { emitWarning: quiet });
  try {
    return load();
  } finally {
    Object.assign(process, { emitWarning });
  }
}
