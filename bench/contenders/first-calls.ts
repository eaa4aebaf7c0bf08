/** First calls: of functions that were deployed and never run, one after the other. */
import { setTimeout as sleep } from "node:timers/promises";
import { Connection } from "../load/http-client.ts";
import { invokeOnce } from "../load/once.ts";
import type { BenchOptions } from "../options.ts";
import type { Turn } from "../rounds.ts";
import { median } from "../statistics.ts";
import type { Language } from "./handlers.ts";
import type { LambentServer } from "./lambent.ts";
import { settled } from "./settled.ts";

/** How many first calls a turn makes, and how long it waits before each. */
export interface Pace {
  readonly calls: number;
  readonly pauseMs: number;
  readonly quick: boolean;
}

/** 30 functions over five rounds. */
const PACE: Pace = { calls: 6, pauseMs: 400, quick: false };
const QUICK_PACE: Pace = { calls: 1, pauseMs: 10, quick: true };
const WARM_CALLS = 200;
const SETTLE_MS_MAX = 15_000;

export function paceOf({ quick }: BenchOptions): Pace {
  return quick ? QUICK_PACE : PACE;
}

/** A turn makes several calls and answers the middle one. */
export function turn(name: string, { calls, pauseMs }: Pace, call: () => Promise<number>): Turn {
  return {
    name,
    async measure() {
      const times: number[] = [];
      for (let count = 0; count < calls; count += 1) {
        await sleep(pauseMs);
        times.push(await call());
      }
      return { ms: median(times) };
    },
  };
}

/** First calls of functions that are deployed ahead, a round's worth at a time. */
export function firstCalls(lambent: LambentServer, language: Language, pace: Pace): () => Promise<number> {
  const names: string[] = [];
  return async () => {
    if (names.length === 0) {
      names.push(...(await lambent.deployFresh(language, pace.calls)));
      await settled(lambent, SETTLE_MS_MAX, pace);
    }
    // What is refilled after a cold start is part neither of the next one nor of another's turn.
    const took = await invokeOnce(lambent.targetOf(names.pop() as string));
    await settled(lambent, SETTLE_MS_MAX, pace);
    return took;
  };
}

/** What handles every request has run before; the function has not. */
export async function warmFrontDoor(lambent: LambentServer, options: BenchOptions): Promise<void> {
  const connection = await Connection.open(lambent.target.port);
  for (let count = 0; count < WARM_CALLS; count += 1) await invokeOnce(lambent.target, connection);
  connection.close();
  await settled(lambent, SETTLE_MS_MAX, options);
}
