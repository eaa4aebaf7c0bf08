/** Checks the attributes that CreateTopic and SetTopicAttributes are given. */
import { notImplemented } from "../../../aws/errors.ts";
import { invalid } from "../errors.ts";
import { DISPLAY_NAME_CHARS_MAX, MESSAGE_BYTES_MAX, MESSAGE_BYTES_MIN_MAX } from "../limits.ts";
import type { ResourcePolicies } from "../ports.ts";
import { checkTopicDelivery } from "../subscriptions/delivery-policy.ts";
import { checkPolicy } from "./policy-document.ts";

interface Checking {
  readonly isFifo: boolean;
  readonly policies: ResourcePolicies;
  /** What SNS says of an attribute: its name, and the reason. */
  readonly refuse: (name: string, reason: string) => Error;
}

const FEEDBACK = /^(Application|HTTP|Lambda|SQS|Firehose)(Success|Failure)Feedback(RoleArn|SampleRate)$/;

/** The attribute as it is kept; "" takes it away. @throws AwsError InvalidParameter, NotImplemented */
export function checkTopicAttribute(name: string, value: string, checking: Checking): string {
  const { policies, refuse } = checking;
  switch (name) {
    case "Policy":
      if (value !== "") checkPolicy(value, policies, refuse);
      return value;
    case "DisplayName":
      if (value.length > DISPLAY_NAME_CHARS_MAX)
        throw refuse(name, `it has more than ${DISPLAY_NAME_CHARS_MAX} characters`);
      return value;
    case "DeliveryPolicy":
      return value === "" ? "" : checkTopicDelivery(value, (reason) => refuse(name, reason));
    case "SignatureVersion":
      if (value !== "1" && value !== "2") throw refuse(name, "it must be 1 or 2");
      return value;
    case "MaximumMessageSize":
      return messageBytes(name, value, refuse);
    case "ContentBasedDeduplication":
      return fifoValue(name, value, ["true", "false"], checking);
    case "FifoThroughputScope":
      return fifoValue(name, value, ["Topic", "MessageGroup"], checking);
    case "TracingConfig":
      if (value !== "PassThrough" && value !== "Active")
        throw refuse(name, "it must be PassThrough or Active");
      if (value === "Active")
        throw notImplemented("TracingConfig=Active of a topic: SNS makes no segments of its own");
      return value;
    case "KmsMasterKeyId":
      if (value === "") return value;
      throw notImplemented(
        "KmsMasterKeyId of a topic: this server has no AWS KMS, and what waits lies in the data directory (or PostgreSQL) unencrypted",
      );
    case "ArchivePolicy":
      if (value === "" || value === "{}") return "";
      throw notImplemented("ArchivePolicy of a topic: messages are not archived, nor replayed");
    case "DataProtectionPolicy":
      throw notImplemented("DataProtectionPolicy of a topic");
    default:
      if (FEEDBACK.test(name)) return noFeedback(name, value);
      throw invalid("AttributeName");
  }
}

/** Terraform sets every sample rate to 0, which says that nothing is logged: as here. @throws AwsError NotImplemented */
function noFeedback(name: string, value: string): string {
  if (value === "" || (value === "0" && name.endsWith("SampleRate"))) return value;
  throw notImplemented(`${name}: delivery status logging of topics`);
}

function messageBytes(name: string, value: string, refuse: Checking["refuse"]): string {
  const bytes = /^\d{1,9}$/.test(value) ? Number(value) : 0;
  if (bytes < MESSAGE_BYTES_MIN_MAX || bytes > MESSAGE_BYTES_MAX)
    throw refuse(name, `it must be from ${MESSAGE_BYTES_MIN_MAX} to ${MESSAGE_BYTES_MAX} bytes`);
  return String(bytes);
}

function fifoValue(
  name: string,
  value: string,
  values: readonly string[],
  { isFifo, refuse }: Checking,
): string {
  if (!isFifo) throw refuse(name, "only FIFO topics have it");
  if (!values.includes(value)) throw refuse(name, `it must be ${values.join(" or ")}`);
  return value;
}
