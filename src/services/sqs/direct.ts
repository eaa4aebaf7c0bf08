/**
 * The direct way of what is done most: sending, receiving and deleting plain messages, by root, in queues that are known and have no policy.
 * Whatever is refused, or not plain, goes the general way.
 */
import { AwsError } from "../../aws/errors.ts";
import type { DirectAnswer, DirectCall, DirectService } from "../../aws/service.ts";
import type { WireResponse } from "../../aws/index.ts";
import type { Sqs } from "./deps.ts";
import { readQueueUrl } from "./names.ts";
import { deleteMessages, deletionsAsked } from "./operations/delete-message.ts";
import { receiveMessages, wantedOf } from "./operations/receive-message.ts";
import { checkedBatch, sendChecked, sendCheckedBatch } from "./operations/send-message.ts";
import { checkMessage } from "./messages/check.ts";
import type { Queue } from "./queues/settings.ts";

type Json = Readonly<Record<string, unknown>>;
/** What an operation needs of a request that is plain; undefined where it is not. */
type Prepare = (input: Json, queue: Queue, call: DirectCall) => (() => Promise<object>) | undefined;

interface Place {
  readonly account: string;
  readonly region: string;
}

/** What SDKs send beside the headers that all requests have. */
const HEADERS: ReadonlySet<string> = new Set(["x-amzn-query-mode"]);
const CONTENT_TYPE = "application/x-amz-json-1.0";

const SEND: ReadonlySet<string> = new Set([
  "QueueUrl",
  "MessageBody",
  "DelaySeconds",
  "MessageGroupId",
  "MessageDeduplicationId",
]);
const BATCH: ReadonlySet<string> = new Set(["QueueUrl", "Entries"]);
const ENTRY: ReadonlySet<string> = new Set([...SEND, "Id"]);
const RECEIVE: ReadonlySet<string> = new Set([
  "QueueUrl",
  "MaxNumberOfMessages",
  "VisibilityTimeout",
  "WaitTimeSeconds",
]);
const DELETE: ReadonlySet<string> = new Set(["QueueUrl", "ReceiptHandle"]);
const DELETE_ENTRY: ReadonlySet<string> = new Set(["Id", "ReceiptHandle"]);
const NUMBERS: ReadonlySet<string> = new Set([
  "DelaySeconds",
  "MaxNumberOfMessages",
  "VisibilityTimeout",
  "WaitTimeSeconds",
]);

export function createDirect(sqs: Sqs): DirectService {
  const prepares: Readonly<Record<string, (sender: string) => Prepare>> = {
    SendMessage: (sender) => (input, queue) => {
      if (!isPlain(input, SEND)) return undefined;
      const { ids, sealer } = sqs;
      const message = checkMessage(input, { queue, sender, now: sqs.clock.now(), ids, sealer });
      return () => sendChecked(sqs, queue, message);
    },
    SendMessageBatch: (sender) => (input, queue) => {
      const entries = plainEntries(input, ENTRY);
      if (!entries) return undefined;
      const batch = checkedBatch(sqs, queue, entries, { sender });
      return () => sendCheckedBatch(sqs, queue, batch);
    },
    ReceiveMessage: () => (input, queue, call) => {
      if (!isPlain(input, RECEIVE)) return undefined;
      const wanted = wantedOf(input, queue);
      return () => receiveMessages(sqs, queue, wanted, call.caller);
    },
    DeleteMessage: () => (input, queue) => {
      if (!isPlain(input, DELETE) || queue.isFifo) return undefined;
      const asked = deletionsAsked(queue, [{ Id: "only", ...input }]);
      if (asked.Failed.length > 0) return undefined;
      return async () => {
        await deleteMessages(sqs, queue, asked);
        return {};
      };
    },
    DeleteMessageBatch: () => (input, queue) => {
      const entries = plainEntries(input, DELETE_ENTRY);
      if (!entries) return undefined;
      const asked = deletionsAsked(queue, entries);
      return () => deleteMessages(sqs, queue, asked);
    },
  };
  return {
    headers: HEADERS,
    find(operation, _labels, place) {
      const prepare = Object.hasOwn(prepares, operation) ? prepares[operation]?.(place.account) : undefined;
      return prepare && answerWith(sqs, prepare, place);
    },
  };
}

function answerWith({ queues }: Sqs, prepare: Prepare, { account, region }: Place): DirectAnswer {
  return (call) => {
    const input = objectIn(call.body);
    if (typeof input?.["QueueUrl"] !== "string") return undefined;
    const id = readQueueUrl(input["QueueUrl"], region);
    const queue = id?.account === account ? queues.known(id) : undefined;
    if (!queue || queue.policy !== undefined) return undefined;
    let run: ReturnType<Prepare>;
    try {
      run = prepare(input, queue, call);
    } catch (error) {
      // Nothing is done yet; the general way says what is wrong.
      if (error instanceof AwsError) return undefined;
      throw error;
    }
    return run?.().then((output) => written(call, output));
  };
}

function written({ requestId, responseHeaders }: DirectCall, output: object): WireResponse {
  responseHeaders["content-type"] = CONTENT_TYPE;
  responseHeaders["x-amzn-requestid"] = requestId;
  return { status: 200, headers: responseHeaders, body: JSON.stringify(output) };
}

function objectIn(body: Buffer): Json | undefined {
  try {
    const json: unknown = JSON.parse(body.toString());
    return typeof json === "object" && json !== null ? (json as Json) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether it has only members that are known, each of its type. */
function isPlain(input: Json, members: ReadonlySet<string>): boolean {
  for (const name in input)
    if (!members.has(name) || typeof input[name] !== (NUMBERS.has(name) ? "number" : "string")) return false;
  return true;
}

function plainEntries(input: Json, members: ReadonlySet<string>): Json[] | undefined {
  for (const name in input) if (!BATCH.has(name)) return undefined;
  const { Entries: entries } = input;
  if (!Array.isArray(entries)) return undefined;
  for (const entry of entries as unknown[])
    if (typeof entry !== "object" || entry === null || !isPlain(entry as Json, members)) return undefined;
  return entries as Json[];
}
