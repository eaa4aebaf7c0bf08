/** Accepting goes before running: while a flood of events keeps the server busy, only a share of them is run meanwhile. */
import { performance } from "node:perf_hooks";
import type { EventLoopUtilization } from "node:perf_hooks";

/** Length of a window, in milliseconds of the machine. */
const WINDOW_MS = 50;
/** The share of a window that the event loop works from which it counts as saturated. */
const SATURATED = 0.9;
/**
 * Events accepted in a millisecond of the server's own CPU time from which they are a flood: a thousand a second. Fewer take little of its
 * time. Where the functions that run leave it little, fewer are one too: it would otherwise stop to be one for being starved by them.
 */
const FLOOD_PER_MS = 1;
/** Of the events accepted in a saturated window, one in so many may begin in the next. */
const ACCEPTED_PER_BEGUN = 16;
/** Events that may begin in any window, whatever comes: 200 a second of the server's own CPU time. */
const BEGUN_MIN = 10;

/** What there was in a window, and how much of the CPU the server had in it: how many may begin in the next. */
export function allowance(accepted: number, utilization: number, cpuMs: number): number {
  if (accepted < FLOOD_PER_MS * cpuMs || utilization < SATURATED) return Infinity;
  const least = Math.max(1, Math.floor((BEGUN_MIN * cpuMs) / WINDOW_MS));
  return Math.max(least, Math.floor(accepted / ACCEPTED_PER_BEGUN));
}

export class Pace {
  #accepted = 0;
  #allowed = Infinity;
  #timer: NodeJS.Timeout | undefined;
  #since: EventLoopUtilization = performance.eventLoopUtilization();
  #cpuSince = process.threadCpuUsage();
  /** Called when more may begin. */
  onMore: () => void = () => {};

  /** An event has come. */
  accepted(): void {
    this.#accepted++;
    if (this.#timer !== undefined) return;
    this.#since = performance.eventLoopUtilization();
    this.#cpuSince = process.threadCpuUsage();
    this.#timer = setInterval(() => this.#next(), WINDOW_MS).unref();
  }

  /** Whether one more event may begin now; counts it where it may. */
  take(): boolean {
    if (this.#allowed === 0) return false;
    this.#allowed--;
    return true;
  }

  #next(): void {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.#since);
    this.#since = now;
    const { user, system } = process.threadCpuUsage(this.#cpuSince);
    this.#cpuSince = process.threadCpuUsage();
    this.#allowed = allowance(this.#accepted, utilization, (user + system) / 1_000);
    if (this.#accepted === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    this.#accepted = 0;
    this.onMore();
  }
}
