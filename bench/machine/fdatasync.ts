/** What this machine takes to make one small append durable: the measure of every durable answer. */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { percentile } from "../statistics.ts";

const APPEND_BYTES = 300;

export interface SyncTimes {
  readonly p50Us: number;
  readonly p99Us: number;
}

/** Appends and syncs again and again, on the file system that the benchmarks' servers have their data on. */
export function fdatasyncTimes(durationMs: number): SyncTimes {
  const folder = mkdtempSync(join(tmpdir(), "lambent-bench-sync-"));
  const file = openSync(join(folder, "append"), "w");
  const bytes = Buffer.alloc(APPEND_BYTES, "x");
  const times: number[] = [];
  try {
    for (const until = performance.now() + durationMs; performance.now() < until;) {
      writeSync(file, bytes);
      const begun = performance.now();
      fdatasyncSync(file);
      times.push(performance.now() - begun);
    }
  } finally {
    closeSync(file);
    rmSync(folder, { recursive: true, force: true });
  }
  return { p50Us: percentile(times, 0.5) * 1_000, p99Us: percentile(times, 0.99) * 1_000 };
}
