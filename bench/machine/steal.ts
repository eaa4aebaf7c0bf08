/** How much CPU the hypervisor gave to others: what makes timings of a virtual machine worthless. */
import { readFileSync } from "node:fs";

interface CpuTimes {
  readonly steal: number;
  readonly total: number;
}

/** Begins to watch; the function answers the stolen part since then, in permille. */
export function watchSteal(): () => number {
  const before = readTimes();
  return () => {
    const now = readTimes();
    const total = now.total - before.total;
    return total <= 0 ? 0 : Math.round(((now.steal - before.steal) * 1_000) / total);
  };
}

/** The first line of /proc/stat: user nice system idle iowait irq softirq steal …, in ticks; guest times are in user already. */
function readTimes(): CpuTimes {
  const [first = ""] = readFileSync("/proc/stat", "utf8").split("\n");
  const ticks = first.trim().split(/\s+/).slice(1, 9).map(Number);
  return { steal: ticks[7] ?? 0, total: ticks.reduce((sum, each) => sum + each, 0) };
}
