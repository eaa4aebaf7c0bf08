/** Whether the machine is short of memory. https://docs.kernel.org/accounting/psi.html */
import { readFile } from "node:fs/promises";

/**
 * Part of the last 10 seconds, in percent, in which something waited for memory. The kernel counts a function at its own limit too,
 * which must not cost others their environments: so this counts only where the machine has little left as well.
 */
const stalledPercentMax = 10;
const stalledShareMax = 0.25;
/** Part of the machine's memory that stays available, where the kernel does not tell pressure and where it does. */
const availableShareMin = 0.05;

export interface MemoryReading {
  /** `some avg10` of the kernel's pressure information; undefined where there is none. */
  readonly stalledPercent: number | undefined;
  /** MemAvailable: the kernel's own estimate of what could be given to programs without swapping. Undefined where there is none. */
  readonly availableBytes: number | undefined;
  /** MemTotal; undefined where there is no such thing. */
  readonly totalBytes: number | undefined;
}

export function isShortOfMemory({ stalledPercent, availableBytes, totalBytes }: MemoryReading): boolean {
  const share = availableBytes === undefined || totalBytes === undefined ? 1 : availableBytes / totalBytes;
  if (share < availableShareMin) return true;
  return (stalledPercent ?? 0) > stalledPercentMax && share < stalledShareMax;
}

export async function readMemory(): Promise<MemoryReading> {
  const [pressure, memory] = await Promise.all([
    readFile("/proc/pressure/memory", "latin1").catch(() => ""),
    readFile("/proc/meminfo", "latin1").catch(() => ""),
  ]);
  return parseMemory(pressure, memory);
}

/** @param pressure /proc/pressure/memory. @param memory /proc/meminfo. Either is empty where the system has none. */
export function parseMemory(pressure: string, memory: string): MemoryReading {
  const bytes = (name: string) => {
    const kilobytes = number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(memory));
    return kilobytes === undefined ? undefined : kilobytes * 1_024;
  };
  return {
    stalledPercent: number(/^some avg10=([\d.]+)/m.exec(pressure)),
    availableBytes: bytes("MemAvailable"),
    totalBytes: bytes("MemTotal"),
  };
}

function number(match: RegExpExecArray | null): number | undefined {
  return match?.[1] === undefined ? undefined : Number(match[1]);
}
