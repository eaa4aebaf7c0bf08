/** Axis 4: the first call of code that never ran, sandboxed, request to response, against a bare interpreter that runs the same handler. */
import { BareModules, untilAnswer } from "../contenders/bare.ts";
import { findLanguages } from "../contenders/languages.ts";
import { HELLO } from "../contenders/handlers.ts";
import { firstCalls, paceOf, turn, warmFrontDoor } from "../contenders/first-calls.ts";
import { startLambent } from "../contenders/lambent.ts";
import { offlineName, startServerlessOffline } from "../contenders/peers.ts";
import { invokeOnce } from "../load/once.ts";
import { row, roundsNote } from "../report.ts";
import type { AxisResult, Row } from "../report.ts";
import { interleave } from "../rounds.ts";
import type { Turn } from "../rounds.ts";
import type { BenchOptions } from "../options.ts";

const OFFLINE = "serverless-offline";

export async function coldStart(options: BenchOptions): Promise<AxisResult> {
  await using parts = new AsyncDisposableStack();
  const { node, python } = await findLanguages();
  const lambent = await startLambent({ sandbox: options.sandbox, cpus: "all" });
  parts.defer(() => lambent.stop());
  await warmFrontDoor(lambent, options);
  const modules = parts.use(new BareModules());
  const languages = python ? [node, python] : [node];
  const pace = paceOf(options);
  const turns: Turn[] = languages.flatMap((language) => [
    turn(`lambent ${language.name}`, pace, firstCalls(lambent, language, pace)),
    turn(language.name, pace, () => untilAnswer(modules.command(language))),
  ]);
  if (options.peers) {
    const { stop, call } = await offlineFirstCalls(pace.calls * options.rounds * 2);
    parts.defer(stop);
    turns.push(turn(OFFLINE, pace, call));
  }
  const rounds = await interleave(turns, options.rounds);
  const times = (one: string, other: string) => rounds.timesLess(one, other, "ms");
  const steal = rounds.stealPermille;
  const rows: Row[] = [row(4, "node exec", times("lambent node", "node"), steal)];
  if (options.peers)
    rows.push(row(4, "serverless-offline, first call", times("lambent node", OFFLINE), steal));
  if (python)
    rows.push(
      row(4, "python3 exec with json, asyncio, http, urllib", times("lambent python", "python"), steal),
    );
  return {
    rows,
    notes: [
      ...turns.map(({ name }) => `${name}: ${rounds.middle(name, "ms").toFixed(2)} ms`),
      ...(python ? [] : ["SKIPPED: Python, since this machine has none that Lambent could run."]),
      "SKIPPED: Java, which Lambent does not have yet.",
      `${pace.calls} functions a round, none of them called before. ${roundsNote(rounds)}`,
    ],
  };
}

async function offlineFirstCalls(count: number) {
  const names = Array.from({ length: count }, (_, at) => `fresh${at}`);
  const functions = Object.fromEntries(["hello", ...names].map((name) => [name, HELLO]));
  const server = await startServerlessOffline({ functions, cpus: "all" });
  const call = async () => {
    const path = server.target.path.replace(offlineName("hello"), offlineName(names.pop() ?? "hello"));
    return invokeOnce({ ...server.target, path });
  };
  return { stop: () => server.stop(), call };
}
