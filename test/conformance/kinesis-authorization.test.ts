/** Who may read and write streams: users' policies, those of streams and consumers, and other accounts; with authentication on. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  AddTagsToStreamCommand,
  CreateStreamCommand,
  DeleteResourcePolicyCommand,
  DeregisterStreamConsumerCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetResourcePolicyCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
  ListStreamsCommand,
  PutRecordCommand,
  PutResourcePolicyCommand,
  RegisterStreamConsumerCommand,
  SubscribeToShardCommand,
} from "@aws-sdk/client-kinesis";
import { start } from "../../src/index.ts";
import type { Running } from "../../src/index.ts";
import { FIRST_SHARD, arnOf, refusal, startKinesis } from "../harness/kinesis.ts";
import { makeUser } from "../harness/principals.ts";
import type { TestUser } from "../harness/principals.ts";
import { rootOptions } from "../harness/server.ts";
import type { ClientOptions } from "../harness/server.ts";

let server: Running;
let root: KinesisClient;
let rootClient: ClientOptions;
let user: TestUser;
let client: KinesisClient;
before(async () => {
  server = await start({ auth: "on", sandbox: "process", logLevel: "error" });
  rootClient = await rootOptions(server);
  root = new KinesisClient(rootClient);
  user = await makeUser(rootClient, "reader");
  client = new KinesisClient(user.options);
  for (const StreamName of ["mine", "other"])
    await root.send(new CreateStreamCommand({ StreamName, ShardCount: 2, Tags: { team: StreamName } }));
});
after(async () => {
  root.destroy();
  client.destroy();
  await server.stop();
});

const put = (StreamName: string, by = client) =>
  refusal(
    by.send(
      new PutRecordCommand({ StreamName, PartitionKey: "k", ExplicitHashKey: "0", Data: Buffer.from("x") }),
    ),
  );
const denied = (action: string, resource: string, why: string) =>
  `AccessDeniedException: User: ${user.arn} is not authorized to perform: kinesis:${action} on resource: ${resource} ${why}`;
const byIdentity = (action: string) => `because no identity-based policy allows the kinesis:${action} action`;

test("users may what their policies allow, on the streams that they name and by their tags", async () => {
  assert.equal(await put("mine"), denied("PutRecord", arnOf("mine"), byIdentity("PutRecord")));
  await user.may(
    {
      Action: ["kinesis:PutRecord", "kinesis:GetShardIterator", "kinesis:GetRecords"],
      Resource: arnOf("mine"),
    },
    {
      Action: "kinesis:DescribeStreamSummary",
      Condition: { StringEquals: { "aws:ResourceTag/team": "other" } },
    },
  );
  assert.equal(await put("mine"), "(accepted)");
  assert.equal(await put("other"), denied("PutRecord", arnOf("other"), byIdentity("PutRecord")));
  const describe = (StreamName: string) =>
    refusal(client.send(new DescribeStreamSummaryCommand({ StreamName })));
  assert.equal(await describe("other"), "(accepted)");
  assert.match(await describe("mine"), /^AccessDeniedException/);
  const shard = { ShardId: FIRST_SHARD, ShardIteratorType: "TRIM_HORIZON" } as const;
  const own = await client.send(new GetShardIteratorCommand({ StreamName: "mine", ...shard }));
  const { Records } = await client.send(new GetRecordsCommand({ ShardIterator: own.ShardIterator }));
  assert.equal(Records?.length, 1);
  const foreign = await root.send(new GetShardIteratorCommand({ StreamName: "other", ...shard }));
  assert.equal(
    await refusal(client.send(new GetRecordsCommand({ ShardIterator: foreign.ShardIterator }))),
    denied("GetRecords", arnOf("other"), byIdentity("GetRecords")),
  );
  assert.equal(
    await refusal(client.send(new ListStreamsCommand({}))),
    denied("ListStreams", "*", byIdentity("ListStreams")),
  );
  const page = await root.send(new ListShardsCommand({ StreamName: "other", MaxResults: 1 }));
  assert.equal(
    await refusal(client.send(new ListShardsCommand({ NextToken: page.NextToken }))),
    denied("ListShards", arnOf("other"), byIdentity("ListShards")),
  );
  const create = { StreamName: "tagged", ShardCount: 1, Tags: { a: "b" } };
  await user.may({ Action: "kinesis:CreateStream" });
  assert.equal(
    await refusal(client.send(new CreateStreamCommand(create))),
    denied("AddTagsToStream", arnOf("tagged"), byIdentity("AddTagsToStream")),
  );
  await user.may({
    Action: "kinesis:AddTagsToStream",
    Condition: { StringEquals: { "aws:RequestTag/a": "b" } },
  });
  const tag = (value: string) =>
    refusal(client.send(new AddTagsToStreamCommand({ StreamName: "mine", Tags: { a: value } })));
  assert.equal(await tag("b"), "(accepted)");
  assert.match(await tag("c"), /^AccessDeniedException/);
  await user.may();
});

test("PutResourcePolicy lets a stream grant and deny by itself; GetResourcePolicy and DeleteResourcePolicy", async () => {
  const ResourceARN = arnOf("mine");
  const statement = (Effect: "Allow" | "Deny", Action: string) => ({
    Effect,
    Principal: { AWS: user.arn },
    Action,
    Resource: ResourceARN,
  });
  const set = (...Statement: object[]) =>
    root.send(
      new PutResourcePolicyCommand({
        ResourceARN,
        Policy: JSON.stringify({ Version: "2012-10-17", Statement }),
      }),
    );
  assert.match(
    await refusal(root.send(new GetResourcePolicyCommand({ ResourceARN }))),
    /^ResourceNotFoundException/,
  );
  await set(statement("Allow", "kinesis:PutRecord"));
  assert.equal(await put("mine"), "(accepted)");
  await user.may({ Action: "kinesis:*" });
  await set(statement("Deny", "kinesis:PutRecord"));
  assert.equal(
    await put("mine"),
    denied("PutRecord", ResourceARN, "with an explicit deny in a resource-based policy"),
  );
  await set({ ...statement("Deny", "kinesis:*"), Principal: "*" });
  assert.match(await put("mine", root), /explicit deny in a resource-based policy/);
  const { Policy = "" } = await root.send(new GetResourcePolicyCommand({ ResourceARN }));
  assert.match(Policy, /"Deny"/);
  await root.send(new DeleteResourcePolicyCommand({ ResourceARN }));
  assert.equal(await put("mine"), "(accepted)");
  assert.match(
    await refusal(root.send(new DeleteResourcePolicyCommand({ ResourceARN }))),
    /^ResourceNotFoundException/,
  );
  const ghost = { AWS: "arn:aws:iam::000000000000:user/ghost" };
  const unknown = Policy.replaceAll(
    /"Principal":("[^"]*"|\{[^}]*\})/g,
    `"Principal":${JSON.stringify(ghost)}`,
  );
  for (const Policy of ["{}", "no JSON", unknown])
    assert.match(
      await refusal(root.send(new PutResourcePolicyCommand({ ResourceARN, Policy }))),
      /^InvalidArgumentException: Invalid resource policy/,
    );
  await user.may();
});

test("consumers are allowed by their own ARN and by their own policy", async () => {
  const register = () =>
    root.send(new RegisterStreamConsumerCommand({ StreamARN: arnOf("mine"), ConsumerName: "fan" }));
  const { Consumer } = await register();
  const ConsumerARN = Consumer?.ConsumerARN ?? "";
  const subscribe = async () => {
    const request = client.send(
      new SubscribeToShardCommand({
        ConsumerARN,
        ShardId: FIRST_SHARD,
        StartingPosition: { Type: "TRIM_HORIZON" },
        DryRun: true,
      }),
    );
    return refusal(request);
  };
  assert.equal(await subscribe(), denied("SubscribeToShard", ConsumerARN, byIdentity("SubscribeToShard")));
  await user.may({ Action: "kinesis:SubscribeToShard", Resource: `${arnOf("mine")}/consumer/fan:*` });
  assert.match(await subscribe(), /^DryRunOperationException/);
  await user.may({
    Action: "kinesis:DeregisterStreamConsumer",
    Resource: `${arnOf("mine")}/consumer/other:*`,
  });
  assert.equal(
    await refusal(
      client.send(new DeregisterStreamConsumerCommand({ StreamARN: arnOf("mine"), ConsumerName: "fan" })),
    ),
    denied("DeregisterStreamConsumer", ConsumerARN, byIdentity("DeregisterStreamConsumer")),
  );
  await user.may();
  const Statement = [
    {
      Effect: "Allow",
      Principal: { AWS: user.arn },
      Action: "kinesis:SubscribeToShard",
      Resource: ConsumerARN,
    },
  ];
  await root.send(
    new PutResourcePolicyCommand({
      ResourceARN: ConsumerARN,
      Policy: JSON.stringify({ Version: "2012-10-17", Statement }),
    }),
  );
  assert.match(await subscribe(), /^DryRunOperationException/);
});

test("another account reads and writes a stream by its ARN where its policy says so", async () => {
  const setting = await startKinesis();
  const name = await setting.stream();
  const other = new KinesisClient(setting.server.client({ account: "333333333333" }));
  const record = { StreamARN: arnOf(name), PartitionKey: "k", Data: Buffer.from("x") };
  const write = () => refusal(other.send(new PutRecordCommand(record)));
  assert.match(await write(), /no resource-based policy allows the kinesis:PutRecord action/);
  const Statement = [
    {
      Effect: "Allow",
      Principal: { AWS: "arn:aws:iam::333333333333:root" },
      Action: "kinesis:PutRecord",
      Resource: arnOf(name),
    },
  ];
  await setting.client.send(
    new PutResourcePolicyCommand({
      ResourceARN: arnOf(name),
      Policy: JSON.stringify({ Version: "2012-10-17", Statement }),
    }),
  );
  assert.equal(await write(), "(accepted)");
  assert.match(
    await refusal(other.send(new DescribeStreamSummaryCommand({ StreamARN: arnOf(name) }))),
    /no resource-based policy allows the kinesis:DescribeStreamSummary action/,
  );
  other.destroy();
  await setting.stop();
});
