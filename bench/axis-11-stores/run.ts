/**
 * Axis 11: what an item, a record and an object cost a server in CPU. Ours verifies signatures and has what it answered on disk; of the
 * peers only s3rver verifies, and all keep it in memory (s3rver: in files that nobody syncs). All are sent the same bytes by 16 callers.
 */
import { startLambent } from "../contenders/lambent.ts";
import { settled } from "../contenders/settled.ts";
import { startGenerator } from "../load/generator.ts";
import { Connection } from "../load/http-client.ts";
import { signedCall } from "../load/signed-request.ts";
import type { Call, CallTarget } from "../load/signed-request.ts";
import { BUCKET, RECORDS, STREAM, TABLE, callsOf, dynamoDb, kinesis, s3 } from "../load/workloads.ts";
import type { Workload } from "../load/workloads.ts";
import { row, roundsNote } from "../report.ts";
import type { AxisResult } from "../report.ts";
import { interleave } from "../rounds.ts";
import type { BenchOptions } from "../options.ts";
import type { Peer } from "../targets.ts";
import type { ContenderServer } from "../contenders/server.ts";
import { startStorePeers } from "./peers.ts";

const CALLERS = 16;
const SETTLE_MS_MAX = 15_000;
const SHARDS = 4;

/** Kinds of calls, in the order in which they make sense: what is got has been put. */
const WORKLOADS = [
  "dynamodb-put-item",
  "dynamodb-get-item",
  "kinesis-put-records",
  "s3-put-object",
  "s3-get-object",
] as const satisfies readonly Workload[];

/** What each peer is called with, and how the table of targets names it. */
const COMPARED: readonly { readonly peer: string; readonly workload: Workload; readonly target: Peer }[] = [
  { peer: "dynalite", workload: "dynamodb-put-item", target: "dynalite, PutItem" },
  { peer: "dynalite", workload: "dynamodb-get-item", target: "dynalite, GetItem" },
  {
    peer: "kinesalite",
    workload: "kinesis-put-records",
    target: "kinesalite, PutRecords of 100, each record",
  },
  { peer: "s3rver", workload: "s3-put-object", target: "s3rver, PutObject of 4 KiB" },
  { peer: "s3rver", workload: "s3-get-object", target: "s3rver, GetObject of 4 KiB" },
  { peer: "fauxqs", workload: "s3-put-object", target: "fauxqs, PutObject of 4 KiB" },
  { peer: "fauxqs", workload: "s3-get-object", target: "fauxqs, GetObject of 4 KiB" },
];

export async function stores(options: BenchOptions): Promise<AxisResult> {
  await using parts = new AsyncDisposableStack();
  const owned = <T extends { stop(): Promise<void> }>(part: T): T => {
    parts.defer(() => part.stop());
    return part;
  };
  // A stream of four shards takes 40 calls a second on AWS; what it costs shows without that limit.
  const env = { LAMBENT_SHARD_THROUGHPUT: "0" };
  const lambent = owned(await startLambent({ sandbox: options.sandbox, env }));
  const peers = options.peers ? await startStorePeers(owned) : [];
  const generator = owned(await startGenerator());
  const workloadsOf = (name: string) =>
    WORKLOADS.filter(
      (workload) =>
        name === lambent.name || COMPARED.some((one) => one.peer === name && one.workload === workload),
    );
  const all: ContenderServer[] = [lambent, ...peers];
  for (const server of all) await prepare(server, workloadsOf(server.name));
  const durationMs = options.quick ? 150 : 3_000;
  const load = (server: ContenderServer, workload: Workload) =>
    generator.run({ target: server.target, workload, connections: CALLERS, durationMs });
  for (const server of all) for (const workload of workloadsOf(server.name)) await load(server, workload);
  const turns = all.map((server) => ({
    name: server.name,
    async measure() {
      const measured: Record<string, number> = {};
      for (const workload of workloadsOf(server.name)) {
        await settled(server, SETTLE_MS_MAX, options);
        const before = server.usedUs();
        const { requests, perSecond } = await load(server, workload);
        measured[cpuOf(workload)] = (server.usedUs() - before) / requests / partsOf(workload);
        measured[`${workload}, rate`] = perSecond * partsOf(workload);
      }
      return measured;
    },
  }));
  const rounds = await interleave(turns, options.rounds);
  const isThere = ({ peer }: { readonly peer: string }) => peers.some(({ name }) => name === peer);
  return {
    rows: COMPARED.filter(isThere).map(({ peer, workload, target }) =>
      row(11, target, rounds.timesLess(lambent.name, peer, cpuOf(workload)), rounds.stealPermille),
    ),
    notes: [
      ...all.flatMap(({ name }) =>
        workloadsOf(name).map((workload) => {
          const cpu = rounds.middle(name, cpuOf(workload)).toFixed(1);
          const rate = rounds.middle(name, `${workload}, rate`).toFixed(0);
          const unit = partsOf(workload) === 1 ? "call" : "record";
          return `${name}, ${workload}: ${cpu} µs of CPU each ${unit}, ${rate}/s`;
        }),
      ),
      roundsNote(rounds),
    ],
  };
}

const cpuOf = (workload: Workload) => `${workload}, CPU`;
const partsOf = (workload: Workload) => (workload === "kinesis-put-records" ? RECORDS : 1);

/** Makes the table, stream or bucket that is written to, and makes each call once. */
async function prepare(server: ContenderServer, workloads: readonly Workload[]): Promise<void> {
  const setUp: Readonly<Record<string, Call>> = {
    "dynamodb-put-item": dynamoDb("CreateTable", {
      TableName: TABLE,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
    }),
    "kinesis-put-records": kinesis("CreateStream", { StreamName: STREAM, ShardCount: SHARDS }),
    "s3-put-object": s3("PUT", `/${BUCKET}`),
  };
  for (const workload of workloads) {
    const made = setUp[workload];
    if (made) await succeed(server.target, made);
    // All of them, so that there is what is to be got.
    for (const call of callsOf(workload)) {
      const answer = await succeed(server.target, call);
      if (workload === "kinesis-put-records" && !/"FailedRecordCount":0\b/.test(answer))
        throw new Error(`${server.name} did not take all records: ${answer}`);
    }
  }
}

/** The answer to a call, made again while a table or stream is not ready yet. @throws Error for one that fails in the end */
async function succeed(target: CallTarget, call: Call): Promise<string> {
  const connection = await Connection.open(target.port, target.host);
  try {
    for (let attempt = 1; ; attempt++) {
      const { status, body } = await connection.send(signedCall(target, call));
      if (status === 200) return body.toString();
      if (attempt === ATTEMPTS) throw new Error(`${call.method} ${call.path}: ${status} ${body.toString()}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  } finally {
    connection.close();
  }
}

const ATTEMPTS = 20;
