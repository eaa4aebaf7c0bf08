/** Keeps a superseded version whole until the last invocation that chose it has ended. */
import type { Invoker } from "../../invoke/index.ts";

interface Uses {
  count: number;
  waiters: (() => void)[];
}

/**
 * The invoker, whose `retire` also waits for invocations that are on their way to an environment that does not exist
 * yet: a cold start under way while a version is superseded still needs its code, and leaves no environment behind.
 */
export function withInFlight(invoker: Invoker): Invoker {
  const inFlight = new Map<string, Uses>();

  const ended = (key: string, uses: Uses) => {
    uses.count--;
    if (uses.count > 0) return;
    inFlight.delete(key);
    for (const wake of uses.waiters) wake();
  };

  return {
    invoke(version, invocation) {
      let uses = inFlight.get(version.key);
      if (!uses) {
        uses = { count: 0, waiters: [] };
        inFlight.set(version.key, uses);
      }
      uses.count++;
      const counted = uses;
      const end = () => ended(version.key, counted);
      const outcome = invoker.invoke(version, invocation);
      outcome.then(end, end);
      return outcome;
    },
    async retire(key) {
      await invoker.retire(key);
      const uses = inFlight.get(key);
      if (!uses) return;
      await new Promise<void>((resolve) => uses.waiters.push(resolve));
      await invoker.retire(key);
    },
    prepare: (version) => invoker.prepare(version),
    provision: (version, count) => invoker.provision(version, count),
    snapshot: (version) => invoker.snapshot(version),
    keepSnapshots: (keys) => invoker.keepSnapshots(keys),
    provisioned: (key) => invoker.provisioned(key),
    reserve: (owner, reserved) => invoker.reserve(owner, reserved),
    stop: (graceMs) => invoker.stop(graceMs),
  };
}
