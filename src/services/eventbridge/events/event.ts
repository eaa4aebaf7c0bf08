/** Events as they are matched and handed over: the envelope around what was put. */
import { isJsonObject, parseJson } from "../../../aws/event-pattern/index.ts";
import { eventTime } from "../input/input.ts";
import type { Place } from "../names.ts";

export interface NewEvent extends Place {
  readonly id: string;
  readonly source: string;
  readonly detailType: string;
  /** As `parseJson` reads it: an object. */
  readonly detail: unknown;
  readonly resources: readonly string[];
  /** Epoch milliseconds. */
  readonly time: number;
}

/** An event on a bus. */
export interface BusEvent {
  /** As `parseJson` reads it. */
  readonly event: Readonly<Record<string, unknown>>;
  /** The same as JSON. */
  readonly text: string;
  /** When it came, in epoch milliseconds. */
  readonly receivedAt: number;
  /** X-Amzn-Trace-Id */
  readonly traceHeader?: string | undefined;
  /** It came from another bus, and goes to no third one. */
  readonly isForwarded?: boolean;
  /** It is replayed from an archive: to these rules, or to all where none are named. */
  readonly replay?: { readonly ruleArns: readonly string[] };
}

/** AWS's envelope, in its order of members. https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html */
export function envelope(event: NewEvent): Pick<BusEvent, "event" | "text"> {
  const { id, source, detailType, account, region, detail } = event;
  const whole = {
    version: "0",
    id,
    "detail-type": detailType,
    source,
    account,
    time: eventTime(event.time),
    region,
    resources: event.resources,
    detail,
  };
  return { event: whole, text: JSON.stringify(whole) };
}

/** Undefined for what is no JSON object. */
export function readDetail(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const detail = parseJson(text);
    return isJsonObject(detail) ? detail : undefined;
  } catch {
    return undefined;
  }
}
