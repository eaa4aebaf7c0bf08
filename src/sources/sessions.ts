/** Sources that keep a connection: whatever breaks it is told, and it is made anew, ever less often while that does not help. */
import { sleep } from "../kit/clock.ts";
import type { SourceContext } from "./source.ts";

const RECONNECT_MS_MIN = 500;
const RECONNECT_MS_MAX = 30_000;

/**
 * Runs one session after the other until the mapping is stopped.
 * @param session From connecting to the end of it; told whether the one before ended with a problem. @throws what ended it.
 * @param lost Tells what ended one.
 */
export async function runSessions(
  { signal, clock }: Pick<SourceContext, "signal" | "clock">,
  session: (hadProblem: boolean) => Promise<void>,
  lost: (error: unknown) => void,
): Promise<void> {
  for (let failures = 0; !signal.aborted;) {
    const beganAt = clock.now();
    try {
      await session(failures > 0);
    } catch (error) {
      if (signal.aborted) return;
      if (clock.now() - beganAt > RECONNECT_MS_MAX) failures = 0;
      lost(error);
      await sleep(clock, Math.min(RECONNECT_MS_MAX, RECONNECT_MS_MIN * 2 ** failures++), signal);
    }
  }
}
