/** Axis 1: the CPU of one warm invocation, all serving processes together, with 32 callers. */
import { callersOf, loadAndCount, startWarmContenders } from "../contenders/warm.ts";
import { interleave } from "../rounds.ts";
import { row, roundsNote } from "../report.ts";
import type { AxisResult } from "../report.ts";
import type { BenchOptions } from "../options.ts";
import type { Peer } from "../targets.ts";

export async function warmCost(options: BenchOptions): Promise<AxisResult> {
  await using contenders = await startWarmContenders(options);
  const { all, lambent, generator } = contenders;
  const job = { connections: callersOf(options), durationMs: options.quick ? 300 : 3_000 };
  const turns = all.map((server) => ({
    name: server.name,
    async measure() {
      const sandboxesBefore = lambent.usedUsOf("sandboxes");
      const { cpuUs, perSecond, requests } = await loadAndCount(server, generator, job);
      const sandboxUs = server === lambent ? (lambent.usedUsOf("sandboxes") - sandboxesBefore) / requests : 0;
      return { cpuUs, perSecond, sandboxUs };
    },
  }));
  const rounds = await interleave(turns, options.rounds);
  const figure = (name: string, metric: string) => Math.round(rounds.middle(name, metric));
  return {
    rows: all
      .filter((server) => server !== lambent)
      .map(({ name }) =>
        row(1, name as Peer, rounds.timesLess(lambent.name, name, "cpuUs"), rounds.stealPermille),
      ),
    notes: [
      ...all.map(({ name }) => `${name}: ${figure(name, "cpuUs")} µs CPU, ${figure(name, "perSecond")}/s`),
      `Of lambent's CPU, ${figure(lambent.name, "sandboxUs")} µs are the sandboxes', the rest is the server's.`,
      roundsNote(rounds),
    ],
  };
}
