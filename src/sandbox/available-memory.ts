/** What the machine could still give to programs without swapping. */
import { readFile } from "node:fs/promises";
import { freemem } from "node:os";

/** In bytes; the kernel's own estimate where there is one. */
export async function availableMemoryBytes(): Promise<number> {
  const text = await readFile("/proc/meminfo", "utf8").catch(() => "");
  const kilobytes = /^MemAvailable:\s+(\d+) kB/m.exec(text)?.[1];
  return kilobytes === undefined ? freemem() : Number(kilobytes) * 1024;
}
