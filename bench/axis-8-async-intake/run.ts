/**
 * Axis 8: asynchronous invocations accepted durably (202) a second, against durable writes of PostgreSQL and Redis. These write and no more;
 * held against them is a server that accepts and leaves running to others (`--async-concurrency 0`). One that runs the events meanwhile,
 * on the same CPU, is measured beside it.
 */
import { startLambent } from "../contenders/lambent.ts";
import type { LambentServer } from "../contenders/lambent.ts";
import { settled } from "../contenders/settled.ts";
import { startGenerator } from "../load/generator.ts";
import { fdatasyncTimes } from "../machine/fdatasync.ts";
import { row, roundsNote } from "../report.ts";
import type { AxisResult, Row } from "../report.ts";
import { interleave } from "../rounds.ts";
import type { Comparison, Measured } from "../rounds.ts";
import type { BenchOptions } from "../options.ts";
import type { Peer } from "../targets.ts";
import { startPostgresStores, startRedisStores } from "./stores.ts";
import type { Store } from "./stores.ts";

const CLIENTS = [16, 48];
const EVENT_BYTES = 256;
const SYNC = "fdatasync";
/** Events still run after they were accepted; whoever is measured next waits until that is over, at most so long. */
const DRAIN_MS_MAX = 60_000;
/** How long each is driven before anything counts: code is compiled, and logs have grown to where they are written over. */
const WARM_MS = 8_000;

/** The server that only accepts, and the one that also runs. */
const ACCEPTING = "accepting";
const RUNNING = "running";

export async function asyncIntake(options: BenchOptions): Promise<AxisResult> {
  await using parts = new AsyncDisposableStack();
  const start = async (env: Readonly<Record<string, string>>) => {
    const server = await startLambent({ sandbox: options.sandbox, env });
    parts.defer(() => server.stop());
    return server;
  };
  const accepting = await start({ LAMBENT_ASYNC_CONCURRENCY: "0" });
  const running = await start({});
  const generator = await startGenerator();
  parts.defer(() => generator.stop());
  const stores: Store[] = [];
  const skipped: string[] = [];
  for (const startStores of options.peers ? [startPostgresStores, startRedisStores] : []) {
    const started = await startStores();
    if ("missing" in started) skipped.push(`SKIPPED: ${started.missing}`);
    else {
      parts.defer(() => started.stop());
      stores.push(...started.stores);
    }
  }
  const durationMs = options.quick ? 100 : 3_000;
  const accept = (server: LambentServer, connections: number, ms = durationMs) =>
    generator.run({
      target: server.targetOf("hello", "Event"),
      connections,
      durationMs: ms,
      bodyBytes: EVENT_BYTES,
      status: 202,
    });
  const warmMs = options.quick ? durationMs : WARM_MS;
  for (const server of [accepting, running]) await accept(server, CLIENTS[0] as number, warmMs);
  for (const store of stores) await store.measure(CLIENTS[0] as number, warmMs);
  const lambentTurn = (name: string, server: LambentServer) => ({
    name,
    measure: () =>
      forClients(async (clients) => {
        for (const one of [running, accepting]) await settled(one, DRAIN_MS_MAX, options);
        const before = server.usedUs();
        const { perSecond, p99Us, requests } = await accept(server, clients);
        return { perSecond, p99Us, cpuUs: (server.usedUs() - before) / requests };
      }),
  });
  const turns = [
    lambentTurn(ACCEPTING, accepting),
    { name: SYNC, measure: async (): Promise<Measured> => ({ ...fdatasyncTimes(durationMs / 3) }) },
    ...stores.map((store) => ({
      name: store.name,
      measure: () => forClients(async (clients) => ({ ...(await store.measure(clients, durationMs)) })),
    })),
    lambentTurn(RUNNING, running),
  ];
  const rounds = await interleave(turns, options.rounds);
  return { rows: compare(stores, rounds), notes: [...skipped, ...notesOf(stores, rounds)] };
}

/** What is measured with each number of clients, under names that tell the number; a rate as the seconds that one write takes. */
async function forClients(
  measure: (clients: number) => Promise<{ readonly perSecond: number } & Measured>,
): Promise<Measured> {
  const measured: Record<string, number> = {};
  for (const clients of CLIENTS) {
    const { perSecond, ...others } = await measure(clients);
    measured[secondsEach(clients)] = 1 / perSecond;
    for (const [name, value] of Object.entries(others)) measured[`${name}${clients}`] = value;
  }
  return measured;
}

/** Rates are compared as seconds that one write takes of the whole: less is better, as everywhere. */
function secondsEach(clients: number): string {
  return `secondsEach${clients}`;
}

function compare(stores: readonly Store[], rounds: Comparison): Row[] {
  const against = (peer: Peer, ours: string, name: string, clients: number) =>
    stores.some((store) => store.name === name)
      ? [row(8, peer, rounds.timesLess(ours, name, secondsEach(clients)), rounds.stealPermille)]
      : [];
  const [few = 0, many = 0] = CLIENTS;
  const syncTimes = rounds.middle(SYNC, "p99Us") / rounds.middle(ACCEPTING, `p99Us${many}`);
  const [prepared, text] = ["PostgreSQL inserts", "PostgreSQL inserts in text"];
  return [
    ...against("PostgreSQL inserts, 16 clients", ACCEPTING, prepared, few),
    ...against("PostgreSQL inserts, 48 clients", ACCEPTING, prepared, many),
    ...against("PostgreSQL inserts in text, 16 clients", ACCEPTING, text, few),
    ...against("PostgreSQL inserts in text, 48 clients", ACCEPTING, text, many),
    ...against("PostgreSQL inserts, 48 clients, while events run", RUNNING, prepared, many),
    ...against("Redis appendfsync always, 48 clients", ACCEPTING, "Redis appendfsync always", many),
    row(8, "fdatasync, p99", syncTimes, rounds.stealPermille),
  ];
}

function notesOf(stores: readonly Store[], rounds: Comparison): string[] {
  const us = (name: string, metric: string) => `${rounds.middle(name, metric).toFixed(0)} µs`;
  const rate = (name: string, clients: number) =>
    `${(1 / rounds.middle(name, secondsEach(clients))).toFixed(0)}/s at ${us(name, `cpuUs${clients}`)} of CPU with ${clients}`;
  const rates = (name: string) => CLIENTS.map((clients) => rate(name, clients)).join(", ");
  const p99s = (name: string) =>
    CLIENTS.map((clients) => `${us(name, `p99Us${clients}`)} with ${clients}`).join(", ");
  return [
    `lambent, accepting: ${rates(ACCEPTING)} clients; p99 ${p99s(ACCEPTING)}`,
    `lambent, running them meanwhile, those runs included: ${rates(RUNNING)} clients; p99 ${p99s(RUNNING)}`,
    ...stores.map(({ name }) => `${name}: ${rates(name)} clients`),
    `one fdatasync: p50 ${us(SYNC, "p50Us")}, p99 ${us(SYNC, "p99Us")}`,
    roundsNote(rounds),
  ];
}
