/** The courier: what is handed over with a transaction is delivered, waits, or is a dead letter; on both engines. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RequestContext } from "../../src/aws/service.ts";
import {
  createCourier,
  createHttpCaller,
  createReach,
  endpointTarget,
  queueTarget,
  streamTarget,
} from "../../src/courier/index.ts";
import type { Parcel } from "../../src/aws/parcel.ts";
import type { CourierService } from "../../src/courier/index.ts";
import { createIam } from "../../src/services/iam/index.ts";
import { createKinesis } from "../../src/services/kinesis/index.ts";
import { createSqs } from "../../src/services/sqs/index.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { startEndpoint } from "../harness/http-endpoint.ts";
import { onEveryEngine } from "../store/engines.ts";
import type { TestStore } from "../store/engines.ts";

const ACCOUNT = "123456789012";
const region = "us-east-1";
const queue = (name: string) => `arn:aws:sqs:${region}:${ACCOUNT}:${name}`;
const TOPIC = `arn:aws:sns:${region}:${ACCOUNT}:t`;
const POLICY = JSON.stringify({
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Principal: { Service: "sns.amazonaws.com" },
      Action: "sqs:SendMessage",
      Resource: "*",
      Condition: { ArnEquals: { "aws:SourceArn": TOPIC }, StringEquals: { "aws:SourceAccount": ACCOUNT } },
    },
  ],
});

interface Setting extends AsyncDisposable {
  readonly courier: CourierService;
  /** Runs an operation as the account's root. */
  operate(service: "sqs" | "kinesis" | "iam", name: string, input: object): Promise<Record<string, never>>;
  bodies(name: string): Promise<[string, Record<string, string>][]>;
  count(name: string): number;
  hand(parcel: Partial<Parcel> & Pick<Parcel, "target">): Promise<string>;
}

async function open({ store, options }: TestStore): Promise<Setting> {
  const metrics = new Metrics(options.clock);
  const common = { ...options, ...store, metrics };
  const iam = await createIam(common);
  const { resourcePolicies: policies, roles } = iam;
  const sqs = await createSqs({ ...common, policies, roles });
  const kinesis = await createKinesis({ ...common, policies, roles, shardThroughput: 0 });
  const reach = createReach({
    outbound: { policy: "internet", allow: [] },
    localEndpoints: true,
    serverPort: 1,
  });
  const caller = createHttpCaller({ ...options, reach });
  const targets = {
    sqs: queueTarget(sqs.intake),
    kinesis: streamTarget(kinesis.intake),
    http: endpointTarget(options.clock, caller),
  };
  const courier = createCourier({ ...common, roles, targets });
  courier.start();
  const services = { sqs: sqs.service, kinesis: kinesis.service, iam: iam.service };
  let parcels = 0;
  const names = { attempt: "Attempts", delivered: "Delivered", failed: "Failed", deadLettered: "Dead" };
  const operate: Setting["operate"] = async (service, operation, input) => {
    const principal = { type: "root", account: ACCOUNT };
    const context = { account: ACCOUNT, region, endpoint: "http://localhost", operation, principal };
    const run = services[service].operations.get(operation);
    return (await run?.(input as never, context as RequestContext)) as Record<string, never>;
  };
  return {
    courier,
    operate,
    async bodies(name) {
      const { signal } = new AbortController();
      const messages = await sqs.reader.receive(queue(name), { max: 10, bytesMax: 1e6, waitMs: 0, signal });
      return messages.map(({ body, messageAttributes }) => [
        body,
        Object.fromEntries(
          Object.entries(messageAttributes).map(([key, value]) => [key, value.StringValue ?? ""]),
        ),
      ]);
    },
    count: (name) => metrics.all().find(({ id }) => id.name === name)?.sum ?? 0,
    hand: (parcel) =>
      store.database.tx((tx) =>
        courier.hand(tx, {
          id: `parcel-${parcels++}`,
          sender: { service: "sns.amazonaws.com", sourceArn: TOPIC, account: ACCOUNT, region },
          body: Buffer.from("body"),
          retry: { attemptsMax: 2, ageMsMax: 60_000, delaysMs: [1_000] },
          metrics: { namespace: "AWS/SNS", dimensions: [{}], ...names },
          ...parcel,
        }),
      ),
    async [Symbol.asyncDispose]() {
      await courier.stop(1_000);
      await sqs.stop();
      await kinesis.stop();
      await iam.stop();
    },
  };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000;
  while (!(await condition())) {
    assert.ok(Date.now() < end, "it did not come to pass");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

onEveryEngine("courier", (engine) => {
  test("a queue gets it with the transaction; one that refuses leaves it to the dead-letter queue", async () => {
    await using state = await engine.fresh();
    await using it = await open(state);
    for (const QueueName of ["q", "dead"])
      await it.operate("sqs", "CreateQueue", { QueueName, Attributes: { Policy: POLICY } });
    await it.operate("sqs", "CreateQueue", { QueueName: "closed" });
    const sqs = { attributes: { a: { DataType: "Binary", BinaryValue: "AQ==" } } };
    assert.equal(await it.hand({ target: { arn: queue("q"), sqs } }), "delivered");
    assert.deepEqual(
      (await it.bodies("q")).map(([body]) => body),
      ["body"],
    );
    const deadLetter = {
      queueArn: queue("dead"),
      attributes: { RULE_ARN: { DataType: "String", StringValue: TOPIC } },
      tells: "eventbridge",
    } as const;
    assert.equal(await it.hand({ target: { arn: queue("closed") }, deadLetter }), "refused");
    assert.deepEqual(await it.bodies("dead"), [
      [
        "body",
        {
          RULE_ARN: TOPIC,
          ERROR_CODE: "NO_RESOURCE",
          ERROR_MESSAGE: `the policy of ${queue("closed")} does not let sns.amazonaws.com call sqs:SendMessage on it`,
          RETRY_ATTEMPTS: "0",
        },
      ],
    ]);
    assert.equal(await it.hand({ target: { arn: queue("none") } }), "refused");
    assert.match(state.logged.at(-1) ?? "", /could not be delivered, and there is no dead-letter queue/);
    assert.equal(await it.hand({ target: { arn: "arn:aws:states:us-east-1:1:stateMachine:x" } }), "refused");
    assert.match(state.logged.at(-1) ?? "", /this server has no AWS Step Functions/);
    assert.deepEqual(
      ["Attempts", "Delivered", "Failed", "Dead"].map((name) => it.count(name)),
      [4, 1, 3, 1],
    );
    const sender = { service: "sns.amazonaws.com", sourceArn: TOPIC, account: ACCOUNT, region };
    const faults = await Promise.all(
      ["q", "closed", "none"].map((name) => it.courier.fault({ arn: queue(name) }, sender)),
    );
    assert.deepEqual(
      faults.map((fault) => fault?.code),
      [undefined, "denied", "missing"],
    );
  });

  test("an endpoint that fails is asked again, also by the next server, and then it is a dead letter", async () => {
    await using state = await engine.fresh();
    await using failing = await startEndpoint(500, 503, 429);
    await using recovering = await startEndpoint(500, 200);
    await using refusing = await startEndpoint(404);
    {
      await using it = await open(state);
      await it.operate("sqs", "CreateQueue", { QueueName: "dead", Attributes: { Policy: POLICY } });
      const deadLetter = { queueArn: queue("dead"), attributes: {}, tells: "eventbridge" } as const;
      for (const { url: arn } of [failing, recovering, refusing])
        assert.equal(await it.hand({ target: { arn }, deadLetter }), "waiting");
      await until(() => [failing, recovering, refusing].every(({ received }) => received.length === 1));
    }
    await state.reopen();
    await using next = await open(state);
    const dead: [string, Record<string, string>][] = [];
    await until(async () => {
      await state.clock.advance(1_000);
      dead.push(...(await next.bodies("dead")));
      return dead.length === 2;
    });
    assert.deepEqual(
      recovering.received.map(({ body }) => body),
      ["body", "body"],
    );
    assert.equal(failing.received.length, 3, "two attempts after the first");
    assert.deepEqual(
      new Set(
        dead.map(([, { RETRY_ATTEMPTS, EXHAUSTED_RETRY_CONDITION }]) =>
          [RETRY_ATTEMPTS, EXHAUSTED_RETRY_CONDITION].join(),
        ),
      ),
      new Set(["2,MaximumRetryAttempts", "0,"]),
    );
  });

  test("what goes with a role waits until the role has been asked; what is too old is not tried any more", async () => {
    await using state = await engine.fresh();
    await using it = await open(state);
    await it.operate("sqs", "CreateQueue", { QueueName: "dead", Attributes: { Policy: POLICY } });
    await it.operate("kinesis", "CreateStream", { StreamName: "s", ShardCount: 1 });
    const AssumeRolePolicyDocument = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { Service: "sns.amazonaws.com" }, Action: "sts:AssumeRole" }],
    });
    await it.operate("iam", "CreateRole", { RoleName: "r", AssumeRolePolicyDocument, Path: "/" });
    const arn = `arn:aws:kinesis:${region}:${ACCOUNT}:stream/s`;
    const target = { arn, roleArn: `arn:aws:iam::${ACCOUNT}:role/r`, kinesis: { partitionKey: "k" } };
    const deadLetter = { queueArn: queue("dead"), attributes: {}, tells: "eventbridge" } as const;
    assert.equal(await it.hand({ target, deadLetter }), "waiting");
    await until(() => it.count("Dead") === 1);
    const [[, attributes] = ["", {}]] = await it.bodies("dead");
    assert.equal(attributes["ERROR_CODE"], "NO_PERMISSIONS");
    const PolicyDocument = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "kinesis:PutRecord", Resource: arn }],
    });
    await it.operate("iam", "PutRolePolicy", { RoleName: "r", PolicyName: "p", PolicyDocument });
    await it.hand({ target, deadLetter });
    await until(() => it.count("Delivered") === 1);
    await using down = await startEndpoint(500);
    const retry = { attemptsMax: 100, ageMsMax: 5_000 };
    await it.hand({ target: { arn: down.url }, deadLetter, retry });
    // Its time runs while it waits: it must not be over before the first attempt.
    await down.nth(1);
    await until(async () => {
      await state.clock.advance(1_000);
      return it.count("Dead") === 2;
    });
    const [[, aged] = ["", {}]] = await it.bodies("dead");
    assert.equal(aged["EXHAUSTED_RETRY_CONDITION"], "MaximumEventAgeInSeconds");
    assert.ok(down.received.length <= 4, `${down.received.length} attempts`);
  });
});
