/** Reads what Node's --cpu-prof writes: which stack was on the CPU, and for how long, within a window of time. */
import { readFileSync } from "node:fs";

export interface Frame {
  readonly name: string;
  /** `src/invoke/pool.ts`, `node:net`; empty for native code. */
  readonly file: string;
  readonly line: number;
}

export interface Sample {
  readonly us: number;
  /** Innermost first. */
  readonly stack: readonly Frame[];
}

interface ProfileFile {
  /** Monotonic clock, in microseconds: that of `process.hrtime`. */
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
    readonly children?: readonly number[];
  }[];
}

/** The samples between two moments of `monotonicUs`, the idle ones left out. */
export function readSamples(file: string, fromUs: number, toUs: number): Sample[] {
  const profile = JSON.parse(readFileSync(file, "utf8")) as ProfileFile;
  const stacks = stacksOf(profile);
  const samples: Sample[] = [];
  let at = profile.startTime;
  for (const [index, id] of profile.samples.entries()) {
    at += profile.timeDeltas[index] ?? 0;
    const us = profile.timeDeltas[index + 1] ?? 0;
    const stack = stacks.get(id) ?? [];
    if (at >= fromUs && at <= toUs && stack[0]?.name !== "(idle)") samples.push({ us, stack });
  }
  return samples;
}

/** Now, on the clock of the profile. */
export function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

function stacksOf({ nodes }: ProfileFile): Map<number, readonly Frame[]> {
  const parents = new Map<number, number>();
  for (const node of nodes) for (const child of node.children ?? []) parents.set(child, node.id);
  const stacks = new Map<number, readonly Frame[]>();
  // A node stands before its children.
  for (const { id, callFrame } of nodes) {
    const frame = {
      name: callFrame.functionName || "(anonymous)",
      file: callFrame.url.replace(/^file:.*?\/(?=(src|node_modules)\/)/, ""),
      line: callFrame.lineNumber + 1,
    };
    const outer = stacks.get(parents.get(id) ?? Number.NaN) ?? [];
    stacks.set(id, frame.name === "(root)" ? [] : [frame, ...outer]);
  }
  return stacks;
}
