/** TestEventPattern. */
import { isJsonObject, parseJson } from "../../../aws/event-pattern/index.ts";
import type { Input, Output } from "../../../aws/service.ts";
import type { Client, EventBridge } from "../deps.ts";
import { invalidParameter } from "../errors.ts";
import { checkPattern } from "./put-rule.ts";

/** What an event must have. https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html */
const MANDATORY = ["id", "account", "source", "time", "region", "detail-type"];

export function testEventPattern(
  _: EventBridge,
  { EventPattern = "", Event = "" }: Input<Client, "TestEventPattern">,
): Output<Client, "TestEventPattern"> {
  const matches = checkPattern(EventPattern);
  return { Result: matches(readEvent(Event)) };
}

function readEvent(text: string): unknown {
  let event: unknown;
  try {
    event = parseJson(text);
  } catch {
    throw invalidParameter("Event");
  }
  if (!isJsonObject(event) || MANDATORY.some((name) => typeof event[name] !== "string"))
    throw invalidParameter("Event");
  return event;
}
