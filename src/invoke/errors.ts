/** What keeps an invocation from running, beside what its function does. */

/** The server is stopping and takes no more invocations. */
export class InvokerStopped extends Error {
  constructor() {
    super("The server is stopping");
    this.name = "InvokerStopped";
  }
}
