/** The Node.js runtime: loads the function's handler and runs one invocation after the other. Mounted at /var/runtime. */
import { createInvocationLoop } from "./invocation-loop.mjs";
import { connect } from "./connection.mjs";
import { errorDocument } from "./errors.mjs";
import { loadHandler } from "./load-handler.mjs";
import { createLogger, patchConsole, patchStandardStreams } from "./logging.mjs";
import { become } from "./become.mjs";
import { resolveFromNodePath } from "./node-path.mjs";
import { warmUp } from "./warm-up.mjs";

const socketPath = process.env["_LAMBENT_SOCKET"];
delete process.env["_LAMBENT_SOCKET"];
/** Whether this process was booted before it is known for which function. */
const waits = process.env["_LAMBENT_WAITS"] !== undefined;
const major = Number(process.versions.node.split(".")[0]);

/** AWS's Node 24 runtime dropped callbacks and no longer turns uncaught errors into answers. */
const firstModernMajor = 24;

async function main() {
  const connection = await connect(socketPath);
  // Before it is known for which function: it takes a millisecond, and a function with a NODE_PATH of its own boots from nothing.
  resolveFromNodePath();
  if (waits) {
    await warmUp();
    become(await connection.assignment());
  }
  const logger = createLogger(connection);
  logger.requestId = major >= firstModernMajor ? "-" : undefined;
  patchStandardStreams(connection);
  patchConsole(logger);
  const loop = createInvocationLoop({ connection, logger, isModern: major >= firstModernMajor });
  try {
    const handler = await loadHandler(
      process.env.LAMBDA_TASK_ROOT,
      process.env["_HANDLER"],
      major >= firstModernMajor,
    );
    loop.start(handler);
  } catch (error) {
    logger.error(major >= firstModernMajor ? "Init Error" : "Uncaught Exception", error);
    connection.initFailed(errorDocument(error));
    process.exit(major >= firstModernMajor ? 1 : 129);
  }
}

// Not awaited: a module whose top-level await never settles ends the process, as on AWS.
void main();
