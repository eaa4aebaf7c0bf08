/** Event source mappings as an API: what may be asked for, what is answered, and the states in between. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CreateAliasCommand,
  CreateEventSourceMappingCommand,
  DeleteEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  ListEventSourceMappingsCommand,
  ListTagsCommand,
  PublishVersionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateEventSourceMappingCommand,
  paginateListEventSourceMappings,
} from "@aws-sdk/client-lambda";
import type {
  CreateEventSourceMappingCommandInput,
  UpdateEventSourceMappingCommandInput,
} from "@aws-sdk/client-lambda";
import { PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { DeleteQueueCommand, SQSClient, SetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { ACCOUNT, makeRole } from "./lambda-setting.ts";
import { queues, startSources, until } from "../sources/queue-setting.ts";
import type { Queue, SourcesSetting } from "../sources/queue-setting.ts";

const NOTE = "note({ arn: context.invokedFunctionArn, version: context.functionVersion });";

let setting: SourcesSetting;
let name: string;
let queue: Queue;
before(async () => {
  setting = await startSources();
  name = await setting.consumer(NOTE);
  queue = await setting.queue("queue");
});
after(async () => setting?.stop());

const UUID = "00000000-0000-4000-8000-000000000000";
const arn = (service: string, rest: string) => `arn:aws:${service}:us-east-1:${ACCOUNT}:${rest}`;
const functionArn = (qualified: string) => arn("lambda", `function:${qualified}`);
const STREAM = arn("kinesis", "stream/s");
const TABLE = arn("dynamodb", "table/t/stream/2026-01-01T00:00:00.000");
const CLUSTER = arn("kafka", "cluster/c/00000000-0000-4000-8000-000000000000-1");
const BROKER = arn("mq", "broker:b:b-00000000-0000-4000-8000-000000000000");
const DOCUMENTS = arn("rds", "cluster:documents");

type Given = Partial<CreateEventSourceMappingCommandInput>;
const create = (input: Given) =>
  setting.lambda.send(new CreateEventSourceMappingCommand({ FunctionName: name, ...input }));
const update = (input: UpdateEventSourceMappingCommandInput) =>
  setting.lambda.send(new UpdateEventSourceMappingCommand(input));
const remove = (uuid: string) => setting.lambda.send(new DeleteEventSourceMappingCommand({ UUID: uuid }));
const reaches = (uuid: string, state: string) =>
  until(async () => (await setting.mapping(uuid)).State === state);
const isGone = async (uuid: string) =>
  until(
    async () =>
      (await setting.mapping(uuid).catch(({ name: error }: Error) => error)) === "ResourceNotFoundException",
  );
const refused = (input: Given, message: RegExp | string, error = "InvalidParameterValueException") =>
  assert.rejects(create(input), { name: error, message }, JSON.stringify(input));

test("CreateEventSourceMapping of a queue answers with its defaults, and is Enabled soon; DeleteEventSourceMapping lets it go", async () => {
  const own = await setting.queue("life");
  const { $metadata, LastModified, UUID: uuid = "", ...made } = await create({ EventSourceArn: own.arn });
  assert.equal($metadata.httpStatusCode, 202);
  assert.match(uuid, /^[0-9a-f-]{36}$/);
  assert.ok(Math.abs(Date.now() - Number(LastModified)) < 60_000);
  const settled = {
    BatchSize: 10,
    MaximumBatchingWindowInSeconds: 0,
    FunctionResponseTypes: [],
    EventSourceArn: own.arn,
    EventSourceMappingArn: arn("lambda", `event-source-mapping:${uuid}`),
    FunctionArn: functionArn(name),
    StateTransitionReason: "USER_INITIATED",
  };
  assert.deepEqual(made, { ...settled, State: "Creating" });
  await reaches(uuid, "Enabled");
  const { $metadata: _, LastModified: __, ...got } = await setting.mapping(uuid);
  assert.deepEqual(got, { ...settled, UUID: uuid, State: "Enabled" });
  const deleted = await remove(uuid);
  assert.deepEqual([deleted.$metadata.httpStatusCode, deleted.State], [202, "Deleting"]);
  await isGone(uuid);
});

test("UpdateEventSourceMapping changes what it names, and Enabled switches a mapping off and on", async () => {
  const own = await setting.queue("changed");
  const made = await create({ EventSourceArn: own.arn, Enabled: false, Tags: { team: "a" } });
  const uuid = made.UUID ?? "";
  await reaches(uuid, "Disabled");
  const enabling = await update({ UUID: uuid, Enabled: true, BatchSize: 5 });
  assert.deepEqual(
    [enabling.$metadata.httpStatusCode, enabling.State, enabling.BatchSize],
    [202, "Enabling", 5],
  );
  await reaches(uuid, "Enabled");
  const Filters = [{ Pattern: '{"body":["x"]}' }];
  const updating = await update({
    UUID: uuid,
    FilterCriteria: { Filters },
    ScalingConfig: { MaximumConcurrency: 5 },
    FunctionResponseTypes: ["ReportBatchItemFailures"],
    MaximumBatchingWindowInSeconds: 1,
  });
  assert.equal(updating.State, "Updating");
  assert.deepEqual(
    [updating.BatchSize, updating.FilterCriteria, updating.ScalingConfig, updating.FunctionResponseTypes],
    [5, { Filters }, { MaximumConcurrency: 5 }, ["ReportBatchItemFailures"]],
  );
  await reaches(uuid, "Enabled");
  const cleared = await update({ UUID: uuid, FilterCriteria: {}, ScalingConfig: {}, Enabled: false });
  assert.deepEqual(
    [cleared.State, cleared.FilterCriteria, cleared.ScalingConfig],
    ["Disabling", undefined, undefined],
  );
  await reaches(uuid, "Disabled");
  await assert.rejects(update({ UUID: uuid, BatchSize: 11, MaximumBatchingWindowInSeconds: 0 }), {
    name: "InvalidParameterValueException",
    message: /Maximum batch window in seconds must be greater than 0/,
  });
  await assert.rejects(update({ UUID: uuid, FunctionName: "nobody" }), { name: "ResourceNotFoundException" });
  await remove(uuid);
  await isGone(uuid);
});

test("a mapping of a version or an alias invokes it, and UpdateEventSourceMapping moves it to another function", async () => {
  await setting.lambda.send(new PublishVersionCommand({ FunctionName: name }));
  await setting.lambda.send(
    new CreateAliasCommand({ FunctionName: name, Name: "live", FunctionVersion: "1" }),
  );
  const own = await setting.queue("qualified");
  const uuid = await setting.map(`${name}:live`, own);
  assert.equal((await setting.mapping(uuid)).FunctionArn, functionArn(`${name}:live`));
  await setting.send(own, ["m"]);
  const [note] = await setting.noted<{ arn: string; version: string }>(name, 1);
  assert.deepEqual(note, { arn: functionArn(`${name}:live`), version: "1" });
  const other = await setting.consumer(NOTE);
  await update({ UUID: uuid, FunctionName: other });
  await reaches(uuid, "Enabled");
  await setting.send(own, ["m"]);
  await setting.noted(other, 1);
  await remove(uuid);
});

test("ListEventSourceMappings finds by function and by source, in pages", async () => {
  const [one, two] = [await setting.queue("list-1"), await setting.queue("list-2")];
  const own = await setting.consumer(NOTE);
  const uuids = [await setting.map(own, one), await setting.map(own, two)];
  const list = async (input: object) => {
    const { EventSourceMappings = [] } = await setting.lambda.send(new ListEventSourceMappingsCommand(input));
    return EventSourceMappings.map((mapping) => mapping.UUID ?? "").toSorted();
  };
  assert.deepEqual(await list({ FunctionName: own }), uuids.toSorted());
  assert.deepEqual(await list({ FunctionName: functionArn(own), EventSourceArn: two.arn }), [uuids[1]]);
  assert.deepEqual(await list({ EventSourceArn: one.arn }), [uuids[0]]);
  assert.deepEqual(await list({ EventSourceArn: arn("sqs", "other") }), []);
  const paged: (string | undefined)[] = [];
  for await (const page of paginateListEventSourceMappings(
    { client: setting.lambda, pageSize: 1 },
    { FunctionName: own },
  )) {
    assert.ok((page.EventSourceMappings ?? []).length <= 1);
    paged.push(...(page.EventSourceMappings ?? []).map((mapping) => mapping.UUID));
  }
  assert.deepEqual(new Set(paged), new Set(uuids));
  await assert.rejects(list({ FunctionName: "nobody" }), { name: "ResourceNotFoundException" });
  await assert.rejects(list({ MaxItems: 0 }), { name: "ValidationException" });
  await assert.rejects(list({ Marker: "odd" }), { name: "InvalidParameterValueException" });
});

test("a second mapping of the same function and queue is a conflict that names the first; another qualifier is another function", async () => {
  const own = await setting.queue("twice");
  const uuid = await setting.map(name, own);
  await refused(
    { EventSourceArn: own.arn },
    `An event source mapping with SQS arn (" ${own.arn} ") and function (" ${name} ") already exists. ` +
      `Please update or delete the existing mapping with UUID ${uuid}`,
    "ResourceConflictException",
  );
  const other = await create({ EventSourceArn: own.arn, FunctionName: `${name}:$LATEST` });
  await reaches(other.UUID ?? "", "Enabled");
  await assert.rejects(update({ UUID: other.UUID, FunctionName: name }), {
    name: "ResourceConflictException",
    message: new RegExp(uuid),
  });
  await remove(uuid);
  await remove(other.UUID ?? "");
});

test("while a mapping is on its way to a state it can be neither changed nor deleted", async () => {
  const own = await setting.queue("busy", { VisibilityTimeout: "10" });
  const slow = await setting.consumer(
    `note("began"); await new Promise((resolve) => setTimeout(resolve, 1_500)); note("ended");`,
    { Timeout: 5 },
  );
  const uuid = await setting.map(slow, own);
  await setting.send(own, ["m"]);
  await setting.noted(slow, 1);
  await remove(uuid);
  await assert.rejects(update({ UUID: uuid, BatchSize: 1 }), {
    name: "ResourceInUseException",
    message: "Cannot update the event source mapping because it is in use.",
  });
  await assert.rejects(remove(uuid), {
    name: "ResourceInUseException",
    message: "Cannot delete the event source mapping because it is in use.",
  });
  assert.equal((await setting.mapping(uuid)).State, "Deleting");
  await isGone(uuid);
  assert.deepEqual(await setting.notes(slow), ["began", "ended"], "what was in flight ended first");
});

test("TagResource, ListTags and UntagResource know mappings", async () => {
  const own = await setting.queue("tagged");
  const { UUID: uuid = "", EventSourceMappingArn: Resource = "" } = await create({
    EventSourceArn: own.arn,
    Tags: { team: "a" },
  });
  const tags = async () => (await setting.lambda.send(new ListTagsCommand({ Resource }))).Tags;
  assert.deepEqual(await tags(), { team: "a" });
  await setting.lambda.send(new TagResourceCommand({ Resource, Tags: { stage: "test" } }));
  await setting.lambda.send(new UntagResourceCommand({ Resource, TagKeys: ["team"] }));
  assert.deepEqual(await tags(), { stage: "test" });
  const nowhere = Resource.replace(uuid, UUID);
  await assert.rejects(setting.lambda.send(new ListTagsCommand({ Resource: nowhere })), {
    name: "ResourceNotFoundException",
  });
  await reaches(uuid, "Enabled");
  await remove(uuid);
});

test("CreateEventSourceMapping checks the queue, its visibility timeout, and the execution role, in AWS's words", async () => {
  const REFUSED = "The provided execution role does not have permissions to call ReceiveMessage on SQS";
  const Role = await makeRole(setting.iam, "poor");
  const poor = await setting.consumer(NOTE, { Role });
  await refused({ EventSourceArn: queue.arn, FunctionName: poor }, REFUSED);
  await refused({ EventSourceArn: arn("sqs", "nowhere") }, /AWS\.SimpleQueueService\.NonExistentQueue/);
  const slow = await setting.consumer(NOTE, { Timeout: 5 });
  await refused(
    { EventSourceArn: queue.arn, FunctionName: slow },
    "Queue visibility timeout: 1 seconds is less than Function timeout: 5 seconds",
  );
  await refused(
    { EventSourceArn: queue.arn.replace("us-east-1", "eu-west-1") },
    /must be in the function's region/,
  );
});

test("CreateEventSourceMapping says what AWS would refuse", async () => {
  const AT = new Date("2026-01-01T00:00:00Z");
  const QUEUE = queue.arn;
  for (const [input, message] of [
    [{}, /EventSourceArn or SelfManagedEventSource is required/],
    [{ EventSourceArn: arn("s3", "bucket") }, /Unrecognized event source/],
    [
      { EventSourceArn: QUEUE, StartingPosition: "LATEST" },
      /StartingPosition is not supported .* Amazon SQS/,
    ],
    [{ EventSourceArn: QUEUE, ParallelizationFactor: 2 }, /ParallelizationFactor is not supported/],
    [{ EventSourceArn: QUEUE, MaximumRetryAttempts: 2 }, /MaximumRetryAttempts is not supported/],
    [
      { EventSourceArn: QUEUE, BisectBatchOnFunctionError: true },
      /BisectBatchOnFunctionError is not supported/,
    ],
    [{ EventSourceArn: QUEUE, TumblingWindowInSeconds: 1 }, /TumblingWindowInSeconds is not supported/],
    [
      { EventSourceArn: QUEUE, DestinationConfig: { OnFailure: { Destination: QUEUE } } },
      /DestinationConfig is not supported/,
    ],
    [{ EventSourceArn: QUEUE, MetricsConfig: { Metrics: ["ErrorCount"] } }, /ErrorCount is not supported/],
    [
      { EventSourceArn: BROKER, Queues: ["q"], MetricsConfig: { Metrics: ["EventCount"] } },
      /EventCount is not supported for event sources of Amazon MQ/,
    ],
    [{ EventSourceArn: QUEUE, LoggingConfig: { SystemLogLevel: "INFO" } }, /LoggingConfig is not supported/],
    [{ EventSourceArn: QUEUE, BatchSize: 11 }, /Maximum batch window in seconds must be greater than 0/],
    [{ EventSourceArn: `${QUEUE}.fifo`, BatchSize: 11 }, /FIFO queue is at most 10/],
    [{ EventSourceArn: `${QUEUE}.fifo`, MaximumBatchingWindowInSeconds: 1 }, /not supported for FIFO/],
    [
      {
        EventSourceArn: QUEUE,
        ScalingConfig: { MaximumConcurrency: 2 },
        ProvisionedPollerConfig: { MinimumPollers: 2 },
      },
      /exclude each other/,
    ],
    [{ EventSourceArn: QUEUE, ProvisionedPollerConfig: { MinimumPollers: 1 } }, /at least 2/],
    [
      { EventSourceArn: QUEUE, ProvisionedPollerConfig: { MinimumPollers: 9, MaximumPollers: 8 } },
      /MinimumPollers cannot be greater/,
    ],
    [{ EventSourceArn: QUEUE, FilterCriteria: { Filters: [{ Pattern: "{" }] } }, /^Invalid filter pattern/],
    [
      { EventSourceArn: QUEUE, FilterCriteria: { Filters: [{ Pattern: '{"body":[{"wildcard":"*"}]}' }] } },
      /Unrecognized match type wildcard/,
    ],
    [{ EventSourceArn: STREAM }, /StartingPosition is required/],
    [{ EventSourceArn: STREAM, StartingPosition: "AT_TIMESTAMP" }, /StartingPositionTimestamp goes with/],
    [
      { EventSourceArn: STREAM, StartingPosition: "LATEST", StartingPositionTimestamp: AT },
      /StartingPositionTimestamp goes with/,
    ],
    [
      { EventSourceArn: TABLE, StartingPosition: "AT_TIMESTAMP", StartingPositionTimestamp: AT },
      /Unsupported starting position/,
    ],
    [{ EventSourceArn: STREAM, StartingPosition: "LATEST", MaximumRecordAgeInSeconds: 59 }, /at least 60/],
    [{ EventSourceArn: CLUSTER, StartingPosition: "LATEST" }, /Topics is required/],
    [{ EventSourceArn: BROKER }, /Queues is required/],
    [
      {
        EventSourceArn: CLUSTER,
        SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: ["host:9092"] } },
      },
      /EventSourceArn and SelfManagedEventSource exclude/,
    ],
  ] as [Given, RegExp][])
    await refused(input, message);
  await refused(
    { EventSourceArn: QUEUE, FunctionName: "nobody" },
    /Function not found/,
    "ResourceNotFoundException",
  );
  const access = Array.from({ length: 24 }, () => ({ Type: "VPC_SUBNET" as const, URI: "subnet:s-1" }));
  for (const [input, member] of [
    [{ EventSourceArn: QUEUE, BatchSize: 10_001 }, /batchSize/i],
    [{ EventSourceArn: QUEUE, BatchSize: 0 }, /batchSize/i],
    [{ EventSourceArn: QUEUE, MaximumBatchingWindowInSeconds: 301 }, /maximumBatchingWindowInSeconds/i],
    [{ EventSourceArn: QUEUE, ScalingConfig: { MaximumConcurrency: 1 } }, /maximumConcurrency/i],
    [{ EventSourceArn: QUEUE, ScalingConfig: { MaximumConcurrency: 2_001 } }, /maximumConcurrency/i],
    [{ EventSourceArn: QUEUE, ProvisionedPollerConfig: { MinimumPollers: 201 } }, /minimumPollers/i],
    [{ EventSourceArn: QUEUE, ProvisionedPollerConfig: { MaximumPollers: 10_001 } }, /maximumPollers/i],
    [{ EventSourceArn: STREAM, ParallelizationFactor: 11 }, /parallelizationFactor/i],
    [{ EventSourceArn: STREAM, TumblingWindowInSeconds: 901 }, /tumblingWindowInSeconds/i],
    [{ EventSourceArn: STREAM, MaximumRetryAttempts: 10_001 }, /maximumRetryAttempts/i],
    [{ EventSourceArn: STREAM, MaximumRecordAgeInSeconds: 604_801 }, /maximumRecordAgeInSeconds/i],
    [{ EventSourceArn: CLUSTER, Topics: ["aa", "bb"] }, /topics/i],
    [{ EventSourceArn: BROKER, Queues: ["aa", "bb"] }, /queues/i],
    [{ EventSourceArn: BROKER, SourceAccessConfigurations: access }, /sourceAccessConfigurations/i],
    [
      {
        EventSourceArn: CLUSTER,
        AmazonManagedKafkaEventSourceConfig: { ConsumerGroupId: "g".repeat(201) },
      },
      /consumerGroupId/i,
    ],
    [{ EventSourceArn: QUEUE, FilterCriteria: { Filters: [{ Pattern: "x".repeat(4_097) }] } }, /pattern/i],
  ] as [Given, RegExp][])
    await refused(input, member, "ValidationException");
  const Filters = Array.from({ length: 11 }, () => ({ Pattern: '{"body":["x"]}' }));
  await refused({ EventSourceArn: QUEUE, FilterCriteria: { Filters } }, /more than 10 filters/);
  // AWS has 10,000 for queues alone.
  await refused(
    {
      EventSourceArn: CLUSTER,
      Topics: ["topic"],
      StartingPosition: "LATEST",
      ProvisionedPollerConfig: { MaximumPollers: 2_001 },
    },
    /at most 2000/,
  );
});

const statement = (Effect: string, AWS: string, Action = "sqs:*") => ({
  Effect,
  Principal: { AWS },
  Action,
  Resource: "*",
});
const policy = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });

test("a queue's own policy is enough for a role of its account, and a deny in it is final", async () => {
  const Role = await makeRole(setting.iam, "named-by-queue");
  const named = await setting.consumer(NOTE, { Role });
  const own = await setting.queue("naming", { Policy: policy(statement("Allow", Role)) });
  const uuid = await setting.map(named, own);
  await setting.send(own, ["m"]);
  await setting.noted(named, 1);
  const setPolicy = (...Statement: object[]) =>
    setting.sqs.send(
      new SetQueueAttributesCommand({ QueueUrl: own.url, Attributes: { Policy: policy(...Statement) } }),
    );
  const denied = "The provided execution role does not have permissions to call ReceiveMessage on SQS";
  await setPolicy(
    statement("Allow", Role),
    statement("Deny", Role, "sqs:ReceiveMessage"),
    statement("Deny", setting.readerRole, "sqs:ReceiveMessage"),
  );
  await refused({ EventSourceArn: own.arn }, denied);
  // What was allowed is believed for a second.
  await until(async () => {
    await setting.send(own, ["kept"]);
    return (await setting.mapping(uuid)).LastProcessingResult === `PROBLEM: ${denied}`;
  });
  await setPolicy(statement("Allow", Role));
  await setting.noted(named, 2);
  // What the role's own policies deny, no queue can give.
  const Statement = [{ Effect: "Deny", Action: "sqs:DeleteMessage", Resource: "*" }];
  await setting.iam.send(
    new PutRolePolicyCommand({
      RoleName: "named-by-queue",
      PolicyName: "denied",
      PolicyDocument: policy(...Statement),
    }),
  );
  const other = await setting.consumer(NOTE, { Role });
  await refused({ EventSourceArn: own.arn, FunctionName: other }, /permissions to call DeleteMessage on SQS/);
  await remove(uuid);
});

test("a queue of another account is read where its policy and the role's both allow it", async () => {
  const theirs = queues(new SQSClient(setting.server.client({ account: "111111111111" })));
  const REFUSED = /does not have permissions to call ReceiveMessage on SQS/;
  const closed = await theirs.queue("closed");
  await refused({ EventSourceArn: closed.arn }, REFUSED);
  await refused({ EventSourceArn: closed.arn.replace("closed", "nowhere") }, REFUSED);
  const open = await theirs.queue("open", { Policy: policy(statement("Allow", ACCOUNT)) });
  const poor = await setting.consumer(NOTE, { Role: await makeRole(setting.iam, "poor-abroad") });
  await refused({ EventSourceArn: open.arn, FunctionName: poor }, REFUSED);
  const reader = await setting.consumer("note(event.Records.map((one) => [one.body, one.eventSourceARN]));");
  const uuid = await setting.map(reader, open);
  await theirs.send(open, ["abroad"]);
  assert.deepEqual(await setting.noted(reader, 1), [[["abroad", open.arn]]]);
  await until(async () => (await theirs.counts(open)).inFlight === 0);
  await remove(uuid);
});

test("a mapping whose queue is gone can be disabled, and not enabled again", async () => {
  const own = await setting.queue("lost");
  const uuid = await setting.map(name, own);
  await setting.sqs.send(new DeleteQueueCommand({ QueueUrl: own.url }));
  await update({ UUID: uuid, Enabled: false });
  await reaches(uuid, "Disabled");
  await assert.rejects(update({ UUID: uuid, Enabled: true }), { message: /NonExistentQueue/ });
  await remove(uuid);
});

test("CreateEventSourceMapping refuses by name what is not there", async () => {
  await refused(
    { EventSourceArn: queue.arn, KMSKeyArn: arn("kms", `key/${UUID}`) },
    /KMSKeyArn/,
    "NotImplemented",
  );
  await refused(
    {
      EventSourceArn: DOCUMENTS,
      DocumentDBEventSourceConfig: { DatabaseName: "d" },
      StartingPosition: "LATEST",
    },
    /Amazon DocumentDB/,
    "NotImplemented",
  );
});

test("GetEventSourceMapping, UpdateEventSourceMapping and DeleteEventSourceMapping find nothing where nothing is", async () => {
  const missing = {
    name: "ResourceNotFoundException",
    message: "The resource you requested does not exist.",
  };
  await assert.rejects(setting.mapping(UUID), missing);
  await assert.rejects(remove(UUID), missing);
  await assert.rejects(update({ UUID, BatchSize: 1 }), missing);
  await assert.rejects(setting.lambda.send(new GetEventSourceMappingCommand({ UUID: "short" })), {
    name: "ValidationException",
  });
});
