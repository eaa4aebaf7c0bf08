/** SQS queues that get records of asynchronous invocations, and events that are dead letters. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import type { LambdaClient, PutFunctionEventInvokeConfigCommandInput } from "@aws-sdk/client-lambda";
import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { Message } from "@aws-sdk/client-sqs";
import { zipOf } from "../harness/zip.ts";
import { ACCOUNT, RUNTIME, makeRole, startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";

/** Fails while the event says so, answers what it says otherwise. */
const WORKER = `export const handler = async (event) => {
  if (event.fail) throw new TypeError(event.fail);
  return event.size ? "x".repeat(event.size) : { done: event.n };
};`;

const arnOf = (queue: string) => `arn:aws:sqs:us-east-1:${ACCOUNT}:${queue}`;
const functionArn = (name: string) => `arn:aws:lambda:us-east-1:${ACCOUNT}:function:${name}`;
const onSuccess = (Destination: string) => ({ OnSuccess: { Destination } });
const onFailure = (Destination: string) => ({ OnFailure: { Destination } });

async function allow(iam: Setting["iam"], RoleName: string, ...Action: string[]): Promise<void> {
  const Statement = [{ Effect: "Allow", Action: ["logs:*", ...Action], Resource: "*" }];
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "logs", PolicyDocument }));
}

/** The first message of a queue, which it keeps out of others' sight. */
async function receive(sqs: SQSClient, QueueUrl: string): Promise<Message> {
  for (const end = Date.now() + 20_000; Date.now() < end;) {
    const { Messages } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl,
        WaitTimeSeconds: 5,
        MessageAttributeNames: ["All"],
        MessageSystemAttributeNames: ["All"],
      }),
    );
    if (Messages?.[0]) return Messages[0];
  }
  return assert.fail(`${QueueUrl} got nothing`);
}

const valuesOf = ({ MessageAttributes = {} }: Message) =>
  Object.fromEntries(
    Object.entries(MessageAttributes).map(([name, { DataType, StringValue }]) => [
      name,
      [DataType, StringValue],
    ]),
  );

describe("queues of failed invocations", () => {
  let setting: Setting;
  let lambda: LambdaClient;
  let sqs: SQSClient;
  before(async () => {
    setting = await startSetting({ sandbox: "process", logLevel: "error" });
    lambda = setting.lambda;
    sqs = new SQSClient(setting.server.client());
    await allow(setting.iam, "execution", "sqs:SendMessage");
  });
  after(async () => {
    sqs?.destroy();
    await setting?.server.stop();
  });

  let count = 0;
  /** A topic, and a queue that gets its messages as they are. */
  const makeTopic = async () => {
    const sns = new SNSClient(setting.server.client());
    const Statement = [{ Effect: "Allow", Principal: "*", Action: "sqs:SendMessage", Resource: "*" }];
    const queue = await makeQueue({ Policy: JSON.stringify({ Version: "2012-10-17", Statement }) });
    const { TopicArn = "" } = await sns.send(new CreateTopicCommand({ Name: `t${count++}` }));
    const Attributes = { RawMessageDelivery: "true" };
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint: queue.arn, Attributes }));
    sns.destroy();
    return { TopicArn, QueueUrl: queue.QueueUrl };
  };
  const makeQueue = async (Attributes: Record<string, string> = {}) => {
    const QueueName = `q${count++}`;
    const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
    return { QueueUrl, arn: arnOf(QueueName) };
  };
  const configure = (FunctionName: string, more: Partial<PutFunctionEventInvokeConfigCommandInput>) =>
    lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName, MaximumRetryAttempts: 0, ...more }));
  const send = async (FunctionName: string, event: unknown) => {
    const answer = await lambda.send(
      new InvokeCommand({ FunctionName, InvocationType: "Event", Payload: JSON.stringify(event) }),
    );
    return answer.$metadata.requestId ?? "";
  };
  const metric = async (name: string, metricName: string) => {
    const text = await (await fetch(`${setting.server.endpoint}/_lambent/metrics`)).text();
    const line = text
      .split("\n")
      .find((one) => one.startsWith(metricName) && one.includes(`resource="${name}"`));
    return line === undefined ? 0 : Number(line.split(" ").at(-1));
  };
  const counted = async (name: string, metricName: string) => {
    for (const end = Date.now() + 20_000; (await metric(name, metricName)) === 0;)
      assert.ok(Date.now() < end, `${metricName} of ${name} stays 0`);
  };

  test("a topic gets records and dead letters as messages, where the role may publish", async () => {
    const [records, dead] = [await makeTopic(), await makeTopic()];
    const refused = /^The provided execution role does not have permissions to call Publish on SNS$/;
    const poor = await setting.create(WORKER);
    const DeadLetterConfig = { TargetArn: dead.TopicArn };
    const update = () =>
      lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: poor, DeadLetterConfig }));
    await assert.rejects(update(), { name: "InvalidParameterValueException", message: refused });
    await allow(setting.iam, "execution", "sqs:SendMessage", "sns:Publish");
    await update();
    await configure(poor, { DestinationConfig: onSuccess(records.TopicArn) });
    const requestId = await send(poor, { n: 1 });
    const record = JSON.parse((await receive(sqs, records.QueueUrl)).Body ?? "") as Record<
      string,
      Record<string, unknown>
    >;
    assert.deepEqual(
      [record["requestContext"]?.["requestId"], record["responsePayload"]],
      [requestId, { done: 1 }],
    );
    await send(poor, { fail: "for good" });
    const letter = await receive(sqs, dead.QueueUrl);
    assert.equal(letter.Body, JSON.stringify({ fail: "for good" }));
    assert.deepEqual(valuesOf(letter)["ErrorMessage"], ["String", "for good"]);
  });

  test("a queue gets the record of a success as its message's body, and the record of a failure", async () => {
    const [well, badly] = [await makeQueue(), await makeQueue()];
    const worker = await setting.create(WORKER);
    const DestinationConfig = { ...onSuccess(well.arn), ...onFailure(badly.arn) };
    await configure(worker, { DestinationConfig });
    const requestId = await send(worker, { n: 7 });
    const message = await receive(sqs, well.QueueUrl);
    const { timestamp: _, ...record } = JSON.parse(message.Body ?? "") as Record<string, unknown>;
    assert.deepEqual(record, {
      version: "1.0",
      requestContext: {
        requestId,
        functionArn: `${functionArn(worker)}:$LATEST`,
        condition: "Success",
        approximateInvokeCount: 1,
      },
      requestPayload: { n: 7 },
      responseContext: { statusCode: 200, executedVersion: "$LATEST" },
      responsePayload: { done: 7 },
    });
    assert.match(message.Attributes?.["AWSTraceHeader"] ?? "", /^Root=1-/);
    await send(worker, { fail: "on purpose" });
    const failure = JSON.parse((await receive(sqs, badly.QueueUrl)).Body ?? "") as {
      requestContext: { condition: string };
      responsePayload: { errorType: string };
    };
    assert.equal(failure.requestContext.condition, "RetriesExhausted");
    assert.equal(failure.responsePayload.errorType, "TypeError");
  });

  test("a record that is too large for its queue goes without the payloads; one that cannot go is counted", async () => {
    const [small, least] = [
      await makeQueue({ MaximumMessageSize: "2048" }),
      await makeQueue({ MaximumMessageSize: "1024" }),
    ];
    const worker = await setting.create(WORKER);
    await configure(worker, { DestinationConfig: onSuccess(small.arn) });
    await send(worker, { size: 5_000 });
    const record = JSON.parse((await receive(sqs, small.QueueUrl)).Body ?? "") as Record<string, unknown>;
    assert.deepEqual(
      [record["requestPayload"], record["responsePayload"], record["responseContext"]],
      [undefined, undefined, { statusCode: 200, executedVersion: "$LATEST" }],
    );
    await configure(worker, { DestinationConfig: onSuccess(least.arn) });
    await sqs.send(new DeleteQueueCommand({ QueueUrl: least.QueueUrl }));
    await send(worker, { n: 1 });
    await counted(worker, "aws_lambda_destination_delivery_failures_total");
  });

  test("a dead-letter queue gets the event with RequestID, ErrorCode and ErrorMessage, beside the destination's record", async () => {
    const [dead, failed] = [await makeQueue(), await makeQueue()];
    const worker = await setting.create(WORKER, { DeadLetterConfig: { TargetArn: dead.arn } });
    await configure(worker, { DestinationConfig: onFailure(failed.arn) });
    const event = { fail: `${"é".repeat(600)}.`, spaced: " as it was " };
    const requestId = await send(worker, event);
    const message = await receive(sqs, dead.QueueUrl);
    assert.equal(message.Body, JSON.stringify(event));
    assert.deepEqual(valuesOf(message), {
      RequestID: ["String", requestId],
      ErrorCode: ["Number", "200"],
      ErrorMessage: ["String", "é".repeat(512)],
    });
    await receive(sqs, failed.QueueUrl);
    assert.equal(await metric(worker, "aws_lambda_dead_letter_errors_total"), 0);
  });

  test("an event that never ran is a dead letter at once, with the throttle's status", async () => {
    const dead = await makeQueue();
    const worker = await setting.create(WORKER, { DeadLetterConfig: { TargetArn: dead.arn } });
    await lambda.send(
      new PutFunctionConcurrencyCommand({ FunctionName: worker, ReservedConcurrentExecutions: 0 }),
    );
    await send(worker, { n: 1 });
    const message = await receive(sqs, dead.QueueUrl);
    assert.equal(message.Body, '{"n":1}');
    const { ErrorCode, ErrorMessage } = valuesOf(message);
    assert.deepEqual(ErrorCode, ["Number", "429"]);
    assert.ok(ErrorMessage?.[1]);
  });

  test("a queue that is gone, that takes less, or that the role may no longer send to, costs the dead letter, and is counted", async () => {
    const [gone, least, closed] = [
      await makeQueue(),
      await makeQueue({ MaximumMessageSize: "1024" }),
      await makeQueue(),
    ];
    const Role = await makeRole(setting.iam, "withdrawn");
    await allow(setting.iam, "withdrawn", "sqs:SendMessage");
    for (const { arn } of [gone, least, closed]) {
      const worker = await setting.create(WORKER, { Role, DeadLetterConfig: { TargetArn: arn } });
      await configure(worker, {});
      if (arn === gone.arn) await sqs.send(new DeleteQueueCommand({ QueueUrl: gone.QueueUrl }));
      if (arn === closed.arn) await allow(setting.iam, "withdrawn");
      await send(worker, { fail: "x".repeat(2_000) });
      await counted(worker, "aws_lambda_dead_letter_errors_total");
    }
  });

  test("CreateFunction and UpdateFunctionConfiguration take a DeadLetterConfig that dead letters can go to, and no other", async () => {
    const { arn } = await makeQueue();
    const worker = await setting.create(WORKER);
    const update = async (TargetArn: string, more: object = {}) => {
      await lambda.send(
        new UpdateFunctionConfigurationCommand({
          FunctionName: worker,
          DeadLetterConfig: { TargetArn },
          ...more,
        }),
      );
      await setting.updated(worker);
    };
    const told = async () =>
      (await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: worker }))).DeadLetterConfig;
    assert.equal(await told(), undefined);
    await update(arn);
    assert.deepEqual(await told(), { TargetArn: arn });
    // Versions of one alias have one queue.
    const first = await lambda.send(new PublishVersionCommand({ FunctionName: worker }));
    await update("");
    assert.equal(await told(), undefined);
    const second = await lambda.send(new PublishVersionCommand({ FunctionName: worker }));
    const alias = new CreateAliasCommand({
      FunctionName: worker,
      Name: "both",
      FunctionVersion: second.Version,
      RoutingConfig: { AdditionalVersionWeights: { [first.Version ?? ""]: 0.5 } },
    });
    await assert.rejects(lambda.send(alias), { message: /same dead-letter queue/ });

    const invalid = (message: RegExp, name = "InvalidParameterValueException") => ({ name, message });
    await assert.rejects(update(arnOf("nowhere")), invalid(/there is no such queue/));
    await assert.rejects(update(arnOf("q.fifo")), invalid(/FIFO queues are not supported/));
    await assert.rejects(update(arn.replace("us-east-1", "eu-west-1")), invalid(/no queue of this region/));
    await assert.rejects(update(functionArn(worker)), invalid(/delivered to SQS queues and SNS topics/));
    await assert.rejects(update(`arn:aws:sns:us-east-1:${ACCOUNT}:t`), invalid(/there is no such topic/));
    await assert.rejects(update(`arn:aws:sns:us-east-1:${ACCOUNT}:t.fifo`), invalid(/FIFO topics/));
    const denied = /^The provided execution role does not have permissions to call SendMessage on SQS$/;
    const Role = await makeRole(setting.iam, "poor");
    await assert.rejects(update(arn, { Role }), invalid(denied));
    const create = new CreateFunctionCommand({
      FunctionName: "never",
      Runtime: RUNTIME,
      Role,
      Handler: "index.handler",
      Code: { ZipFile: await zipOf({ "index.mjs": WORKER }) },
      DeadLetterConfig: { TargetArn: arn },
    });
    await assert.rejects(lambda.send(create), invalid(denied));
  });

  test("PutFunctionEventInvokeConfig refuses queues that could not take a record", async () => {
    const { arn } = await makeQueue();
    const worker = await setting.create(WORKER);
    const name = "InvalidParameterValueException";
    for (const [queue, message] of [
      [arnOf("nowhere"), /there is no such queue/],
      [arnOf("q.fifo"), /FIFO queues are not supported/],
    ] as const)
      await assert.rejects(configure(worker, { DestinationConfig: onSuccess(queue) }), { name, message });
    const Role = await makeRole(setting.iam, "unprivileged");
    const poor = await setting.create(WORKER, { Role });
    await assert.rejects(configure(poor, { DestinationConfig: onFailure(arn) }), {
      name,
      message: /does not have permissions to call SendMessage/,
    });
  });
});
