/** Queues as other services use them: messages in the transaction of who hands them over, and receivers without HTTP; on both engines. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { createIam } from "../../src/services/iam/index.ts";
import { createSqs } from "../../src/services/sqs/index.ts";
import type { SqsService } from "../../src/services/sqs/index.ts";
import type { RequestContext } from "../../src/aws/service.ts";
import type { Transaction } from "../../src/store/database.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { onEveryEngine } from "../store/engines.ts";
import type { TestStore } from "../store/engines.ts";

const ACCOUNT = "123456789012";
const ARN = `arn:aws:sqs:us-east-1:${ACCOUNT}`;
const BUCKET = { service: "s3.amazonaws.com", sourceArn: "arn:aws:s3:::bucket", sourceAccount: ACCOUNT };

interface Opened extends SqsService, AsyncDisposable {
  makeRole(RoleName: string): Promise<void>;
  denyRole(RoleName: string, Action: string): Promise<void>;
  /** What a metric of a queue was last told to be. */
  measured(queue: string, metric: string): Promise<number | undefined>;
}

async function open(state: TestStore): Promise<Opened> {
  const { store, options } = state;
  const metrics = new Metrics(options.clock);
  const common = { ...options, log: createLog("error", () => {}), ...store, metrics };
  const iam = await createIam(common);
  const sqs = await createSqs({ ...common, policies: iam.resourcePolicies, roles: iam.roles });
  const document = (statement: object) => JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
  return {
    ...sqs,
    async measured(queue, metric) {
      await metrics.measure();
      const own = metrics.all().find(({ id }) => id.name === metric && id.dimensions["QueueName"] === queue);
      return own?.points().at(-1)?.max;
    },
    async makeRole(RoleName) {
      const trust = {
        Effect: "Allow",
        Principal: { Service: "lambda.amazonaws.com" },
        Action: "sts:AssumeRole",
      };
      await operate(iam, "CreateRole", { RoleName, AssumeRolePolicyDocument: document(trust) });
    },
    async denyRole(RoleName, Action) {
      const PolicyDocument = document({ Effect: "Deny", Action, Resource: "*" });
      await operate(iam, "PutRolePolicy", { RoleName, PolicyName: "deny", PolicyDocument });
    },
    async [Symbol.asyncDispose]() {
      await sqs.stop();
      await iam.stop();
    },
  };
}

/** Runs an operation as the account's root. */
async function operate(
  { service }: Pick<SqsService, "service">,
  name: string,
  input: object,
): Promise<Record<string, unknown>> {
  const context = { account: ACCOUNT, region: "us-east-1", endpoint: "http://localhost", principal: {} };
  const run = service.operations.get(name);
  return (await run?.(input as never, context as RequestContext)) as Record<string, unknown>;
}

const makeQueue = (sqs: SqsService, QueueName: string, Attributes: Record<string, string> = {}) =>
  operate(sqs, "CreateQueue", { QueueName, Attributes });

onEveryEngine("queues for other services", (engine) => {
  test("check says whether a service or a role may send", async () => {
    await using state = await engine.fresh();
    await using sqs = await open(state);
    const Statement = [
      {
        Effect: "Allow",
        Principal: { Service: "s3.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: `${ARN}:q`,
        Condition: {
          ArnLike: { "aws:SourceArn": "arn:aws:s3:::buck*" },
          StringEquals: { "aws:SourceAccount": ACCOUNT },
        },
      },
      {
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${ACCOUNT}:role/named` },
        Action: "SQS:*",
        Resource: `${ARN}:q`,
      },
    ];
    await sqs.makeRole("named");
    await makeQueue(sqs, "q", { Policy: JSON.stringify({ Version: "2012-10-17", Statement }) });
    const check: typeof sqs.intake.check = (...asked) => sqs.intake.check(...asked);
    const named = { roleArn: `arn:aws:iam::${ACCOUNT}:role/named` };
    assert.equal(await check(`${ARN}:q`, BUCKET), "ok");
    assert.equal(await check(`${ARN}:q`, { ...BUCKET, sourceArn: "arn:aws:s3:::other" }), "denied");
    assert.equal(await check(`${ARN}:q`, { ...BUCKET, service: "sns.amazonaws.com" }), "denied");
    assert.equal(await check(`${ARN}:none`, BUCKET), "missing");
    assert.equal(await check(`${ARN}:q`, named), "ok");
    await sqs.denyRole("named", "sqs:SendMessage");
    assert.equal(await check(`${ARN}:q`, named), "denied");
    assert.equal(await check(`${ARN}:q`, { roleArn: `arn:aws:iam::${ACCOUNT}:role/unknown` }), "denied");
  });

  test("a message is sent with the transaction that hands it over, or not at all, and wakes who waits", async () => {
    await using state = await engine.fresh();
    await using sqs = await open(state);
    await makeQueue(sqs, "q", { MaximumMessageSize: "1024" });
    await makeQueue(sqs, "q.fifo", { FifoQueue: "true" });
    const queueArn = `${ARN}:q`;
    assert.equal(await sqs.intake.bytesMax(queueArn), 1024);
    assert.equal(await sqs.intake.bytesMax(`${ARN}:none`), undefined);
    const { database } = state.store;
    const { signal } = new AbortController();
    const waiting = sqs.reader.receive(queueArn, { max: 10, bytesMax: 1e6, waitMs: 20_000, signal });
    await assert.rejects(
      database.tx(async (tx) => {
        await sqs.intake.send(tx, { queueArn, body: "undone", sender: BUCKET });
        throw new Error("no");
      }),
    );
    const attributes = { a: { DataType: "Binary", BinaryValue: Buffer.from([1]) } };
    const message = { queueArn, body: "done", attributes, traceHeader: "Root=1", sender: BUCKET };
    assert.equal(await database.tx((tx) => sqs.intake.send(tx, message)), "sent");
    const [received, ...others] = await waiting;
    assert.deepEqual(others, []);
    assert.equal(received?.body, "done");
    assert.deepEqual(
      [received.attributes["SenderId"], received.attributes["AWSTraceHeader"]],
      ["s3.amazonaws.com", "Root=1"],
    );
    assert.deepEqual(received.messageAttributes["a"]?.BinaryValue, Buffer.from([1]));
    await makeQueue(sqs, "sealed", { SqsManagedSseEnabled: "true" });
    const sealedArn = `${ARN}:sealed`;
    await database.tx((tx) => sqs.intake.send(tx, { queueArn: sealedArn, body: "hush", sender: BUCKET }));
    assert.equal(await sqs.measured("sealed", "ApproximateNumberOfMessagesVisible"), 1);
    const [sealed] = await sqs.reader.receive(sealedArn, { max: 1, bytesMax: 1e6, waitMs: 0, signal });
    assert.equal(await sqs.measured("sealed", "ApproximateNumberOfMessagesNotVisible"), 1);
    assert.equal(await sqs.measured("q.fifo", "ApproximateNumberOfGroupsWithInflightMessages"), 0);
    assert.deepEqual([sealed?.body, sealed?.md5OfBody.length], ["hush", 32]);
    const answers = await database.tx(async (tx) => [
      await sqs.intake.send(tx, { queueArn: `${ARN}:none`, body: "m", sender: BUCKET }),
      await sqs.intake.send(tx, { queueArn, body: "x".repeat(1_025), sender: BUCKET }),
      await sqs.intake.send(tx, {
        queueArn: `${ARN}:q.fifo`,
        body: "m",
        groupId: "g",
        deduplicationId: "d",
        sender: BUCKET,
      }),
    ]);
    assert.deepEqual(answers, ["missing", "too-large", "sent"]);
  });

  test("what comes while somebody waits is received with its commit: once, hidden, and again when nobody deleted it", async () => {
    await using state = await engine.fresh();
    await using sqs = await open(state);
    await makeQueue(sqs, "q", { VisibilityTimeout: "30" });
    const queueArn = `${ARN}:q`;
    const { database } = state.store;
    const { signal } = new AbortController();
    const wait = (max: number) =>
      sqs.reader.receive(queueArn, { max, bytesMax: 1e6, waitMs: 20_000_000, signal });
    const countOf = (message: Awaited<ReturnType<typeof wait>>[number] | undefined) =>
      [message?.body, message?.attributes["ApproximateReceiveCount"]] as const;
    const send = (tx: Transaction, body: string) => sqs.intake.send(tx, { queueArn, body, sender: BUCKET });
    const first = wait(1);
    // Each finds the queue in the database before it stands in line; both have looked by the end.
    await setTimeout(200);
    const second = wait(10);
    await setTimeout(200);
    await database.tx((tx) => send(tx, "one"));
    const [one] = await first;
    assert.deepEqual(countOf(one), ["one", "1"]);
    assert.equal(await Promise.race([second, setTimeout(200, "waits")]), "waits");
    await state.clock.advance(30_000);
    const [again, ...none] = await second;
    assert.deepEqual([countOf(again), none.length], [["one", "2"], 0]);
    await sqs.reader.delete(queueArn, [one?.receiptHandle ?? ""]);
    await sqs.reader.delete(queueArn, [again?.receiptHandle ?? ""]);

    const gone = new AbortController();
    const leaving = sqs.reader.receive(queueArn, {
      max: 1,
      bytesMax: 1e6,
      waitMs: 20_000,
      signal: gone.signal,
    });
    await setTimeout(200);
    await database.tx(async (tx) => {
      await send(tx, "two");
      gone.abort();
    });
    assert.deepEqual(await leaving, []);
    const [two] = await wait(1);
    assert.deepEqual(countOf(two), ["two", "1"]);
    await sqs.reader.delete(queueArn, [two?.receiptHandle ?? ""]);
    await state.clock.advance(60_000);
    assert.deepEqual(await sqs.reader.receive(queueArn, { max: 10, bytesMax: 1e6, waitMs: 0, signal }), []);
  });

  // The count is the same on both; a hundred thousand messages on one are enough.
  if (engine.name === "sqlite")
    test("a standard queue has at most 120,000 messages in flight: then a short receive is refused", async () => {
      await using state = await engine.fresh();
      await using sqs = await open(state);
      await makeQueue(sqs, "q");
      const queueArn = `${ARN}:q`;
      const { database } = state.store;
      await database.tx(async (tx) => {
        for (let n = 0; n < 120_010; n++) await sqs.intake.send(tx, { queueArn, body: "m", sender: BUCKET });
      });
      const { signal } = new AbortController();
      const receive = (max: number, waitMs = 0) =>
        sqs.reader.receive(queueArn, { max, bytesMax: 1e9, waitMs, signal });
      let last: string | undefined;
      for (let left = 120_000; left > 0;) {
        const messages = await receive(left);
        assert.ok(messages.length > 0);
        left -= messages.length;
        last = messages.at(-1)?.receiptHandle;
      }
      await assert.rejects(receive(1), { code: "OverLimit" });
      const waiting = receive(1, 1_000);
      await state.clock.advance(1_000);
      assert.deepEqual(await waiting, []);
      await sqs.reader.delete(queueArn, [last ?? ""]);
      assert.equal((await receive(1)).length, 1);
      await assert.rejects(receive(1), { code: "OverLimit" });
    });

  test("a reader takes many at once, within a number and a size, hides, gives back and deletes", async () => {
    await using state = await engine.fresh();
    await using sqs = await open(state);
    await makeQueue(sqs, "q", { VisibilityTimeout: "40" });
    const arn = `${ARN}:q`;
    assert.deepEqual(await sqs.reader.describe(arn), {
      fifo: false,
      visibilityTimeoutSeconds: 40,
      policy: undefined,
    });
    assert.equal(await sqs.reader.describe(`${ARN}:none`), undefined);
    await state.store.database.tx(async (tx) => {
      for (let n = 0; n < 100; n++)
        await sqs.intake.send(tx, { queueArn: arn, body: "x".repeat(100), sender: BUCKET });
    });
    const { signal } = new AbortController();
    const receive = (max: number, bytesMax = 1e6) =>
      sqs.reader.receive(arn, { max, bytesMax, waitMs: 0, signal });
    const first = await receive(64);
    assert.equal(first.length, 64);
    assert.equal((await receive(100, 1_050)).length, 10);
    assert.equal((await receive(100, 1)).length, 1);
    assert.equal((await receive(100)).length, 25);
    assert.deepEqual(await receive(10), []);
    const handles = first.map(({ receiptHandle }) => receiptHandle);
    await sqs.reader.giveBack(arn, handles.slice(0, 3), 0);
    await sqs.reader.changeVisibility(arn, handles.slice(3, 5), 0);
    const again = await receive(10);
    assert.deepEqual(
      again.map(({ attributes }) => Number(attributes["ApproximateReceiveCount"])).toSorted((a, b) => a - b),
      [1, 1, 1, 2, 2],
    );
    await sqs.reader.delete(
      arn,
      again.map(({ receiptHandle }) => receiptHandle),
    );
    // Their older handles are nobody's any more.
    await sqs.reader.giveBack(arn, handles.slice(0, 5), 0);
    assert.deepEqual(await receive(10), []);
    await state.clock.advance(41_000);
    assert.equal((await receive(200)).length, 95);
  });
});
