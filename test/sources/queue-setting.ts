/** What tests of event source mappings begin with: a server, functions that note what they get in a folder, queues, mappings. */
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { AttachRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateEventSourceMappingCommand, GetEventSourceMappingCommand } from "@aws-sdk/client-lambda";
import type {
  CreateEventSourceMappingCommandInput,
  CreateFunctionCommandInput,
  GetEventSourceMappingCommandOutput,
} from "@aws-sdk/client-lambda";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SQSClient,
  SendMessageBatchCommand,
} from "@aws-sdk/client-sqs";
import type { SendMessageBatchRequestEntry } from "@aws-sdk/client-sqs";
import { makeRole, settle } from "../conformance/lambda-setting.ts";
import type { Setting } from "../conformance/lambda-setting.ts";
import { startServer } from "../harness/server.ts";

/** Longest wait for anything. */
const WAIT_MS_MAX = 30_000;

export interface Queue {
  readonly url: string;
  readonly arn: string;
}

export interface SourcesSetting extends Setting {
  readonly sqs: SQSClient;
  /** A role that may read queues, by AWS's managed policy. */
  readonly readerRole: string;
  /** A queue whose messages come again after a second. */
  queue(name: string, attributes?: Record<string, string>): Promise<Queue>;
  /** Sends bodies, ten at a time. */
  send(
    queue: Queue,
    bodies: readonly string[],
    more?: (body: string, at: number) => Partial<SendMessageBatchRequestEntry>,
  ): Promise<void>;
  /** A function; its code has `event`, `context` and `note(value)`. Its timeout is a second. Answers its name. */
  consumer(code: string, more?: Partial<CreateFunctionCommandInput>): Promise<string>;
  /** The text of such a function's module. */
  source(code: string): string;
  /** What a function has noted so far. */
  notes<T>(name: string): Promise<T[]>;
  /** The same once there is enough of it. */
  noted<T>(name: string, enough: number | ((notes: readonly T[]) => boolean)): Promise<T[]>;
  /** Creates a mapping and waits until it is enabled. Answers its UUID. */
  map(
    FunctionName: string,
    queue: Queue,
    more?: Partial<CreateEventSourceMappingCommandInput>,
  ): Promise<string>;
  mapping(UUID: string): Promise<GetEventSourceMappingCommandOutput>;
  /** Messages that are there, and in flight. */
  counts(queue: Queue): Promise<{ visible: number; inFlight: number }>;
  /** Removes the notes, of a server that has been stopped. */
  tidy(): Promise<void>;
  stop(): Promise<void>;
}

export async function startSources(config: Parameters<typeof startServer>[0] = {}): Promise<SourcesSetting> {
  const server = await startServer({ sandbox: "process", logLevel: "error", ...config });
  const setting = { server, ...(await settle(server.endpoint)) };
  const folder = await mkdtemp(join(tmpdir(), "lambent-notes-"));
  await chmod(folder, 0o777);
  const sqs = new SQSClient(server.client());
  const readerRole = await makeReader(setting, "reader");
  const mapping = (UUID: string) => setting.lambda.send(new GetEventSourceMappingCommand({ UUID }));
  const notes = async <T>(name: string): Promise<T[]> => {
    const text = await readFile(join(folder, name), "utf8").catch(() => "");
    return text
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as T);
  };
  const tidy = () => rm(folder, { recursive: true, force: true });
  return {
    ...setting,
    ...queues(sqs),
    sqs,
    readerRole,
    mapping,
    notes,
    source: (code) => consumerSource(folder, code),
    consumer: (code, more = {}) =>
      setting.create(consumerSource(folder, code), { Role: readerRole, Timeout: 1, ...more }),
    async noted<T>(name: string, enough: number | ((notes: readonly T[]) => boolean)) {
      let found: T[] = [];
      const isEnough = typeof enough === "number" ? () => found.length >= enough : () => enough(found);
      await until(
        async () => {
          found = await notes<T>(name);
          return isEnough();
        },
        () => `${name} noted ${JSON.stringify(found).slice(0, 2_000)}`,
      );
      return found;
    },
    async map(FunctionName, queue, more = {}) {
      const { UUID = "" } = await setting.lambda.send(
        new CreateEventSourceMappingCommand({ FunctionName, EventSourceArn: queue.arn, ...more }),
      );
      await until(async () => (await mapping(UUID)).State === "Enabled");
      return UUID;
    },
    tidy,
    async stop() {
      await server.stop();
      await tidy();
    },
  };
}

/** A role with AWS's managed policy for functions that queues call. */
export async function makeReader(setting: Pick<Setting, "iam">, RoleName: string): Promise<string> {
  const role = await makeRole(setting.iam, RoleName, undefined, false);
  const PolicyArn = "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole";
  await setting.iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }));
  return role;
}

/** A function's notes survive it and its server: they are lines of a file. It runs on a plain process, which may write there. */
function consumerSource(folder: string, code: string): string {
  return `import { appendFileSync } from "node:fs";
export const handler = async (event, context) => {
  const note = (value) => appendFileSync(${JSON.stringify(`${folder}/`)} + context.functionName, JSON.stringify(value) + "\\n");
  ${code}
};`;
}

/** @param sqs Of any server. */
export function queues(sqs: SQSClient): Pick<SourcesSetting, "queue" | "send" | "counts"> {
  return {
    async queue(QueueName, attributes = {}) {
      const Attributes = {
        VisibilityTimeout: "1",
        ...(QueueName.endsWith(".fifo") && { FifoQueue: "true", ContentBasedDeduplication: "true" }),
        ...attributes,
      };
      const { QueueUrl: url = "" } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
      const got = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["QueueArn"] }),
      );
      return { url, arn: got.Attributes?.["QueueArn"] ?? "" };
    },
    async send({ url }, bodies, more) {
      for (let from = 0; from < bodies.length; from += 10) {
        const Entries = bodies.slice(from, from + 10).map((MessageBody, at) => ({
          Id: String(at),
          MessageBody,
          ...more?.(MessageBody, from + at),
        }));
        const { Failed } = await sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
        assert.deepEqual(Failed ?? [], []);
      }
    },
    async counts({ url }) {
      const { Attributes } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["All"] }),
      );
      return {
        visible: Number(Attributes?.["ApproximateNumberOfMessages"]),
        inFlight: Number(Attributes?.["ApproximateNumberOfMessagesNotVisible"]),
      };
    },
  };
}

/** Asks until it is so. */
export async function until(
  isSo: () => Promise<boolean>,
  otherwise: () => string = () => "it did not come to be",
): Promise<void> {
  for (const end = Date.now() + WAIT_MS_MAX; !(await isSo()); await sleep(20))
    if (Date.now() > end) assert.fail(otherwise());
}
