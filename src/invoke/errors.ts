/** What keeps an invocation from running, beside what its function does. */

/** The server is stopping and takes no more invocations. */
export class InvokerStopped extends Error {
  constructor() {
    super("The server is stopping");
    this.name = "InvokerStopped";
  }
}

/** The environment ended before the invocation reached the function's code: another may have it. */
export class EnvironmentEnded extends Error {
  constructor() {
    super("The execution environment ended before the invocation began");
    this.name = "EnvironmentEnded";
  }
}
