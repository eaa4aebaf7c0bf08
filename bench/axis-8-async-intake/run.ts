/** Axis 8: asynchronous invocations accepted durably (202) a second, against durable writes of PostgreSQL and Redis. */
import { startLambent } from "../contenders/lambent.ts";
import { settled } from "../contenders/settled.ts";
import { startGenerator } from "../load/generator.ts";
import { fdatasyncTimes } from "../machine/fdatasync.ts";
import { row, roundsNote } from "../report.ts";
import type { AxisResult, Row } from "../report.ts";
import { interleave } from "../rounds.ts";
import type { Comparison, Measured } from "../rounds.ts";
import type { BenchOptions } from "../options.ts";
import type { Peer } from "../targets.ts";
import { startPostgresStore, startRedisStore } from "./stores.ts";
import type { Store } from "./stores.ts";

const CLIENTS = [16, 48];
const EVENT_BYTES = 256;
const SYNC = "fdatasync";
/** Events still run after they were accepted; the next contender waits until that is over, at most so long. */
const DRAIN_MS_MAX = 60_000;

export async function asyncIntake(options: BenchOptions): Promise<AxisResult> {
  await using parts = new AsyncDisposableStack();
  const lambent = await startLambent({ sandbox: options.sandbox });
  parts.defer(() => lambent.stop());
  const generator = await startGenerator();
  parts.defer(() => generator.stop());
  const stores: Store[] = [];
  const skipped: string[] = [];
  for (const start of options.peers ? [startPostgresStore, startRedisStore] : []) {
    const store = await start();
    if ("missing" in store) skipped.push(`SKIPPED: ${store.missing}`);
    else {
      parts.defer(() => store.stop());
      stores.push(store);
    }
  }
  const durationMs = options.quick ? 100 : 3_000;
  const target = lambent.targetOf("hello", "Event");
  const accept = (connections: number) =>
    generator.run({ target, connections, durationMs, bodyBytes: EVENT_BYTES, status: 202 });
  await accept(CLIENTS[0] as number);
  const turns = [
    {
      name: lambent.name,
      async measure() {
        const measured: Record<string, number> = {};
        for (const clients of CLIENTS) {
          await settled(lambent, DRAIN_MS_MAX, options);
          const before = lambent.usedUs();
          const { perSecond, p99Us, requests } = await accept(clients);
          Object.assign(measured, {
            [secondsEach(clients)]: 1 / perSecond,
            [`p99Us${clients}`]: p99Us,
            [`cpuUs${clients}`]: (lambent.usedUs() - before) / requests,
          });
        }
        await settled(lambent, DRAIN_MS_MAX, options);
        return measured;
      },
    },
    { name: SYNC, measure: async (): Promise<Measured> => ({ ...fdatasyncTimes(durationMs / 3) }) },
    ...stores.map((store) => ({
      name: store.name,
      async measure() {
        const measured: Record<string, number> = {};
        for (const clients of CLIENTS)
          measured[secondsEach(clients)] = 1 / (await store.perSecond(clients, durationMs));
        return measured;
      },
    })),
  ];
  const rounds = await interleave(turns, options.rounds);
  return {
    rows: compare(lambent.name, stores, rounds),
    notes: [...skipped, ...notesOf(lambent.name, stores, rounds)],
  };
}

/** Rates are compared as seconds that one write takes of the whole: less is better, as everywhere. */
function secondsEach(clients: number): string {
  return `secondsEach${clients}`;
}

function compare(ours: string, stores: readonly Store[], rounds: Comparison): Row[] {
  const against = (peer: Peer, name: string, clients: number) =>
    row(8, peer, rounds.timesLess(ours, name, secondsEach(clients)), rounds.stealPermille);
  const isThere = (name: string) => stores.some((store) => store.name === name);
  const [few = 0, many = 0] = CLIENTS;
  const syncTimes = rounds.middle(SYNC, "p99Us") / rounds.middle(ours, `p99Us${many}`);
  return [
    ...(isThere("PostgreSQL inserts")
      ? [
          against("PostgreSQL inserts, 16 clients", "PostgreSQL inserts", few),
          against("PostgreSQL inserts, 48 clients", "PostgreSQL inserts", many),
        ]
      : []),
    ...(isThere("Redis appendfsync always")
      ? [against("Redis appendfsync always, 48 clients", "Redis appendfsync always", many)]
      : []),
    row(8, "fdatasync, p99", syncTimes, rounds.stealPermille),
  ];
}

function notesOf(ours: string, stores: readonly Store[], rounds: Comparison): string[] {
  const rate = (name: string, clients: number) =>
    `${(1 / rounds.middle(name, secondsEach(clients))).toFixed(0)}/s with ${clients}`;
  const us = (name: string, metric: string) => `${rounds.middle(name, metric).toFixed(0)} µs`;
  return [
    ...[ours, ...stores.map(({ name }) => name)].map(
      (name) => `${name}: ${CLIENTS.map((clients) => rate(name, clients)).join(", ")} clients`,
    ),
    ...CLIENTS.map(
      (clients) =>
        `${ours} with ${clients}: p99 ${us(ours, `p99Us${clients}`)}, CPU ${us(ours, `cpuUs${clients}`)} an event, those included that run meanwhile`,
    ),
    `one fdatasync: p50 ${us(SYNC, "p50Us")}, p99 ${us(SYNC, "p99Us")}`,
    roundsNote(rounds),
  ];
}
