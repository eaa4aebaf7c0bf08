/**
 * Axis 6: 100 first calls of one function at once, each in an environment of its own, against as many bare interpreters; then
 * first calls of many functions, a few at a time, as starts per second.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { BareModules, untilAnswer } from "../contenders/bare.ts";
import { warmFrontDoor } from "../contenders/first-calls.ts";
import { startLambent } from "../contenders/lambent.ts";
import type { LambentServer } from "../contenders/lambent.ts";
import { findLanguages } from "../contenders/languages.ts";
import type { Language } from "../contenders/handlers.ts";
import { invokeOnce } from "../load/once.ts";
import { row, roundsNote } from "../report.ts";
import type { AxisResult } from "../report.ts";
import { interleave } from "../rounds.ts";
import type { Turn } from "../rounds.ts";
import type { BenchOptions } from "../options.ts";

const BURST = 100;
const SUSTAINED = 60;
const AT_ONCE = 8;
/** Each handler holds its environment for this long, so that no two calls share one; it is taken off the result. */
const HOLD_MS = 2_000;
/** A burst empties the pool; the next one waits until it may be full again. */
const REFILL_MS = 4_000;

export async function burst(options: BenchOptions): Promise<AxisResult> {
  await using parts = new AsyncDisposableStack();
  const { node, python } = await findLanguages();
  const lambent = await startLambent({ sandbox: options.sandbox });
  parts.defer(() => lambent.stop());
  await warmFrontDoor(lambent);
  const modules = parts.use(new BareModules());
  const calls = options.quick ? 5 : BURST;
  const many = options.quick ? 4 : SUSTAINED;
  const languages = python ? [node, python] : [node];
  const turns: Turn[] = [
    { name: "lambent", measure: () => burstOfLambent(lambent, node, calls) },
    { name: "node", measure: () => burstOfBare(modules, node, calls) },
    ...languages.flatMap((language) => [
      {
        name: `lambent ${language.name} sustained`,
        measure: () => sustainedLambent(lambent, language, many),
      },
      { name: `${language.name} sustained`, measure: () => sustainedBare(modules, language, many) },
    ]),
  ];
  const rounds = await interleave(turns, options.rounds);
  const steal = rounds.stealPermille;
  const less = (one: string, other: string) => rounds.timesLess(one, other, "ms");
  return {
    rows: [
      row(6, "100 node execs, starts per second", less("lambent node sustained", "node sustained"), steal),
      row(6, "100 node execs, last answer", less("lambent", "node"), steal),
      ...(python
        ? [
            row(
              6,
              "python3 execs with imports, sustained",
              less("lambent python sustained", "python sustained"),
              steal,
            ),
          ]
        : []),
    ],
    notes: [
      `${calls} at once, last answer: lambent ${figure(rounds.middle("lambent", "ms"))}, bare node ${figure(rounds.middle("node", "ms"))}`,
      ...turns
        .slice(2)
        .map(({ name }) => `${name}: ${(many / (rounds.middle(name, "ms") / 1_000)).toFixed(0)} starts/s`),
      ...(python ? [] : ["SKIPPED: Python, since this machine has none that Lambent could run."]),
      roundsNote(rounds),
    ],
  };
}

/** Milliseconds to the last of so many first calls at once, without the time for which each holds its environment. */
async function burstOfLambent(lambent: LambentServer, language: Language, calls: number) {
  const holding = { ...language, fresh: () => holdingModule(language.fresh()) };
  const [name = ""] = await lambent.deployFresh(holding, 1);
  await sleep(REFILL_MS);
  const begun = performance.now();
  await Promise.all(Array.from({ length: calls }, () => invokeOnce(lambent.targetOf(name))));
  return { ms: performance.now() - begun - HOLD_MS };
}

function holdingModule(text: string): string {
  return `${text}\nconst { handler } = exports;\nexports.handler = async (event) => {\n  await new Promise((resolve) => setTimeout(resolve, ${HOLD_MS}));\n  return handler(event);\n};\n`;
}

async function burstOfBare(modules: BareModules, language: Language, calls: number) {
  const commands = Array.from({ length: calls }, () => modules.command(language));
  const begun = performance.now();
  await Promise.all(commands.map((command) => untilAnswer(command)));
  return { ms: performance.now() - begun };
}

/** Milliseconds for the first calls of so many functions, a few at a time. */
async function sustainedLambent(lambent: LambentServer, language: Language, functions: number) {
  const names = await lambent.deployFresh(language, functions);
  await sleep(REFILL_MS);
  return { ms: await byFew(names, (name) => invokeOnce(lambent.targetOf(name))) };
}

async function sustainedBare(modules: BareModules, language: Language, functions: number) {
  const commands = Array.from({ length: functions }, () => modules.command(language));
  return { ms: await byFew(commands, (command) => untilAnswer(command)) };
}

async function byFew<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<number> {
  const queue = [...items];
  const begun = performance.now();
  const worker = async () => {
    for (let item = queue.pop(); item !== undefined; item = queue.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return performance.now() - begun;
}

function figure(ms: number): string {
  return `${ms.toFixed(0)} ms`;
}
