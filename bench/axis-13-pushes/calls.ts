/** The calls of publishers and receivers, as the protocols of the services have them. */
import type { Call } from "../load/signed-request.ts";
import { SOURCE } from "./servers.ts";
import type { PushServer } from "./servers.ts";

/** Events of one PutEvents: the most there may be. */
export const EVENTS = 10;
/** Length of a message, and of the text in an event's detail. */
const TEXT_CHARS = 100;

export type TextCall = Omit<Call, "body"> & { readonly body: string };

export function publish(
  { topicArn }: Pick<PushServer, "topicArn">,
  Message = "x".repeat(TEXT_CHARS),
): TextCall {
  const form = new URLSearchParams({ Action: "Publish", Version: "2010-03-31", TopicArn: topicArn, Message });
  return {
    service: "sns",
    method: "POST",
    path: "/",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: form.toString(),
  };
}

/** Events that one rule of the bus matches. */
export function putEvents(bus: string, count = EVENTS, text = "x".repeat(TEXT_CHARS)): TextCall {
  const Detail = JSON.stringify({ kind: "kind-0", text });
  const entry = { Source: SOURCE, DetailType: "pushed", EventBusName: bus, Detail };
  const Entries = Array.from({ length: count }, () => entry);
  return json("events", "1.1", "AWSEvents.PutEvents", { Entries });
}

/** Waits for a message. */
export function receive({ queueUrl: QueueUrl }: PushServer): TextCall {
  return json("sqs", "1.0", "AmazonSQS.ReceiveMessage", {
    QueueUrl,
    MaxNumberOfMessages: 10,
    WaitTimeSeconds: 5,
  });
}

export function deleteMessage({ queueUrl: QueueUrl }: PushServer, ReceiptHandle: string): TextCall {
  return json("sqs", "1.0", "AmazonSQS.DeleteMessage", { QueueUrl, ReceiptHandle });
}

function json(service: string, version: string, target: string, input: object): TextCall {
  const headers = { "content-type": `application/x-amz-json-${version}`, "x-amz-target": target };
  return { service, method: "POST", path: "/", headers, body: JSON.stringify(input) };
}
