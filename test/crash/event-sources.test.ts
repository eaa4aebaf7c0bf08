/**
 * Records through three event source mappings while the server is killed five times: each good record is handled, each bad one is in its
 * destination, the order of each key holds, and nothing is anywhere else. With 100,000 records: `npm run soak:records`.
 */
import assert from "node:assert/strict";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  KinesisClient,
  waitUntilStreamExists,
} from "@aws-sdk/client-kinesis";
import {
  CreateEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  LambdaClient,
} from "@aws-sdk/client-lambda";
import type { CreateEventSourceMappingCommandInput } from "@aws-sdk/client-lambda";
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { deployFunction, makeRole } from "../harness/functions.ts";
import { Life } from "../harness/life.ts";
import { clientOptions } from "../harness/server.ts";
import { KEYS, crashes, sendAll, senders, source, throws } from "./event-sources.ts";
import type { Sender } from "./event-sources.ts";

const ALL = Number(process.env["LAMBENT_TEST_RECORDS"] ?? 20_000);
const RECORDS = { kinesis: ALL * 0.45, dynamodb: ALL * 0.45, sqs: ALL * 0.1 } as const;
const KILLS = 5;
const SHARDS = 4;
/** Longest time without progress, in milliseconds. */
const STILL_MS_MAX = 60_000;
const FUNCTION = "consumer";
const BUCKET = "failed";

type Service = Sender["service"];
const SERVICES = ["kinesis", "dynamodb", "sqs"] as const;

test(`${ALL} records, three mappings, five kills: handled, or in their destination, in order, and nothing else anywhere`, async (context) => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-sources-"));
  const folder = await mkdtemp(join(tmpdir(), "lambent-handled-"));
  await chmod(folder, 0o777);
  const handled = new Handled(join(folder, "handled"));
  // A plain process may write to the test's folder.
  const flags = ["--port", "0", "--data-dir", dataDir, "--sandbox", "process", "--log-level", "error"];
  const life = new Life([...flags, "--shard-throughput", "0"]);
  const stop = new AbortController();
  try {
    const places = await prepare((await life.server).endpoint, handled.file);
    const sending = Promise.all(
      senders(RECORDS, places.queueUrl).map((sender) => sendAll(life, sender, stop.signal)),
    );
    await Promise.race([sending.then(() => new Promise(() => {})), killWhileHandled(life, handled)]);
    await sending;
    await waitForAll(life, handled, places);
    const { endpoint } = await life.server;
    const failed = await failedIn(endpoint, places.deadLettersUrl);
    for (const service of SERVICES) {
      const numbers = Array.from({ length: RECORDS[service] }, (_, n) => n);
      const bad = numbers.filter((n) => throws(n) || crashes(n));
      assert.deepEqual([...(failed.get(service) ?? [])].toSorted(ascending), bad, `failed of ${service}`);
      const first = handled.firstOf(service);
      assert.ok(!bad.some((n) => first.has(n)), `a bad record of ${service} was handled`);
      assert.equal(first.size, numbers.length - bad.length, `handled of ${service}`);
      assertOrder(first, service);
      context.diagnostic(`${service}: ${handled.linesOf(service) - first.size} handled again`);
    }
    await assertQueueIsEmpty(endpoint, places.queueUrl);
    await assertMappingsAreWell(endpoint, places.mappings);
  } finally {
    stop.abort();
    await (await life.server).kill();
    await Promise.all([dataDir, folder].map((each) => rm(each, { recursive: true, force: true })));
  }
});

interface Places {
  readonly queueUrl: string;
  readonly deadLettersUrl: string;
  readonly mappings: readonly string[];
}

/** The sources, the function, and a mapping for each source. */
async function prepare(endpoint: string, file: string): Promise<Places> {
  const options = clientOptions(endpoint);
  const RoleName = "test-function";
  await makeRole(options, RoleName);
  const Statement = [
    { Effect: "Allow", Action: ["kinesis:*", "dynamodb:*", "sqs:*", "s3:*"], Resource: "*" },
  ];
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
  await new IAMClient(options).send(
    new PutRolePolicyCommand({ RoleName, PolicyName: "sources", PolicyDocument }),
  );
  await new S3Client(options).send(new CreateBucketCommand({ Bucket: BUCKET }));
  const lambda = await deployFunction(options, FUNCTION, { "index.mjs": source(file) }, { Timeout: 3 });
  const sqs = sqsAt(endpoint);
  const deadLetters = await makeQueue(sqs, "dead.fifo", {});
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: deadLetters.arn, maxReceiveCount: 2 });
  const queue = await makeQueue(sqs, "source.fifo", { RedrivePolicy, VisibilityTimeout: "3" });
  const streams = [
    await makeStream(new KinesisClient(options)),
    await makeTable(new DynamoDBClient(options)),
  ];
  const ofStream = {
    StartingPosition: "TRIM_HORIZON",
    BatchSize: 500,
    ParallelizationFactor: 2,
    BisectBatchOnFunctionError: true,
    MaximumRetryAttempts: 0,
    DestinationConfig: { OnFailure: { Destination: `arn:aws:s3:::${BUCKET}` } },
  } as const;
  const mappings = await Promise.all([
    ...streams.map((arn) => map(lambda, { EventSourceArn: arn, ...ofStream })),
    // What fails takes its whole batch with it, and a batch of one is nothing else.
    map(lambda, { EventSourceArn: queue.arn, BatchSize: 1 }),
  ]);
  return { queueUrl: queue.url, deadLettersUrl: deadLetters.url, mappings };
}

async function makeQueue(sqs: SQSClient, QueueName: string, attributes: Record<string, string>) {
  const Attributes = { FifoQueue: "true", ...attributes };
  const { QueueUrl: url = "" } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
  const asked = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["QueueArn"] }),
  );
  return { url, arn: asked.Attributes?.["QueueArn"] ?? "" };
}

async function makeStream(client: KinesisClient): Promise<string> {
  const StreamName = "source";
  await client.send(new CreateStreamCommand({ StreamName, ShardCount: SHARDS }));
  await waitUntilStreamExists({ client, maxWaitTime: 30, minDelay: 0.05, maxDelay: 0.2 }, { StreamName });
  const { StreamDescriptionSummary } = await client.send(new DescribeStreamSummaryCommand({ StreamName }));
  return StreamDescriptionSummary?.StreamARN ?? "";
}

async function makeTable(dynamodb: DynamoDBClient): Promise<string> {
  const { TableDescription } = await dynamodb.send(
    new CreateTableCommand({
      TableName: "source",
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_IMAGE" },
    }),
  );
  return TableDescription?.LatestStreamArn ?? "";
}

async function map(lambda: LambdaClient, input: Omit<CreateEventSourceMappingCommandInput, "FunctionName">) {
  const { UUID = "" } = await lambda.send(
    new CreateEventSourceMappingCommand({ FunctionName: FUNCTION, ...input }),
  );
  return UUID;
}

/** What the function has written down so far. */
class Handled {
  readonly file: string;
  /** By service: the records in the order in which they were first handled. */
  readonly #first = new Map<string, Set<number>>();
  readonly #lines = new Map<string, number>();
  #read = 0;

  constructor(file: string) {
    this.file = file;
  }

  /** Reads on. Answers how many records were handled for the first time, all in all. */
  async count(): Promise<number> {
    const text = await readFile(this.file, "utf8").catch(() => "");
    const end = text.lastIndexOf("\n") + 1;
    for (const line of text.slice(this.#read, end).split("\n").slice(0, -1)) {
      const [service = "", ...numbers] = line.split(" ");
      const first = this.#first.get(service) ?? new Set();
      for (const number of numbers) first.add(Number(number));
      this.#first.set(service, first);
      this.#lines.set(service, this.linesOf(service as Service) + numbers.length);
    }
    this.#read = end;
    return [...this.#first.values()].reduce((sum, { size }) => sum + size, 0);
  }

  firstOf(service: Service): ReadonlySet<number> {
    return this.#first.get(service) ?? new Set();
  }

  /** Records handled, repeated ones counted again. */
  linesOf(service: Service): number {
    return this.#lines.get(service) ?? 0;
  }
}

const total = SERVICES.reduce((sum, service) => sum + RECORDS[service], 0);

/** Kills at the same progress in every run. */
async function killWhileHandled(life: Life, handled: Handled): Promise<void> {
  for (let kill = 1; kill <= KILLS; kill++) {
    await progress(handled, (count) => count >= (total * (kill - 0.4)) / (KILLS + 1));
    await life.kill();
  }
}

async function progress(handled: Handled, isEnough: (count: number) => boolean): Promise<void> {
  let [last, since] = [-1, Date.now()];
  for (;;) {
    const count = await handled.count();
    if (isEnough(count)) return;
    if (count !== last) [last, since] = [count, Date.now()];
    assert.ok(
      Date.now() - since < STILL_MS_MAX,
      `${count} of ${total} records were handled, and no more are`,
    );
    await sleep(100);
  }
}

const isBad = (n: number) => throws(n) || crashes(n);

/** Until all good records are handled, and all bad ones of the streams are in the bucket and those of the queue among the dead letters. */
async function waitForAll(life: Life, handled: Handled, { deadLettersUrl }: Places): Promise<void> {
  const bad = (service: Service) =>
    Array.from({ length: RECORDS[service] }, (_, n) => n).filter(isBad).length;
  const badOfAll = SERVICES.reduce((sum, service) => sum + bad(service), 0);
  await progress(handled, (count) => count >= total - badOfAll);
  const { endpoint } = await life.server;
  const options = clientOptions(endpoint);
  const until = Date.now() + STILL_MS_MAX;
  for (;;) {
    const { KeyCount = 0 } = await new S3Client(options).send(new ListObjectsV2Command({ Bucket: BUCKET }));
    const dead = await countOf(sqsAt(endpoint), deadLettersUrl);
    if (KeyCount >= bad("kinesis") + bad("dynamodb") && dead >= bad("sqs")) return;
    assert.ok(Date.now() < until, `${KeyCount} failed batches and ${dead} dead letters`);
    await sleep(200);
  }
}

/** The URLs of queues have the port of the server that made them. */
function sqsAt(endpoint: string): SQSClient {
  return new SQSClient({ ...clientOptions(endpoint), useQueueUrlAsEndpoint: false });
}

async function countOf(sqs: SQSClient, QueueUrl: string): Promise<number> {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }),
  );
  return (
    Number(Attributes["ApproximateNumberOfMessages"]) +
    Number(Attributes["ApproximateNumberOfMessagesNotVisible"]) +
    Number(Attributes["ApproximateNumberOfMessagesDelayed"])
  );
}

/** The records that destinations have, by the service that they came from. */
async function failedIn(endpoint: string, deadLettersUrl: string): Promise<Map<Service, Set<number>>> {
  const s3 = new S3Client(clientOptions(endpoint));
  const failed = new Map<Service, Set<number>>(SERVICES.map((service) => [service, new Set()]));
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET }));
  for (const { Key } of Contents) {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
    const record = JSON.parse((await Body?.transformToString()) ?? "") as FailureRecord;
    const { Records } = JSON.parse(record.payload) as { Records: readonly StreamRecord[] };
    assert.equal(Records.length, 1, "a bad record takes no other with it");
    for (const { kinesis, dynamodb } of Records)
      if (kinesis) failed.get("kinesis")?.add(Number(Buffer.from(kinesis.data, "base64")));
      else failed.get("dynamodb")?.add(Number(dynamodb?.NewImage.n.N));
  }
  const sqs = sqsAt(endpoint);
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: deadLettersUrl, MaxNumberOfMessages: 10 }),
    );
    if (Messages.length === 0) return failed;
    for (const { Body } of Messages) failed.get("sqs")?.add(Number(Body));
    const Entries = Messages.map(({ ReceiptHandle }, at) => ({ Id: String(at), ReceiptHandle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: deadLettersUrl, Entries }));
  }
}

interface FailureRecord {
  readonly payload: string;
}

interface StreamRecord {
  readonly kinesis?: { readonly data: string };
  readonly dynamodb?: { readonly NewImage: { readonly n: { readonly N: string } } };
}

/** The numbers of a key grow in the order in which they were first handled. */
function assertOrder(first: ReadonlySet<number>, service: Service): void {
  const last = new Map<number, number>();
  for (const n of first) {
    const before = last.get(n % KEYS) ?? -1;
    assert.ok(n > before, `${n} of ${service} was handled after ${before}`);
    last.set(n % KEYS, n);
  }
}

async function assertQueueIsEmpty(endpoint: string, queueUrl: string): Promise<void> {
  const sqs = sqsAt(endpoint);
  for (const until = Date.now() + STILL_MS_MAX; (await countOf(sqs, queueUrl)) > 0; await sleep(100))
    assert.ok(Date.now() < until, "messages stay in the queue");
}

async function assertMappingsAreWell(endpoint: string, mappings: readonly string[]): Promise<void> {
  const lambda = new LambdaClient(clientOptions(endpoint));
  for (const UUID of mappings) {
    const { State } = await lambda.send(new GetEventSourceMappingCommand({ UUID }));
    assert.equal(State, "Enabled");
  }
}

function ascending(a: number, b: number): number {
  return a - b;
}
