/**
 * Axis 9: what a message costs, sent alone by 32 callers, in batches of ten by 16, and over its whole life; ours durable, with signatures
 * verified, the peers' in memory.
 */
import { PurgeQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { startLambent } from "../contenders/lambent.ts";
import { startGenerator } from "../load/generator.ts";
import type { Generator } from "../load/generator.ts";
import type { SqsJob, SqsTarget } from "../load/sqs-loop.ts";
import { fdatasyncTimes } from "../machine/fdatasync.ts";
import type { BenchOptions } from "../options.ts";
import { row, roundsNote } from "../report.ts";
import type { AxisResult, Row } from "../report.ts";
import { interleave } from "../rounds.ts";
import type { Comparison, Measured } from "../rounds.ts";
import { motoMissing, queuesOn, startFauxqs, startMoto } from "./peers.ts";
import type { QueueServer } from "./peers.ts";

const BODY_BYTES = 100;
const CONNECTIONS = { send: 32, batch: 16, cycle: 16 } as const;
const WORKS = ["send", "batch", "cycle"] as const;
/** How long each is driven before anything counts. */
const WARM_MS = 3_000;

export async function queues(options: BenchOptions): Promise<AxisResult> {
  await using parts = new AsyncDisposableStack();
  const servers: QueueServer[] = [];
  const skipped: string[] = [];
  const add = async (server: Promise<QueueServer>) => {
    const started = await server;
    parts.defer(() => started.stop());
    servers.push(started);
  };
  await add(startOurs(options));
  if (options.peers) {
    await add(startFauxqs());
    const missing = motoMissing();
    if (missing === undefined) await add(startMoto());
    else skipped.push(`SKIPPED: ${missing}`);
  }
  const generator = await startGenerator();
  parts.defer(() => generator.stop());
  const durationMs = options.quick ? 200 : 3_000;
  for (const server of servers) await measure(server, generator, options.quick ? durationMs : WARM_MS);
  const turns = servers.map((server) => ({
    name: server.name,
    measure: () => measure(server, generator, durationMs),
  }));
  const rounds = await interleave(turns, options.rounds);
  return { rows: compare(servers, rounds), notes: [...skipped, ...notesOf(servers, rounds, options)] };
}

async function startOurs({ sandbox }: BenchOptions): Promise<QueueServer> {
  const server = await startLambent({ sandbox });
  const { endpoint, credentials } = server.options;
  const queues = await queuesOn(endpoint, credentials);
  return { name: "lambent", queues, usedUs: () => server.usedUsOf("server"), stop: () => server.stop() };
}

async function measure(server: QueueServer, generator: Generator, durationMs: number): Promise<Measured> {
  const measured: Record<string, number> = {};
  for (const work of WORKS) {
    const target = server.queues[work];
    await empty(target);
    const before = server.usedUs();
    const job: SqsJob = {
      target,
      work,
      connections: CONNECTIONS[work],
      durationMs,
      bodyBytes: BODY_BYTES,
    };
    const { messages, perSecond, p50Us, p99Us } = await generator.runSqs(job);
    measured[`${work}CpuUs`] = (server.usedUs() - before) / messages;
    measured[`${work}SecondsEach`] = 1 / perSecond;
    measured[`${work}P50Us`] = p50Us;
    measured[`${work}P99Us`] = p99Us;
  }
  return measured;
}

/** Messages that nobody receives would fill the peers' memory. A purge that is refused, since there was one a moment ago, comes next time. */
async function empty({ host, port, queueUrl: QueueUrl, credentials }: SqsTarget): Promise<void> {
  const client = new SQSClient({ endpoint: `http://${host}:${port}`, region: "us-east-1", credentials });
  await client.send(new PurgeQueueCommand({ QueueUrl })).catch(() => undefined);
  client.destroy();
}

function compare(servers: readonly QueueServer[], rounds: Comparison): Row[] {
  return (["fauxqs", "moto"] as const).flatMap((peer) => {
    if (!servers.some(({ name }) => name === peer)) return [];
    const times = (metric: string) => rounds.timesLess("lambent", peer, metric);
    return [
      row(9, `${peer}, SendMessage`, times("sendCpuUs"), rounds.stealPermille),
      row(9, `${peer}, a message of SendMessageBatch`, times("batchCpuUs"), rounds.stealPermille),
      row(
        9,
        `${peer}, messages sent, received and deleted a second`,
        times("cycleSecondsEach"),
        rounds.stealPermille,
      ),
    ];
  });
}

function notesOf(servers: readonly QueueServer[], rounds: Comparison, { quick }: BenchOptions): string[] {
  const us = (name: string, metric: string) => `${rounds.middle(name, metric).toFixed(1)} µs`;
  const rate = (name: string, work: string) =>
    `${(1 / rounds.middle(name, `${work}SecondsEach`)).toFixed(0)}/s`;
  const sync = fdatasyncTimes(quick ? 50 : 1_000);
  return [
    ...servers.map(({ name }) => {
      const parts = WORKS.map(
        (work) =>
          `${work} ${us(name, `${work}CpuUs`)} of CPU a message, ${rate(name, work)}, p50 ${us(name, `${work}P50Us`)}, p99 ${us(name, `${work}P99Us`)}`,
      );
      return `${name}: ${parts.join("; ")}`;
    }),
    `one fdatasync: p50 ${sync.p50Us.toFixed(0)} µs, p99 ${sync.p99Us.toFixed(0)} µs`,
    roundsNote(rounds),
  ];
}
