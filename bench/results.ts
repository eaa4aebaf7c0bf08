/** Writes the measured part of RESULTS.md, between its two marks; what people wrote around it stays, and axes that were not measured. */
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import type { Axis } from "./axes.ts";
import { TABLE_HEAD, cellsOf, widthsOf } from "./report.ts";
import type { AxisResult } from "./report.ts";

const FILE = fileURLToPath(new URL("./RESULTS.md", import.meta.url));
const BEGIN = "<!-- measured: written by npm run bench -- --results -->";
const END = "<!-- end of measured -->";
const GIB = 1_073_741_824;

/** @throws Error where the file has lost its marks. */
export function writeResults(results: readonly { readonly axis: Axis; readonly result: AxisResult }[]): void {
  const text = readFileSync(FILE, "utf8");
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from === -1 || to === -1) throw new Error(`${FILE} has lost the marks around its measured part`);
  const before = text.slice(from, to);
  const measured = new Set(results.map(({ axis }) => axisOf(axis.title)));
  const isKept = (axis: number) => !measured.has(axis);
  const rows = [
    ...rowsOf(before).filter(([axis]) => isKept(Number(axis))),
    ...results.flatMap(({ result }) => result.rows.map((row) => cellsOf(row, "**missed**"))),
  ].sort(([one], [other]) => Number(one) - Number(other));
  const notes = [
    ...notesOf(before).filter((note) => isKept(axisOf(note))),
    ...results.map(
      ({ axis, result }) => `**${axis.title}**\n\n${result.notes.map((note) => `- ${note}`).join("\n")}`,
    ),
  ].sort((one, other) => axisOf(one) - axisOf(other));
  const written = [BEGIN, machine(), tableOf(rows), ...notes].join("\n\n");
  writeFileSync(FILE, `${text.slice(0, from)}${written}\n\n${text.slice(to)}`);
}

function machine(): string {
  const processor = cpus()[0]?.model ?? "unknown processor";
  const memory = (totalmem() / GIB).toFixed(0);
  const date = new Date().toISOString().slice(0, 10);
  return `${date}: ${availableParallelism()} CPUs (${processor}), ${memory} GiB, Linux ${release()}, Node ${process.versions.node}.`;
}

type Cells = readonly string[];

/** The rows of a table that was written before. */
function rowsOf(text: string): Cells[] {
  const lines = text.split("\n").filter((line) => /^\| \d/.test(line));
  return lines.map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** The notes of each axis as they were written before. */
function notesOf(text: string): string[] {
  return text
    .split(/\n\n(?=\*\*Axis )/)
    .slice(1)
    .map((note) => note.trim());
}

/** The number in an axis' title, with which its notes begin. */
function axisOf(title: string): number {
  return Number(/Axis (\d+)/.exec(title)?.[1]);
}

/** As the formatter writes tables. */
function tableOf(rows: readonly Cells[]): string {
  const widths = widthsOf([TABLE_HEAD, ...rows]);
  const line = (row: Cells) => `| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  return [line(TABLE_HEAD), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
