/** Runs a load with a number of callers at once for a while, and tells rate, latency and this thread's CPU. */

export interface Measured {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU time of the calling thread, in microseconds an operation. */
  readonly cpuUs: number;
}

/** `operation` is called by each caller again and again, one call after the other. */
export async function load(
  callers: number,
  durationMs: number,
  operation: (caller: number) => Promise<unknown>,
): Promise<Measured> {
  const latencies: number[] = [];
  const cpu = process.threadCpuUsage();
  const startedAt = performance.now();
  const until = startedAt + durationMs;
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      for (let begun = performance.now(); begun < until; begun = performance.now()) {
        await operation(caller);
        latencies.push(performance.now() - begun);
      }
    }),
  );
  const elapsedMs = performance.now() - startedAt;
  const used = process.threadCpuUsage(cpu);
  latencies.sort((left, right) => left - right);
  const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? Number.NaN;
  return {
    perSecond: (latencies.length / elapsedMs) * 1_000,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    cpuUs: (used.user + used.system) / latencies.length,
  };
}

/** The middle one by rate. */
export function median(rounds: readonly Measured[]): Measured {
  const sorted = [...rounds].sort((left, right) => left.perSecond - right.perSecond);
  return sorted[Math.floor(sorted.length / 2)] as Measured;
}

export function row(title: string, { perSecond, p50Ms, p99Ms, cpuUs }: Measured): string {
  const cells = [
    `${Math.round(perSecond)}/s`.padStart(10),
    `p50 ${p50Ms.toFixed(2)} ms`.padStart(14),
    `p99 ${p99Ms.toFixed(2)} ms`.padStart(14),
    `CPU ${cpuUs.toFixed(0)} µs`.padStart(12),
  ];
  return `${title.padEnd(50)}${cells.join("")}`;
}
