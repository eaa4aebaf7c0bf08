/**
 * What a process does while it waits for its function: it loads what most functions load, and rehearses what is to come until it is
 * hot. A function of ours that runs for the first time is compiled then, and that is what a cold start would wait for.
 */
import { closeSync, openSync } from "node:fs";
import { become } from "./become.mjs";
import { Connection } from "./connection.mjs";
import { createInvocationLoop } from "./invocation-loop.mjs";
import { loadHandler } from "./load-handler.mjs";
import { createLogger, patchConsole, patchStandardStreams } from "./logging.mjs";

/**
 * Core modules that most functions use. Each is paid for by every environment, whether it is used or not: tls, https and http2 would take
 * 1.8 MiB, a fifth of the process, and who loads an SDK that wants them has them in a few milliseconds of the hundred that it takes.
 */
const MODULES =
  "assert async_hooks buffer console events fs fs/promises module net os path perf_hooks process querystring stream stream/promises " +
  "string_decoder timers timers/promises url util";
/** Enough for the engine to have compiled what it runs, not yet to optimize it. */
const LOADS = 2;
const INVOCATIONS = 3;
const INVOKE = 3;
const ASSIGN = 9;

export async function warmUp() {
  for (const name of MODULES.split(" ")) process.getBuiltinModule(`node:${name}`);
  await rehearse();
  collectGarbage();
}

/** Gives back what the start has left, 2 MiB, but keeps what it has compiled. V8 shows its collector to new contexts alone. */
function collectGarbage() {
  const { setFlagsFromString } = process.getBuiltinModule("node:v8");
  setFlagsFromString("--no-flush-bytecode");
  setFlagsFromString("--expose-gc");
  const collect = 'gc({ type: "major", execution: "sync", flavor: "last-resort" })';
  process.getBuiltinModule("node:vm").runInNewContext(collect);
  setFlagsFromString("--no-expose-gc");
  setFlagsFromString("--flush-bytecode");
}

/** All that happens to a process that is assigned to a function, on a connection that leads nowhere. */
async function rehearse() {
  const folder = new URL(".", import.meta.url).pathname;
  const methods = { ...console };
  const streams = ["stdout", "stderr"].map((name) => [name, Object.getOwnPropertyDescriptor(process, name)]);
  const nowhere = openSync("/dev/null", "w");
  const connection = new Connection({ _handle: { fd: nowhere }, ref() {}, unref() {} });
  const assigned = connection.assignment();
  connection.take(frame(ASSIGN, text(process.cwd()), ...Object.entries(process.env).flat().map(text)));
  become(await assigned);
  patchStandardStreams(connection);
  const logger = createLogger(connection);
  patchConsole(logger);
  const loop = createInvocationLoop({ connection, logger, isModern: true });
  // Both ways in which a function's module is loaded; one that was required can be forgotten, and is required again.
  const { cache } = process.getBuiltinModule("node:module").createRequire(import.meta.url);
  for (let round = 0; round < LOADS; round++) {
    loop.start(await loadHandler(folder, "warm-up-required.handler", true));
    for (const path of Object.keys(cache)) delete cache[path];
  }
  loop.start(await loadHandler(folder, "warm-up-imported.handler", true));
  const invocation = frame(
    INVOKE,
    Buffer.alloc(8),
    ...Array(5).fill(text("")),
    Buffer.from('{"warm":["up"]}'),
  );
  for (let round = 0; round < INVOCATIONS; round++) {
    connection.take(invocation);
    console.log("warm", { up: round });
    // The answer is given in the turn of the event loop after the handler's.
    await turn();
    await turn();
  }
  closeSync(nowhere);
  delete globalThis.awslambda;
  Object.assign(console, methods);
  for (const [name, descriptor] of streams) Object.defineProperty(process, name, descriptor);
}

function turn() {
  return new Promise(setImmediate);
}

/** As src/invoke/frames.ts writes it. */
function frame(type, ...parts) {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length + 1);
  head[4] = type;
  return Buffer.concat([head, body]);
}

function text(value) {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
