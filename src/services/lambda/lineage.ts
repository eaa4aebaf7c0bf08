/**
 * Counts how often each function has run in one chain of requests, in the `Lineage` of X-Amzn-Trace-Id: the SDKs in a
 * function send on the header that it was called with, so a loop of functions, buckets and destinations counts itself.
 *
 * `Lineage=3:5759e988:0|1:1f0c6a52:0`: runs, a digest of the function's ARN, and a zero, for each function of the chain.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
 */
import { createHash } from "node:crypto";
import { functionArn } from "./names.ts";
import type { FunctionId } from "./names.ts";

/** Runs of one function in one chain; the next one is a recursive loop. */
export const CHAIN_RUNS_MAX = 16;
/** Functions that one header tells of; the one that ran longest ago makes room. */
const FUNCTIONS_MAX = 32;
/** Counted no further. */
const RUNS_MAX = 32_767;

const FIELD = /(?:^|;)\s*Lineage=([^;]*)/i;
const ENTRY = /^(\d{1,5}):([0-9a-f]{8}):\d{1,3}$/;

/** The function in a lineage: eight hexadecimal digits. */
export function lineageId(id: FunctionId): string {
  return createHash("sha256").update(functionArn(id)).digest("hex").slice(0, 8);
}

/** The header that an invocation runs with, and how often the function has run in its chain then, this run included. */
export function countRun(traceHeader: string, id: string): { traceHeader: string; runs: number } {
  const field = FIELD.exec(traceHeader);
  if (!field) return { traceHeader: `${traceHeader};Lineage=1:${id}:0`, runs: 1 };
  const entries = readEntries(field[1] ?? "");
  const runs = Math.min(RUNS_MAX, (entries.get(id) ?? 0) + 1);
  entries.delete(id);
  entries.set(id, runs);
  const text = [...entries]
    .slice(-FUNCTIONS_MAX)
    .map(([one, count]) => `${count}:${one}:0`)
    .join("|");
  const rest = traceHeader.replace(FIELD, "").replace(/^;/, "");
  return { traceHeader: `${rest};Lineage=${text}`, runs };
}

/** Some SDKs percent-encode what stands between the entries. What is no entry of ours is left out. */
function readEntries(text: string): Map<string, number> {
  const entries = new Map<string, number>();
  for (const one of text.replaceAll(/%7C/gi, "|").split("|")) {
    const [, runs, id] = ENTRY.exec(one.trim()) ?? [];
    if (id !== undefined) entries.set(id, Number(runs));
  }
  return entries;
}
