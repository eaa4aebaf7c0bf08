/** A process of its own that runs closed loops when told, so that the load is on another CPU than what is measured. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { clientCpus, pinProcess } from "../machine/cpus.ts";
import { callsLoop, closedLoop } from "./closed-loop.ts";
import type { CallsJob, LoadJob, LoadResult } from "./closed-loop.ts";
import { sqsLoop } from "./sqs-loop.ts";
import type { SqsJob, SqsResult } from "./sqs-loop.ts";

export interface Generator {
  /** @throws Error what the first failure was. */
  run(job: LoadJob): Promise<LoadResult>;
  /** The same of calls that are given. */
  runCalls(job: CallsJob): Promise<LoadResult>;
  /** The same against a queue. */
  runSqs(job: SqsJob): Promise<SqsResult>;
  stop(): Promise<void>;
}

type Job = LoadJob | CallsJob | SqsJob;
type Result = LoadResult | SqsResult;
type Reply = { readonly result: Result } | { readonly error: string };

const SELF = fileURLToPath(import.meta.url);

/** Starts the process. */
export async function startGenerator(): Promise<Generator> {
  const child = fork(SELF, [], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const gone = once(child, "exit");
  pinProcess(child.pid as number, clientCpus());
  const run = async (job: Job): Promise<Result> => {
    child.send(job);
    const ended = gone.then(() => {
      throw new Error("the load generator ended");
    });
    const [reply] = (await Promise.race([once(child, "message"), ended])) as [Reply];
    if ("error" in reply) throw new Error(reply.error);
    return reply.result;
  };
  return {
    run: async (job) => (await run(job)) as LoadResult,
    runCalls: async (job) => (await run(job)) as LoadResult,
    runSqs: async (job) => (await run(job)) as SqsResult,
    async stop() {
      child.disconnect();
      await gone;
    },
  };
}

if (process.argv[1] === SELF && process.send) {
  process.on("message", (job: Job) => {
    const running: Promise<Result> =
      "work" in job ? sqsLoop(job) : "calls" in job ? callsLoop(job) : closedLoop(job);
    running.then(
      (result) => process.send?.({ result } satisfies Reply),
      (error: unknown) => process.send?.({ error: (error as Error).message } satisfies Reply),
    );
  });
}
