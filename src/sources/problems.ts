/** What LastProcessingResult says of invocations that did not succeed. */
import type { InvokeOutcome } from "./source.ts";

export function problemOfInvocation(outcome: InvokeOutcome): string {
  if (outcome.kind === "throttled") return "PROBLEM: Function call was throttled";
  if (outcome.kind === "failed") return `PROBLEM: ${outcome.code}: ${outcome.message}`;
  return "PROBLEM: Function call failed";
}
