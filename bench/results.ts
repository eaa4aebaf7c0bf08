/** Writes the measured part of RESULTS.md, between its two marks; what people wrote around it stays. */
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import type { Axis } from "./axes.ts";
import type { AxisResult, Row } from "./report.ts";

const FILE = fileURLToPath(new URL("./RESULTS.md", import.meta.url));
const BEGIN = "<!-- measured: written by npm run bench -- --results -->";
const END = "<!-- end of measured -->";
const GIB = 1_073_741_824;

/** @throws Error where the file has lost its marks. */
export function writeResults(results: readonly { readonly axis: Axis; readonly result: AxisResult }[]): void {
  const text = readFileSync(FILE, "utf8");
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from === -1 || to === -1) throw new Error(`${FILE} has lost the marks around its measured part`);
  const rows = results.flatMap(({ result }) => result.rows);
  const notes = results.map(
    ({ axis, result }) => `**${axis.title}**\n\n${result.notes.map((note) => `- ${note}`).join("\n")}`,
  );
  const measured = [BEGIN, machine(), tableOf(rows), ...notes].join("\n\n");
  writeFileSync(FILE, `${text.slice(0, from)}${measured}\n\n${text.slice(to)}`);
}

function machine(): string {
  const processor = cpus()[0]?.model ?? "unknown processor";
  const memory = (totalmem() / GIB).toFixed(0);
  const date = new Date().toISOString().slice(0, 10);
  return `${date}: ${availableParallelism()} CPUs (${processor}), ${memory} GiB, Linux ${release()}, Node ${process.versions.node}.`;
}

function tableOf(rows: readonly Row[]): string {
  const lines = rows.map(
    (row) =>
      `| ${row.axis} | ${row.peer} | ${row.ratio}× | ${verdict(row.must, row.mustMet)} | ${verdict(row.moonshot, row.moonshotMet)} | ${row.stealPermille} ‰ |`,
  );
  return [
    "| axis | peer | ratio | must | moonshot | steal |",
    "| --- | --- | --- | --- | --- | --- |",
    ...lines,
  ].join("\n");
}

function verdict(target: number | null, met: boolean | null): string {
  return target === null ? "–" : `${target}× ${met ? "met" : "**missed**"}`;
}
