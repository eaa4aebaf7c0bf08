/** The X-Ray trace header of an invocation that came without one: a new, unsampled trace. */
import type { Clock } from "../../kit/clock.ts";
import type { Ids } from "../../kit/id.ts";

/** `Root=1-<8 hex of the time>-<24 hex>;Parent=<16 hex>;Sampled=0` */
export function newTraceHeader(clock: Clock, ids: Ids): string {
  const seconds = Math.floor(clock.now() / 1_000)
    .toString(16)
    .padStart(8, "0");
  const random = ids.hex(40);
  return `Root=1-${seconds}-${random.slice(0, 24)};Parent=${random.slice(24)};Sampled=0`;
}
