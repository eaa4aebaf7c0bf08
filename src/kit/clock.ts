/** Time as a dependency, so that rules never read the machine's clock and tests can move it. */

export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Calls `action` once `ms` milliseconds have passed on this clock; answers what cancels it. */
  after(ms: number, action: () => void): () => void;
}

/** Longest timer of Node.js, in milliseconds; a longer wait is cut into such. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, action) {
    const timer = setTimeout(action, Math.min(ms, TIMER_MS_MAX));
    return () => clearTimeout(timer);
  },
};

/** Resolves once `ms` milliseconds have passed on the clock, or when the signal aborts. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      cancel();
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal?.addEventListener("abort", done, { once: true });
  });
}

/** Calls `action` every `ms` milliseconds of the clock; answers what ends it. */
export function every(clock: Clock, ms: number, action: () => void): () => void {
  const again = () =>
    clock.after(ms, () => {
      cancel = again();
      action();
    });
  let cancel = again();
  return () => cancel();
}
