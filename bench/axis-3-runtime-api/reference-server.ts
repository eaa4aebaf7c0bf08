/**
 * The plain way to serve custom runtimes: front door and Runtime API on node:http, in the same sandboxes as ours. It verifies no
 * signature, keeps no log, knows no limits. `node reference-server.ts PORT CODE-FOLDER STATE-FOLDER SANDBOXES KIND`; prints "ready".
 */
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { randomIds } from "../../src/kit/id.ts";
import { createSandboxProvider } from "../../src/sandbox/index.ts";
import { createLog } from "../../src/telemetry/log.ts";

interface Job {
  readonly id: string;
  readonly payload: Buffer;
  readonly response: ServerResponse;
}

const TIMEOUT_MS = 30_000;
const ARN = "arn:aws:lambda:us-east-1:000000000000:function:custom";
const MEMORY_MB = 1_769;

const [port, codeDir = "", stateDir = "", sandboxes, kind] = process.argv.slice(2);
/** Runtimes that wait for work, the newest last, and work that waits for a runtime. */
const waiting: ServerResponse[] = [];
const queue: Job[] = [];
const running = new Map<string, Job>();

const front = createServer((request, response) => void invoked(request, response));
const runtimeApi = createServer((request, response) => {
  if (request.method === "GET") next(response);
  else void answered(request, response);
});
await startSandboxes();
front.listen(Number(port), "127.0.0.1", () => console.log("ready"));

async function invoked(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const job = { id: randomUUID(), payload: await buffer(request), response };
  const runtime = waiting.pop();
  if (runtime) give(job, runtime);
  else queue.push(job);
}

function next(response: ServerResponse): void {
  const job = queue.shift();
  if (job) give(job, response);
  else waiting.push(response);
}

function give(job: Job, runtime: ServerResponse): void {
  running.set(job.id, job);
  runtime.writeHead(200, {
    "Content-Type": "application/json",
    "Lambda-Runtime-Aws-Request-Id": job.id,
    "Lambda-Runtime-Deadline-Ms": String(Date.now() + TIMEOUT_MS),
    "Lambda-Runtime-Invoked-Function-Arn": ARN,
    "Lambda-Runtime-Trace-Id": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0",
    "Content-Length": job.payload.length,
  });
  runtime.end(job.payload);
}

async function answered(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const payload = await buffer(request);
  const id = request.url?.split("/")[4] ?? "";
  const job = running.get(id);
  running.delete(id);
  response.writeHead(202, { "Content-Type": "application/json" });
  response.end('{"status":"OK"}\n');
  job?.response.writeHead(200, {
    "Content-Type": "application/json",
    "X-Amz-Executed-Version": "$LATEST",
    "x-amzn-RequestId": id,
    "Content-Length": payload.length,
  });
  job?.response.end(payload);
}

async function startSandboxes(): Promise<void> {
  const provider = await createSandboxProvider({
    kind: kind === "process" ? "process" : "runc",
    stateDir,
    serverPorts: [],
    outbound: "none",
    log: createLog("warn"),
    ids: randomIds,
  });
  process.once("SIGTERM", () => void provider.close().then(() => process.exit(0)));
  for (let count = 0; count < Number(sandboxes); count += 1) {
    const sandbox = await provider.create({
      id: `reference-${count}`,
      codeDir,
      languageMounts: [],
      onRuntimeApiConnection: (socket) => runtimeApi.emit("connection", socket),
      memoryMb: MEMORY_MB,
      ephemeralStorageMb: 512,
    });
    const program = await sandbox.start({
      command: ["/var/task/bootstrap"],
      workingDirectory: "/var/task",
      environment: (inside) => ({
        AWS_LAMBDA_RUNTIME_API: inside.runtimeApi ?? "",
        LAMBDA_TASK_ROOT: inside.path("/var/task"),
        PATH: "/usr/local/bin:/usr/bin:/bin",
      }),
    });
    program.stderr.pipe(process.stderr);
  }
}
