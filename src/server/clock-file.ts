/** How far a server's clock was moved with `--dev`, kept beside its data: time that has passed there does not come back. */
import { open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../config/index.ts";
import { systemClock } from "../kit/clock.ts";
import type { Clock } from "../kit/clock.ts";
import { MovableClock } from "../kit/movable-clock.ts";
import type { Log } from "../telemetry/log.ts";

/** The clock of a server: with `--dev` one that moves, as far ahead as it was left. */
export async function clockOf(config: Config, log: Log): Promise<Clock> {
  const aheadMs = await readAhead(config.dataDir);
  if (config.dev === "on") return new MovableClock(aheadMs);
  if (aheadMs > 0)
    log.warn(
      "The clock of this data directory was moved ahead with --dev. Without it time has gone back: what was written then lies in the future",
      { dataDir: config.dataDir, aheadMs },
    );
  return systemClock;
}

/** Durable when it resolves. */
export async function keepAhead(dataDir: string, aheadMs: number): Promise<void> {
  const file = fileOf(dataDir);
  const handle = await open(`${file}.new`, "w", 0o600);
  try {
    await handle.writeFile(`${JSON.stringify({ aheadMs })}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.new`, file);
  const folder = await open(dataDir, "r");
  await folder.sync().finally(() => folder.close());
}

async function readAhead(dataDir: string): Promise<number> {
  const file = fileOf(dataDir);
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return 0;
  const { aheadMs } = JSON.parse(text) as { aheadMs?: unknown };
  if (typeof aheadMs === "number" && aheadMs >= 0) return aheadMs;
  throw new Error(
    `${file} does not say how far the clock is ahead; remove it, and the clock is the machine's again`,
  );
}

function fileOf(dataDir: string): string {
  return join(dataDir, "clock.json");
}
