/** What a log group gets for an event: the event, of its own time; or the time and the message that a transformer makes. */
import { isJsonObject, parseJson } from "../../../aws/event-pattern/index.ts";
import type { Target } from "../rules/target.ts";
import type { MatchedEvent } from "./input.ts";

interface LogEvent {
  /** Epoch milliseconds. */
  readonly timestamp: number;
  readonly message: string;
}

/**
 * @param input What the target's input makes of the event. Undefined for what is not `{"timestamp": ..., "message": ...}`.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html#targets-specifics-cwl
 */
export function logEventOf(
  { InputTransformer }: Pick<Target, "InputTransformer">,
  { event, text }: Pick<MatchedEvent, "event" | "text">,
  input: string,
): LogEvent | undefined {
  if (!InputTransformer) return { timestamp: Date.parse(String(event["time"])), message: text };
  const made = readObject(input);
  if (!made) return undefined;
  const { timestamp, message } = made;
  const at = typeof timestamp === "string" ? timeOf(timestamp) : Number(JSON.stringify(timestamp ?? ""));
  if (!Number.isFinite(at) || message === undefined) return undefined;
  return {
    timestamp: Math.trunc(at),
    message: typeof message === "string" ? message : JSON.stringify(message),
  };
}

function readObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = parseJson(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Of ISO 8601, or milliseconds since the Unix epoch. */
function timeOf(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : Date.parse(text);
}
