/** Where a subscription delivers to: which protocols and endpoints go together, and with which topics. */
import { notImplemented } from "../../../aws/errors.ts";
import { invalid } from "../errors.ts";
import type { Topic } from "../topics/topic.ts";
import type { Protocol } from "./subscription.ts";

const QUEUE_ARN = /^arn:aws[a-z-]*:sqs:[a-z0-9-]+:(\d{12}):[A-Za-z0-9_-]{1,80}(\.fifo)?$/;
const FUNCTION_ARN = /^arn:aws[a-z-]*:lambda:[a-z0-9-]+:(\d{12}):function:[A-Za-z0-9_-]+(:[A-Za-z0-9_$-]+)?$/;
const URL_CHARS_MAX = 2_048;

/** AWS's protocols that deliver to what this server does not have. */
const MISSING: Readonly<Record<string, string>> = {
  email: "there is no mail server to send by",
  "email-json": "there is no mail server to send by",
  sms: "there is no telephone network",
  application: "there are no mobile push services",
  firehose: "this server has no Amazon Data Firehose",
};

export interface Endpoint {
  readonly protocol: Protocol;
  readonly endpoint: string;
  /** The owner's, of what AWS runs. */
  readonly account?: string;
}

/** @throws AwsError InvalidParameter, NotImplemented */
export function checkEndpoint(topic: Topic, protocol: string, endpoint = ""): Endpoint {
  const missing = Object.hasOwn(MISSING, protocol) ? MISSING[protocol] : undefined;
  if (missing !== undefined) throw notImplemented(`subscriptions of the protocol ${protocol}: ${missing}`);
  switch (protocol) {
    case "sqs": {
      const [, account, fifo] = QUEUE_ARN.exec(endpoint) ?? [];
      if (account === undefined) throw invalid("SQS endpoint ARN");
      if (fifo !== undefined && !topic.isFifo)
        throw invalid(
          "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics",
        );
      return { protocol, endpoint, account };
    }
    case "lambda": {
      const [, account] = FUNCTION_ARN.exec(endpoint) ?? [];
      if (account === undefined) throw invalid("Lambda endpoint ARN");
      requireStandard(topic, protocol);
      return { protocol, endpoint, account };
    }
    case "http":
    case "https":
      if (!isUrl(endpoint, protocol)) throw invalid("Endpoint must match the specified protocol");
      requireStandard(topic, protocol);
      return { protocol, endpoint };
    default:
      throw invalid(`Amazon SNS does not support this protocol string: ${protocol}`);
  }
}

/** FIFO topics deliver to queues alone. https://docs.aws.amazon.com/sns/latest/dg/fifo-message-delivery.html */
function requireStandard({ isFifo }: Topic, protocol: string): void {
  if (isFifo) throw invalid(`Protocol Reason: FIFO topics deliver to queues only, and not to ${protocol}`);
}

function isUrl(endpoint: string, protocol: string): boolean {
  if (!endpoint.startsWith(`${protocol}://`) || endpoint.length > URL_CHARS_MAX) return false;
  return URL.canParse(endpoint);
}
