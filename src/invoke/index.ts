/** The data path's public names. */
export { InvokerStopped, ThrottledError, createInvoker } from "./invoker.ts";
export type { InvokerDeps } from "./invoker.ts";
export type { InvokeLimits } from "./limits.ts";
export { RuntimeUnavailable, createRuntimes } from "./runtimes/index.ts";
export type { InstallProgress, RuntimeAnswer, RuntimeListing, Runtimes } from "./runtimes/index.ts";
export type {
  Credentials,
  FunctionVersion,
  Invocation,
  InvokePorts,
  Invoker,
  LogLine,
  Outcome,
} from "./types.ts";
