/** Axis 4: the first call of code that never ran, sandboxed, request to response, against a bare interpreter that runs the same handler. */
import { BareModules, untilAnswer } from "../contenders/bare.ts";
import { findLanguages } from "../contenders/languages.ts";
import { HELLO } from "../contenders/handlers.ts";
import { firstCalls, turn, warmFrontDoor } from "../contenders/first-calls.ts";
import { startLambent } from "../contenders/lambent.ts";
import { offlineName, startServerlessOffline } from "../contenders/peers.ts";
import { invokeOnce } from "../load/once.ts";
import { row, roundsNote } from "../report.ts";
import type { AxisResult, Row } from "../report.ts";
import { interleave } from "../rounds.ts";
import type { Turn } from "../rounds.ts";
import type { BenchOptions } from "../options.ts";

/** Fresh functions a round, of each language: 30 over five rounds. */
const FUNCTIONS = 6;
const OFFLINE = "serverless-offline";

export async function coldStart(options: BenchOptions): Promise<AxisResult> {
  await using parts = new AsyncDisposableStack();
  const { node, python } = await findLanguages();
  const lambent = await startLambent({ sandbox: options.sandbox });
  parts.defer(() => lambent.stop());
  await warmFrontDoor(lambent);
  const modules = parts.use(new BareModules());
  const languages = python ? [node, python] : [node];
  const calls = options.quick ? 2 : FUNCTIONS;
  const turns: Turn[] = languages.flatMap((language) => [
    turn(`lambent ${language.name}`, calls, firstCalls(lambent, language, calls)),
    turn(language.name, calls, () => untilAnswer(modules.command(language))),
  ]);
  if (options.peers) {
    const { stop, call } = await offlineFirstCalls(calls * options.rounds * 2);
    parts.defer(stop);
    turns.push(turn(OFFLINE, calls, call));
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
      `${calls} functions a round, none of them called before. ${roundsNote(rounds)}`,
    ],
  };
}

async function offlineFirstCalls(count: number) {
  const names = Array.from({ length: count }, (_, at) => `fresh${at}`);
  const functions = Object.fromEntries(["hello", ...names].map((name) => [name, HELLO]));
  const server = await startServerlessOffline({ functions });
  const call = async () => {
    const path = server.target.path.replace(offlineName("hello"), offlineName(names.pop() ?? "hello"));
    return invokeOnce({ ...server.target, path });
  };
  return { stop: () => server.stop(), call };
}
