/** Runs a scenario a number of times beside a well-behaved neighbour, and compares what the server holds before and after. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Holdings } from "./holdings.ts";
import type { Scenario } from "./scenario.ts";
import { WAITING_MAX } from "./stage.ts";
import type { OpenStage } from "./stage.ts";

/** Runs of one scenario at the same time. */
const CONCURRENCY = 3;
/** How long the server may take to give back what ended, in milliseconds. */
const SETTLE_MS_MAX = 60_000;
/** Sandboxes that may wait for functions at most: empty ones, and those with a booted runtime. */
const SANDBOXES_MAX = { prepared: 16, waiting: WAITING_MAX };
/** What comes and goes by this much with no leak; everything else that is counted stays as it is. */
const SPARE: Readonly<Record<string, number>> = {
  // Slots of the network that no sandbox has yet are refilled when half of the eight are gone; on gVisor each has two namespaces.
  namespaces: 8,
  interfaces: 4,
  // Shells that run the host's tools.
  children: 4,
  // A thread that the store starts when there is much to write.
  descriptors: 7,
};
/** Growth of the heap that is no leak: code that was compiled, caches that filled up. In bytes. */
const HEAP_GROWTH_MAX = 24 * 1024 * 1024;
/** The same of the resident memory, which the allocator gives back late. */
const RESIDENT_GROWTH_MAX = 160 * 1024 * 1024;

/** Deploys the functions of a scenario, runs it, and removes them; the neighbour is looked after each round. */
export async function runTimes(
  stage: OpenStage,
  name: string,
  scenario: Scenario,
  times: number,
  tell: (done: number) => void = () => {},
): Promise<void> {
  const width = scenario.alone ? 1 : CONCURRENCY;
  await stage.with(name, scenario, async (own) => {
    for (let done = 0; done < times; done += width) {
      const round = Array.from({ length: Math.min(width, times - done) }, () => scenario.run(own));
      const ended = await Promise.allSettled(round);
      await stage.isWell();
      for (const one of ended) if (one.status === "rejected") throw one.reason;
      tell(done + round.length);
    }
  });
}

/** What the server holds once the neighbour's environment is there and what is prepared ahead is prepared. */
export async function atRest(stage: OpenStage): Promise<Holdings> {
  await stage.isWell();
  const until = Date.now() + SETTLE_MS_MAX;
  let last = await stage.measure();
  for (;;) {
    await sleep(1_000);
    const now = await stage.measure();
    const still = isDeepStrictEqual([now.counts, now.sandboxes], [last.counts, last.sandboxes]);
    if (still || Date.now() > until) return now;
    last = now;
  }
}

/** Waits until no count is above what it was, and the memory not far. @throws AssertionError that names what grew. */
export async function assertNoGrowth(stage: OpenStage, before: Holdings): Promise<Holdings> {
  const until = Date.now() + SETTLE_MS_MAX;
  let now = await stage.measure();
  while (grown(before, now).length > 0 && Date.now() < until) {
    await sleep(200);
    now = await stage.measure();
  }
  assert.deepEqual(grown(before, now), []);
  return now;
}

/** What has become more. */
function grown(before: Holdings, now: Holdings): string[] {
  const more = Object.entries(now.counts)
    .filter(([name, count]) => count > (before.counts[name] ?? 0) + (SPARE[name] ?? 0))
    .map(
      ([name, count]) => `${name}: ${before.counts[name]} before, ${count} now${detail(name, before, now)}`,
    );
  const heap = now.memory.heap + now.memory.outside - before.memory.heap - before.memory.outside;
  if (heap > HEAP_GROWTH_MAX) more.push(`the heap grew by ${heap} bytes`);
  const resident = now.resident - before.resident;
  if (resident > RESIDENT_GROWTH_MAX) more.push(`the resident memory grew by ${resident} bytes`);
  const tooMany = (["prepared", "waiting"] as const)
    .filter((name) => now.sandboxes[name] > SANDBOXES_MAX[name])
    .map((name) => `${now.sandboxes[name]} sandboxes are ${name}`);
  return [...more, ...tooMany];
}

function detail(name: string, before: Holdings, now: Holdings): string {
  if (name !== "descriptors") return "";
  return ` (${now.descriptors.filter((one) => !before.descriptors.includes(one)).join(", ")})`;
}
