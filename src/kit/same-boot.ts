/** Whether the machine has been restarted: what was not synced to disk may be torn then. */
import { readFile, writeFile } from "node:fs/promises";

/** Whether this was asked with the same file before, since the machine was started. Where that cannot be known it was not. */
export async function isSameBoot(file: string): Promise<boolean> {
  const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "unknown");
  if (boot !== "unknown" && (await readFile(file, "utf8").catch(() => "")) === boot) return true;
  await writeFile(file, boot);
  return false;
}
