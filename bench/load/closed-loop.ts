/** A closed loop: N connections, each with one request after the other, for a while. */
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { percentile } from "../statistics.ts";
import { Connection, callerOf } from "./http-client.ts";
import { RequestSupply, smallEvents } from "./signed-request.ts";
import type { Call, CallTarget, InvokeTarget } from "./signed-request.ts";
import { callsOf } from "./workloads.ts";
import type { Workload } from "./workloads.ts";

export interface LoadJob {
  readonly target: InvokeTarget;
  readonly connections: number;
  readonly durationMs: number;
  /** Length of each event. */
  readonly bodyBytes?: number;
  /** The status that counts as success; 200 unless told otherwise. */
  readonly status?: number;
  /** What is called instead of the function. */
  readonly workload?: Workload;
  /** `sdk`: one AWS SDK client, one call after the other, instead of raw connections. */
  readonly client?: "raw" | "sdk";
}

/** The same of calls that are given, their bodies as texts since the job goes to another process. */
export interface CallsJob {
  readonly target: CallTarget;
  readonly calls: readonly (Omit<Call, "body"> & { readonly body: string })[];
  readonly connections: number;
  readonly durationMs: number;
  /** False for a server that closes each connection after its answer. */
  readonly keepsAlive: boolean;
}

export interface LoadResult {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** @throws Error with the first answer that is no success: a benchmark of errors is none. */
export async function closedLoop(job: LoadJob): Promise<LoadResult> {
  if (job.client === "sdk") return sdkLoop(job);
  const supply = job.workload
    ? new RequestSupply(job.target, callsOf(job.workload))
    : RequestSupply.ofInvokes(job.target, smallEvents(job.bodyBytes));
  const connections = await Promise.all(
    Array.from({ length: job.connections }, () => Connection.open(job.target.port, job.target.host)),
  );
  const latencies: number[] = [];
  const status = job.status ?? 200;
  const startedAt = performance.now();
  const until = startedAt + job.durationMs;
  try {
    await Promise.all(connections.map((connection) => loop(connection, supply, until, status, latencies)));
  } finally {
    for (const connection of connections) connection.close();
  }
  return summary(latencies, startedAt);
}

/** @throws as `closedLoop` does. */
export async function callsLoop({ target, calls, ...job }: CallsJob): Promise<LoadResult> {
  const supply = new RequestSupply(
    target,
    calls.map((call) => ({ ...call, body: Buffer.from(call.body) })),
  );
  const latencies: number[] = [];
  const startedAt = performance.now();
  const until = startedAt + job.durationMs;
  const callers = Array.from({ length: job.connections }, async () => {
    const caller = await callerOf(target, job.keepsAlive);
    try {
      await loop(caller, supply, until, 200, latencies);
    } finally {
      caller.close();
    }
  });
  await Promise.all(callers);
  return summary(latencies, startedAt);
}

function summary(latencies: readonly number[], startedAt: number): LoadResult {
  const seconds = (performance.now() - startedAt) / 1_000;
  return {
    requests: latencies.length,
    perSecond: latencies.length / seconds,
    p50Us: percentile(latencies, 0.5) * 1_000,
    p99Us: percentile(latencies, 0.99) * 1_000,
  };
}

async function loop(
  connection: Pick<Connection, "send">,
  supply: RequestSupply,
  until: number,
  status: number,
  latencies: number[],
): Promise<void> {
  for (let begun = performance.now(); begun < until;) {
    const answer = await connection.send(supply.take());
    if (answer.status !== status) throw new Error(`answered ${answer.status}: ${answer.body.toString()}`);
    const now = performance.now();
    latencies.push(now - begun);
    begun = now;
  }
}

async function sdkLoop({ target, durationMs, bodyBytes }: LoadJob): Promise<LoadResult> {
  const { host, port, path, credentials } = target;
  const client = new LambdaClient({ endpoint: `http://${host}:${port}`, region: "us-east-1", credentials });
  const events = smallEvents(bodyBytes);
  const FunctionName = /functions\/([^/]+)/.exec(path)?.[1] ?? "hello";
  const latencies: number[] = [];
  const startedAt = performance.now();
  const until = startedAt + durationMs;
  for (let begun = performance.now(); begun < until;) {
    const Payload = events[latencies.length % events.length] as Buffer;
    await client.send(new InvokeCommand({ FunctionName, Payload }));
    const now = performance.now();
    latencies.push(now - begun);
    begun = now;
  }
  client.destroy();
  return summary(latencies, startedAt);
}
