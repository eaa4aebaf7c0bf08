/** Interleaved rounds: every contender takes its turn in each, so that a bad moment of the machine falls on all alike. */
import { watchSteal } from "./machine/steal.ts";
import { median } from "./statistics.ts";

/** What one turn measured, by name: `{ cpuUs: 71.2, p50Us: 410 }`. */
export type Measured = Readonly<Record<string, number>>;

export interface Turn {
  readonly name: string;
  measure(): Promise<Measured>;
}

export interface Comparison {
  /** The middle one of the rounds' ratios: how many times less of `metric` the one needs than the other. */
  timesLess(one: string, other: string, metric: string): number;
  /** The middle value over the rounds that count. */
  middle(name: string, metric: string): number;
  /** Stolen CPU in the middle round, in permille. */
  readonly stealPermille: number;
  /** How many rounds count, and whether rounds had to be taken in which more was stolen than may be. */
  readonly validRounds: number;
  readonly isDisturbed: boolean;
}

interface Round {
  readonly stealPermille: number;
  readonly values: ReadonlyMap<string, Measured>;
}

/** A round in which more than this is stolen does not count, in permille. */
export const STEAL_PERMILLE_MAX = 20;
/** Disturbed rounds are repeated, but at most so many times as many rounds are played as wanted. */
const REPEAT_MAX = 2;

/** Plays rounds until `wanted` of them were undisturbed; where the machine never gives them, all count and the result says so. */
export async function interleave(
  turns: readonly Turn[],
  wanted: number,
  watch = watchSteal,
): Promise<Comparison> {
  const rounds: Round[] = [];
  const isValid = (round: Round) => round.stealPermille <= STEAL_PERMILLE_MAX;
  while (rounds.filter(isValid).length < wanted && rounds.length < wanted * REPEAT_MAX)
    rounds.push(await playRound(turns, watch));
  const valid = rounds.filter(isValid);
  return compare(valid.length === 0 ? rounds : valid, valid.length < wanted);
}

async function playRound(turns: readonly Turn[], watch: typeof watchSteal): Promise<Round> {
  const values = new Map<string, Measured>();
  const stolen = watch();
  for (const turn of turns) values.set(turn.name, await turn.measure());
  return { values, stealPermille: stolen() };
}

function compare(rounds: readonly Round[], isDisturbed: boolean): Comparison {
  const all = (name: string, metric: string) =>
    rounds.map((round) => round.values.get(name)?.[metric] ?? Number.NaN);
  return {
    timesLess(one, other, metric) {
      const theirs = all(other, metric);
      return median(all(one, metric).map((ours, at) => (theirs[at] as number) / ours));
    },
    middle: (name, metric) => median(all(name, metric)),
    stealPermille: median(rounds.map((round) => round.stealPermille)),
    validRounds: rounds.length,
    isDisturbed,
  };
}
