/** Waits until a server has nothing left to do in the background: environments that it boots ahead, events that still run. */
import { setTimeout as sleep } from "node:timers/promises";
import type { BenchOptions } from "../options.ts";
import type { ContenderServer } from "./server.ts";

const POLL_MS = 500;
/** A server that uses less CPU than this in a poll rests, in microseconds. */
const IDLE_US = 25_000;

/** Resolves when it rests, or after `msMax`; at once in a quick run, whose figures say nothing. */
export async function settled(
  server: Pick<ContenderServer, "usedUs">,
  msMax: number,
  { quick }: Pick<BenchOptions, "quick">,
): Promise<void> {
  if (quick) return;
  for (const end = Date.now() + msMax; Date.now() < end;) {
    const before = server.usedUs();
    await sleep(POLL_MS);
    if (server.usedUs() - before < IDLE_US) return;
  }
}
