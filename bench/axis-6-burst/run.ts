/**
 * Axis 6: 100 first calls of one function at once, each in an environment of its own, against as many bare interpreters; then
 * first calls of many functions, a few at a time, as starts per second.
 */
import { BareModules, untilAnswer } from "../contenders/bare.ts";
import { warmFrontDoor } from "../contenders/first-calls.ts";
import { startLambent } from "../contenders/lambent.ts";
import type { LambentServer } from "../contenders/lambent.ts";
import { settled } from "../contenders/settled.ts";
import { findLanguages } from "../contenders/languages.ts";
import type { Language } from "../contenders/handlers.ts";
import { invokeOnce } from "../load/once.ts";
import { row, roundsNote } from "../report.ts";
import type { AxisResult } from "../report.ts";
import { interleave } from "../rounds.ts";
import type { Turn } from "../rounds.ts";
import type { BenchOptions } from "../options.ts";

/** How much is started, in milliseconds and numbers. */
interface Size {
  readonly burst: number;
  readonly sustained: number;
  /** Each handler of a burst holds its environment for this long, so that no two calls share one; it is taken off the result. */
  readonly holdMs: number;
  readonly quick: boolean;
}

const SIZE: Size = { burst: 100, sustained: 60, holdMs: 2_000, quick: false };
const QUICK_SIZE: Size = { burst: 3, sustained: 2, holdMs: 500, quick: true };
const AT_ONCE = 8;
/** A burst empties the pool; the next one waits until it is full again, and everybody's turn until Lambent rests. */
const SETTLE_MS_MAX = 60_000;

export async function burst(options: BenchOptions): Promise<AxisResult> {
  await using parts = new AsyncDisposableStack();
  const { node, python } = await findLanguages();
  const lambent = await startLambent({ sandbox: options.sandbox, cpus: "all" });
  parts.defer(() => lambent.stop());
  await warmFrontDoor(lambent, options);
  const modules = parts.use(new BareModules());
  const size = options.quick ? QUICK_SIZE : SIZE;
  const languages = python ? [node, python] : [node];
  const turns: Turn[] = [
    { name: "lambent", measure: () => burstOfLambent(lambent, node, size) },
    { name: "node", measure: () => burstOfBare(modules, node, size) },
    ...languages.flatMap((language) => [
      {
        name: `lambent ${language.name} sustained`,
        measure: () => sustainedLambent(lambent, language, size),
      },
      { name: `${language.name} sustained`, measure: () => sustainedBare(modules, language, size) },
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
      `${size.burst} at once, last answer: lambent ${figure(rounds.middle("lambent", "ms"))}, bare node ${figure(rounds.middle("node", "ms"))}`,
      ...turns
        .slice(2)
        .map(
          ({ name }) =>
            `${name}: ${(size.sustained / (rounds.middle(name, "ms") / 1_000)).toFixed(0)} starts/s`,
        ),
      ...(python ? [] : ["SKIPPED: Python, since this machine has none that Lambent could run."]),
      roundsNote(rounds),
    ],
  };
}

/** Milliseconds to the last of so many first calls at once, without the time for which each holds its environment. */
async function burstOfLambent(lambent: LambentServer, language: Language, size: Size) {
  const holding = { ...language, fresh: () => holdingModule(language.fresh(), size.holdMs) };
  const [name = ""] = await lambent.deployFresh(holding, 1);
  await settled(lambent, SETTLE_MS_MAX, size);
  const begun = performance.now();
  await Promise.all(Array.from({ length: size.burst }, () => invokeOnce(lambent.targetOf(name))));
  const ms = performance.now() - begun - size.holdMs;
  await lambent.remove([name]);
  await settled(lambent, SETTLE_MS_MAX, size);
  return { ms };
}

function holdingModule(text: string, holdMs: number): string {
  return `${text}\nconst { handler } = exports;\nexports.handler = async (event) => {\n  await new Promise((resolve) => setTimeout(resolve, ${holdMs}));\n  return handler(event);\n};\n`;
}

async function burstOfBare(modules: BareModules, language: Language, size: Size) {
  const commands = Array.from({ length: size.burst }, () => modules.command(language));
  const begun = performance.now();
  await Promise.all(commands.map((command) => untilAnswer(command)));
  return { ms: performance.now() - begun };
}

/** Milliseconds for the first calls of so many functions, a few at a time. */
async function sustainedLambent(lambent: LambentServer, language: Language, size: Size) {
  const names = await lambent.deployFresh(language, size.sustained);
  await settled(lambent, SETTLE_MS_MAX, size);
  const ms = await byFew(names, (name) => invokeOnce(lambent.targetOf(name)));
  await lambent.remove(names);
  await settled(lambent, SETTLE_MS_MAX, size);
  return { ms };
}

async function sustainedBare(modules: BareModules, language: Language, size: Size) {
  const commands = Array.from({ length: size.sustained }, () => modules.command(language));
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
