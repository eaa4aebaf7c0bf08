/** What a process does while it waits for its function: it loads what most functions load, and runs its own code until it is hot. */
import { createInvocationLoop } from "./invocation-loop.mjs";
import { loadModule } from "./load-handler.mjs";
import { createLogger } from "./logging.mjs";

/** Core modules that functions and the AWS SDK use. */
const MODULES =
  "assert async_hooks buffer child_process console crypto dns events fs fs/promises http http2 https module net os path perf_hooks " +
  "process querystring readline stream stream/promises string_decoder timers timers/promises tls url util v8 worker_threads zlib";
/** Enough for the engine to have compiled what it runs, not yet to optimize it. */
const ROUNDS = 20;

export async function warmUp() {
  for (const name of MODULES.split(" ")) process.getBuiltinModule(`node:${name}`);
  process.getBuiltinModule("node:crypto").createHash("sha256").update("").digest("hex");
  const folder = new URL(".", import.meta.url).pathname;
  // Both ways in which a function's module is loaded.
  await loadModule(folder, "", "warm-up-required");
  const { handler } = await loadModule(folder, "", "warm-up-imported");
  await runThrough(handler);
  const { cache } = process.getBuiltinModule("node:module").createRequire(import.meta.url);
  for (const path of Object.keys(cache)) delete cache[path];
}

/** Invocations that nobody asked for, on a connection that leads nowhere. */
async function runThrough(handler) {
  let answered;
  const connection = {
    onInvocation: () => {},
    onCredit: () => {},
    ref() {},
    unref() {},
    initSucceeded() {},
    log() {},
    respond: () => answered(),
    fail: () => answered(),
  };
  const logger = createLogger(connection);
  createInvocationLoop({ connection, logger, isModern: true }).start(handler);
  for (let round = 0; round < ROUNDS; round++) {
    const done = new Promise((resolve) => (answered = resolve));
    connection.onInvocation({
      deadline: Date.now(),
      requestId: "",
      functionArn: "",
      traceHeader: "",
      clientContext: "",
      cognitoIdentity: "",
      payload: '{"warm":["up"]}',
    });
    logger.write("INFO", ["warm", { up: round }]);
    await done;
  }
}
