/** What tests of stream mappings begin with: a server, streams, and functions that write down what they are called with. */
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  KinesisClient,
  PutRecordsCommand,
  waitUntilStreamExists,
} from "@aws-sdk/client-kinesis";
import type { PutRecordsRequestEntry } from "@aws-sdk/client-kinesis";
import {
  CreateEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  LambdaClient,
  UpdateEventSourceMappingCommand,
} from "@aws-sdk/client-lambda";
import type {
  CreateEventSourceMappingCommandInput,
  CreateEventSourceMappingCommandOutput,
  CreateFunctionCommandInput,
} from "@aws-sdk/client-lambda";
import type { StartInput } from "../../src/index.ts";
import { clientOptions, startServer } from "../harness/server.ts";
import { settle } from "../conformance/lambda-setting.ts";
import type { Setting } from "../conformance/lambda-setting.ts";

/** One run of a function: its event, and when it began and ended in milliseconds. */
export interface Run {
  readonly event: StreamEvent;
  readonly began: number;
  readonly ended: number;
  readonly error?: string;
}

export interface StreamEvent {
  readonly Records: readonly StreamEventRecord[];
  readonly window?: { readonly start: string; readonly end: string };
  readonly state?: unknown;
  readonly shardId?: string;
  readonly eventSourceARN?: string;
  readonly isFinalInvokeForWindow?: boolean;
  readonly isWindowTerminatedEarly?: boolean;
}

export interface StreamEventRecord {
  readonly [member: string]: unknown;
  readonly eventID: string;
  readonly kinesis: {
    readonly partitionKey: string;
    readonly sequenceNumber: string;
    readonly data: string;
    readonly approximateArrivalTimestamp: number;
  };
  readonly dynamodb: {
    readonly SequenceNumber: string;
    readonly Keys: Readonly<Record<string, { S?: string; N?: string }>>;
    readonly NewImage?: Readonly<Record<string, { S?: string; N?: string }>>;
    readonly OldImage?: Readonly<Record<string, { S?: string; N?: string }>>;
  };
}

/** A function that writes its runs to a file. */
export interface Recorder {
  readonly name: string;
  runs(): Promise<Run[]>;
}

export interface StreamSetting extends Setting {
  readonly kinesis: KinesisClient;
  /** @param body Of the handler: `event`, `texts` (the records' data) and `n` (runs before) are there; what it returns is the answer. */
  record(body?: string, more?: Partial<CreateFunctionCommandInput>, file?: string): Promise<Recorder>;
  /** The source of such a function, which writes its runs to a file. */
  source(file: string, body: string): string;
  /** Makes a stream and answers its ARN. */
  stream(shards?: number): Promise<string>;
  /** Puts records of a key, in order. */
  put(
    streamArn: string,
    texts: readonly (string | Uint8Array)[],
    key?: (place: number) => string,
  ): Promise<void>;
  map(
    recorder: Recorder,
    EventSourceArn: string,
    more?: Partial<CreateEventSourceMappingCommandInput>,
  ): Promise<CreateEventSourceMappingCommandOutput>;
  /** Enables or disables a mapping, and waits until that is so. */
  enable(uuid: string | undefined, isEnabled: boolean): Promise<void>;
  /** Waits for a mapping's state. */
  inState(uuid: string | undefined, state: string): Promise<void>;
  stop(): Promise<void>;
}

const DEADLINE_MS = 20_000;
let names = 0;

/** @param more A server that shares its database with another one uses the role that is there. */
export async function startStreams(
  config: StartInput = {},
  more: { readonly joins?: StreamSetting } = {},
): Promise<StreamSetting> {
  const folder = await mkdtemp(join(tmpdir(), "lambent-streams-"));
  await chmod(folder, 0o777);
  // A plain process may write to the tests' folder.
  const server = await startServer({ sandbox: "process", logLevel: "error", ...config });
  const setting = await settleStreams(server.endpoint, folder, more.joins);
  return {
    ...setting,
    server,
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** On a server that runs already. @param folder Where functions write. */
export async function settleStreams(
  endpoint: string,
  folder: string,
  joined?: StreamSetting,
): Promise<Omit<StreamSetting, "server" | "stop">> {
  const setting = joined
    ? { ...joined, lambda: new LambdaClient(clientOptions(endpoint)) }
    : await settle(endpoint);
  const { lambda, iam } = setting;
  const kinesis = new KinesisClient(clientOptions(endpoint));
  const actions = ["kinesis:*", "dynamodb:*", "sqs:*", "sns:*", "s3:*"];
  await iam.send(
    new PutRolePolicyCommand({
      RoleName: "execution",
      PolicyName: "streams",
      PolicyDocument: JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: actions, Resource: "*" }],
      }),
    }),
  );
  return {
    ...setting,
    kinesis,
    source: sourceOf,
    async record(body = "", more = {}, file = join(folder, `runs-${++names}`)) {
      const name = await setting.create(sourceOf(file, body), more);
      return { name, runs: () => runsIn(file) };
    },
    async stream(ShardCount = 1) {
      const StreamName = `stream-${++names}`;
      await kinesis.send(new CreateStreamCommand({ StreamName, ShardCount }));
      await waitUntilStreamExists(
        { client: kinesis, maxWaitTime: 30, minDelay: 0.05, maxDelay: 0.2 },
        { StreamName },
      );
      const { StreamDescriptionSummary } = await kinesis.send(
        new DescribeStreamSummaryCommand({ StreamName }),
      );
      return StreamDescriptionSummary?.StreamARN ?? "";
    },
    async put(StreamARN, texts, key = () => "key") {
      for (let at = 0; at < texts.length; at += 500) {
        const part = texts.slice(at, at + 500);
        const Records: PutRecordsRequestEntry[] = part.map((text, place) => ({
          Data: typeof text === "string" ? Buffer.from(text) : text,
          PartitionKey: key(at + place),
        }));
        const answer = await kinesis.send(new PutRecordsCommand({ StreamARN, Records }));
        assert.equal(answer.FailedRecordCount, 0);
      }
    },
    async map(recorder, EventSourceArn, more = {}) {
      const mapping = await lambda.send(
        new CreateEventSourceMappingCommand({
          FunctionName: recorder.name,
          EventSourceArn,
          StartingPosition: "TRIM_HORIZON",
          ...more,
        }),
      );
      if (more.Enabled !== false) await inState(mapping.UUID, "Enabled");
      return mapping;
    },
    async enable(UUID, Enabled) {
      await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled }));
      await inState(UUID, Enabled ? "Enabled" : "Disabled");
    },
    inState,
  };

  async function inState(UUID: string | undefined, state: string): Promise<void> {
    await until(`the mapping is ${state}`, async () => {
      const { State } = await lambda.send(new GetEventSourceMappingCommand({ UUID }));
      return State === state;
    });
  }
}

/** Each run appends one line once it has ended; appending of a line is one write. */
function sourceOf(file: string, body: string): string {
  return `import { appendFileSync, existsSync, readFileSync } from "node:fs";
const FILE = ${JSON.stringify(file)};
const count = () => (existsSync(FILE) ? readFileSync(FILE, "utf8").split("\\n").length - 1 : 0);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
async function work(event, n) {
  const texts = event.Records.map((one) => one.kinesis && Buffer.from(one.kinesis.data, "base64").toString());
  ${body}
}
export const handler = async (event) => {
  const began = Date.now();
  const write = (more) => appendFileSync(FILE, JSON.stringify({ event, began, ended: Date.now(), ...more }) + "\\n");
  try {
    const answer = await work(event, count());
    write({});
    return answer;
  } catch (error) {
    write({ error: error.message });
    throw error;
  }
};`;
}

async function runsIn(file: string): Promise<Run[]> {
  const text = await readFile(file, "utf8").catch(() => "");
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Run);
}

/** The data of a Kinesis event's records as text. */
export function textsOf({ event }: Run): string[] {
  return event.Records.map(({ kinesis }) => Buffer.from(kinesis.data, "base64").toString());
}

/** All data that a function has got without failing, in order. */
export async function taken(recorder: Recorder): Promise<string[]> {
  return (await recorder.runs()).filter(({ error }) => error === undefined).flatMap(textsOf);
}

export async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const end = Date.now() + DEADLINE_MS;
  while (!(await holds())) {
    assert.ok(Date.now() < end, `${what}: not within ${DEADLINE_MS} ms`);
    await sleep(20);
  }
}

/** Waits until a function has run so often. */
export async function ran(recorder: Recorder, times: number): Promise<Run[]> {
  let runs: Run[] = [];
  await until(`${recorder.name} ran ${times} times`, async () => {
    runs = await recorder.runs();
    return runs.length >= times;
  });
  return runs;
}

export const numbered = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, at) => String(from + at));
