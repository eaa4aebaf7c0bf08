/** What a benchmark says: a line for each comparison with its target, what was measured, and what was left out and why. */
import type { Comparison } from "./rounds.ts";
import { STEAL_PERMILLE_MAX } from "./rounds.ts";
import { targetOf } from "./targets.ts";
import type { Peer } from "./targets.ts";

/** One comparison; the fields are those of the JSON that `--json` prints. */
export interface Row {
  readonly axis: number;
  readonly peer: Peer;
  readonly ratio: number;
  readonly must: number | null;
  readonly moonshot: number | null;
  readonly mustMet: boolean | null;
  readonly moonshotMet: boolean | null;
  readonly stealPermille: number;
}

export interface AxisResult {
  readonly rows: readonly Row[];
  /** Full sentences or figures for people: medians, skips with their reason, disturbed rounds. */
  readonly notes: readonly string[];
}

/** A ratio beside its target. */
export function row(axis: number, peer: Peer, ratio: number, stealPermille: number): Row {
  const { must, moonshot } = targetOf(axis, peer);
  return {
    axis,
    peer,
    ratio: rounded(ratio),
    must: must === null ? null : rounded(must),
    moonshot: moonshot === null ? null : rounded(moonshot),
    mustMet: must === null ? null : ratio >= must,
    moonshotMet: moonshot === null ? null : ratio >= moonshot,
    stealPermille: Math.round(stealPermille),
  };
}

/** How many rounds counted; and, where it was so, that the machine was disturbed in all it had to take. */
export function roundsNote(comparison: Comparison): string {
  const { validRounds, stealPermille, isDisturbed } = comparison;
  const counted = `${validRounds} rounds counted; stolen in the middle one: ${Math.round(stealPermille)} permille.`;
  if (!isDisturbed) return counted;
  return `DISTURBED: too few rounds had at most ${STEAL_PERMILLE_MAX} permille of CPU stolen. ${counted}`;
}

export function printAxis(title: string, { rows, notes }: AxisResult): void {
  console.log(`\n${title}`);
  for (const note of notes) console.log(`  ${note}`);
  if (rows.length > 0) printTable(rows);
}

export function printTable(rows: readonly Row[]): void {
  const table = [TABLE_HEAD, ...rows.map((one) => cellsOf(one, "MISSED"))];
  const widths = widthsOf(table);
  for (const line of table)
    console.log(
      `  ${line.map((cell, at) => (at === 1 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join("  ")}`,
    );
}

export const TABLE_HEAD: readonly string[] = ["axis", "peer", "ratio", "must", "moonshot", "steal"];

/** A row as text, in the order of {@link TABLE_HEAD}. @param missed How it is said that a target was not reached. */
export function cellsOf(row: Row, missed: string): readonly string[] {
  const verdict = (target: number | null, met: boolean | null) =>
    target === null ? "–" : `${target}× ${met ? "met" : missed}`;
  return [
    String(row.axis),
    row.peer,
    `${row.ratio}×`,
    verdict(row.must, row.mustMet),
    verdict(row.moonshot, row.moonshotMet),
    `${row.stealPermille} ‰`,
  ];
}

/** The width of each column of a table that begins with its head, in characters. */
export function widthsOf(table: readonly (readonly string[])[]): number[] {
  return table[0]?.map((_, at) => Math.max(...table.map((line) => (line[at] ?? "").length))) ?? [];
}

/** Three digits that count: 0.926, 3.14, 123. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
