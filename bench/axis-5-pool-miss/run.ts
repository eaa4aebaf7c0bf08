/** Axis 5: what the sandbox adds to a cold start when no environment waits: our miss against a bare exec, the rest against crun. */
import { BareModules, untilAnswer } from "../contenders/bare.ts";
import { firstCalls, paceOf, turn, warmFrontDoor } from "../contenders/first-calls.ts";
import { startLambent } from "../contenders/lambent.ts";
import { findLanguages } from "../contenders/languages.ts";
import { row, roundsNote } from "../report.ts";
import type { AxisResult } from "../report.ts";
import { interleave } from "../rounds.ts";
import type { Turn } from "../rounds.ts";
import type { BenchOptions } from "../options.ts";
import { CrunBundle, crunMissing } from "./crun.ts";

/** What the sandbox adds is measured as a difference; below this it is lost in the noise, in milliseconds. */
const SANDBOX_MS_MIN = 0.2;

export async function poolMiss(options: BenchOptions): Promise<AxisResult> {
  await using parts = new AsyncDisposableStack();
  const { node } = await findLanguages();
  const lambent = await startLambent({
    sandbox: options.sandbox,
    cpus: "all",
    env: { LAMBENT_PREBOOTED: "0" },
  });
  parts.defer(() => lambent.stop());
  await warmFrontDoor(lambent, options);
  const modules = parts.use(new BareModules());
  const pace = paceOf(options);
  const turns: Turn[] = [
    turn("lambent", pace, firstCalls(lambent, node, pace)),
    turn("node", pace, () => untilAnswer(modules.command(node))),
  ];
  const missing = options.peers ? crunMissing() : "peers are left out";
  if (missing === undefined) {
    const bundle = parts.use(new CrunBundle());
    turns.push(turn("crun run true", pace, () => bundle.measure()));
  }
  const rounds = await interleave(turns, options.rounds);
  const steal = rounds.stealPermille;
  const sandboxMs = rounds.middle("lambent", "ms") - rounds.middle("node", "ms");
  const crunTimes = rounds.middle("crun run true", "ms") / Math.max(sandboxMs, SANDBOX_MS_MIN);
  return {
    rows: [
      row(5, "node exec", rounds.timesLess("lambent", "node", "ms"), steal),
      ...(missing === undefined ? [row(5, "crun run true, the sandbox's part", crunTimes, steal)] : []),
    ],
    notes: [
      ...turns.map(({ name }) => `${name}: ${rounds.middle(name, "ms").toFixed(2)} ms`),
      `The sandbox's part of lambent's is ${sandboxMs.toFixed(2)} ms.`,
      ...(missing === undefined ? [] : [`SKIPPED: crun, since ${missing}.`]),
      roundsNote(rounds),
    ],
  };
}
