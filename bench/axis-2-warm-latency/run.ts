/** Axis 2: how long one caller waits for a warm invocation, by the raw client and by the AWS SDK. */
import { loadAndCount, startWarmContenders } from "../contenders/warm.ts";
import { interleave } from "../rounds.ts";
import type { Comparison } from "../rounds.ts";
import { row, roundsNote } from "../report.ts";
import type { AxisResult, Row } from "../report.ts";
import type { BenchOptions } from "../options.ts";
import type { Peer } from "../targets.ts";

const OFFLINE = "serverless-offline";

export async function warmLatency(options: BenchOptions): Promise<AxisResult> {
  await using contenders = await startWarmContenders(options);
  const { all, lambent, generator } = contenders;
  const job = { connections: 1, durationMs: options.quick ? 300 : 3_000 };
  const turns = all.map((server) => ({
    name: server.name,
    async measure() {
      const raw = await loadAndCount(server, generator, job);
      const sdk = await generator.run({ ...job, target: server.target, client: "sdk" });
      return { p50Us: raw.p50Us, p99Us: raw.p99Us, sdkP50Us: sdk.p50Us };
    },
  }));
  const rounds = await interleave(turns, options.rounds);
  const figure = (name: string, metric: string) => Math.round(rounds.middle(name, metric));
  return {
    rows: options.peers ? compare(lambent.name, all.map(({ name }) => name).slice(1), rounds) : [],
    notes: [
      ...all.map(
        ({ name }) =>
          `${name}: p50 ${figure(name, "p50Us")} µs, p99 ${figure(name, "p99Us")} µs; by the SDK p50 ${figure(name, "sdkP50Us")} µs`,
      ),
      roundsNote(rounds),
    ],
  };
}

function compare(ours: string, peers: readonly string[], rounds: Comparison): Row[] {
  const compared = (peer: Peer, name: string, metric: string) =>
    row(2, peer, rounds.timesLess(ours, name, metric), rounds.stealPermille);
  return [
    ...peers.map((name) => compared(`${name}, p50` as Peer, name, "p50Us")),
    compared("serverless-offline, p99", OFFLINE, "p99Us"),
    compared("serverless-offline by the AWS SDK, p50", OFFLINE, "sdkP50Us"),
  ];
}
