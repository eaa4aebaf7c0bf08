/** CloudWatch Logs: groups, streams, retention and tags. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DeleteLogGroupCommand,
  DeleteLogStreamCommand,
  DeleteRetentionPolicyCommand,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  ListLogGroupsCommand,
  ListTagsForResourceCommand,
  ListTagsLogGroupCommand,
  paginateDescribeLogGroups,
  paginateDescribeLogStreams,
  PutLogEventsCommand,
  PutRetentionPolicyCommand,
  TagLogGroupCommand,
  TagResourceCommand,
  UntagLogGroupCommand,
  UntagResourceCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import type { ListLogGroupsCommandInput } from "@aws-sdk/client-cloudwatch-logs";
import { startServer } from "../harness/server.ts";
import type { TestServer } from "../harness/server.ts";

let server: TestServer;
let logs: CloudWatchLogsClient;
before(async () => {
  server = await startServer();
  logs = new CloudWatchLogsClient(server.client());
});
after(async () => {
  logs.destroy();
  await server.stop();
});

const makeGroup = (logGroupName: string, more: object = {}) =>
  logs.send(new CreateLogGroupCommand({ logGroupName, ...more }));
const makeStream = (logGroupName: string, logStreamName: string) =>
  logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
const describe = async (logGroupNamePrefix: string) =>
  (await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix }))).logGroups ?? [];
const fails = (work: Promise<unknown>, name: string, message: string | RegExp) =>
  assert.rejects(work, { name, message });
const NO_GROUP = "The specified log group does not exist.";

test("CreateLogGroup makes a group of an account and region, once", async () => {
  await makeGroup("made", { tags: { stage: "dev" } });
  const [group] = await describe("made");
  assert.equal(group?.arn, "arn:aws:logs:us-east-1:000000000000:log-group:made:*");
  assert.equal(group?.logGroupArn, "arn:aws:logs:us-east-1:000000000000:log-group:made");
  assert.equal(group?.storedBytes, 0);
  assert.equal(group?.metricFilterCount, 0);
  assert.equal(group?.retentionInDays, undefined);
  await fails(makeGroup("made"), "ResourceAlreadyExistsException", "The specified log group already exists");
  const elsewhere = new CloudWatchLogsClient(server.client({ region: "eu-west-1" }));
  assert.deepEqual((await elsewhere.send(new DescribeLogGroupsCommand({}))).logGroups, []);
  elsewhere.destroy();
});

test("CreateLogGroup refuses what is not done, by name", async () => {
  await fails(
    makeGroup("key", { kmsKeyId: "arn:aws:kms:us-east-1:000000000000:key/a" }),
    "NotImplemented",
    /kmsKeyId/,
  );
  await fails(makeGroup("held", { deletionProtectionEnabled: true }), "NotImplemented", /deletionProtection/);
  await fails(makeGroup("bad name"), "InvalidParameterException", /logGroupName/);
  await fails(makeGroup("aws/own"), "InvalidParameterException", /aws\//);
});

test("DescribeLogGroups pages by name, and searches by prefix and pattern", async () => {
  for (const name of ["page/b", "page/a", "page/c", "Page/d"]) await makeGroup(name);
  const names: (string | undefined)[] = [];
  let pages = 0;
  for await (const page of paginateDescribeLogGroups(
    { client: logs, pageSize: 2 },
    { logGroupNamePrefix: "page/" },
  )) {
    pages++;
    names.push(...(page.logGroups ?? []).map((group) => group.logGroupName));
  }
  assert.deepEqual([names, pages], [["page/a", "page/b", "page/c"], 2]);
  const found = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePattern: "age/" }));
  assert.equal(found.logGroups?.length, 4);
  assert.deepEqual(Object.keys(found.logGroups?.[0] ?? {}).sort(), ["arn", "creationTime", "logGroupName"]);
  await fails(
    logs.send(new DescribeLogGroupsCommand({ logGroupNamePattern: "x", logGroupNamePrefix: "y" })),
    "InvalidParameterException",
    /mutually exclusive/,
  );
  await fails(
    logs.send(new DescribeLogGroupsCommand({ nextToken: "nonsense" })),
    "InvalidParameterException",
    "The specified nextToken is invalid.",
  );
});

test("ListLogGroups finds groups by parts of names and by their beginnings, page by page", async () => {
  for (const name of ["/list/orders", "/list/payments", "other/list/orders"]) await makeGroup(name);
  await makeGroup("/list/rare", { logGroupClass: "INFREQUENT_ACCESS" });
  const list = async (input: ListLogGroupsCommandInput) => {
    const { logGroups = [] } = await logs.send(new ListLogGroupsCommand(input));
    return logGroups.map(({ logGroupName }) => logGroupName);
  };
  assert.deepEqual(await list({ logGroupNamePattern: "list/orders" }), ["/list/orders", "other/list/orders"]);
  assert.deepEqual(await list({ logGroupNamePattern: "^/list/o|payments" }), [
    "/list/orders",
    "/list/payments",
  ]);
  assert.deepEqual(await list({ logGroupNamePattern: "/list", logGroupClass: "INFREQUENT_ACCESS" }), [
    "/list/rare",
  ]);
  const page = await logs.send(new ListLogGroupsCommand({ logGroupNamePattern: "^/list", limit: 2 }));
  assert.deepEqual(page.logGroups?.[0], {
    logGroupName: "/list/orders",
    logGroupArn: "arn:aws:logs:us-east-1:000000000000:log-group:/list/orders",
    logGroupClass: "STANDARD",
  });
  assert.deepEqual(await list({ logGroupNamePattern: "^/list", nextToken: page.nextToken }), ["/list/rare"]);
  await assert.rejects(list({ includeLinkedAccounts: true }), { name: "NotImplemented" });
});

test("DeleteLogGroup takes streams and events with it", async () => {
  await makeGroup("ending");
  await makeStream("ending", "s");
  await logs.send(new DeleteLogGroupCommand({ logGroupName: "ending" }));
  await fails(
    logs.send(new DeleteLogGroupCommand({ logGroupName: "ending" })),
    "ResourceNotFoundException",
    NO_GROUP,
  );
  await makeGroup("ending");
  const { logStreams } = await logs.send(new DescribeLogStreamsCommand({ logGroupName: "ending" }));
  assert.deepEqual(logStreams, []);
});

test("CreateLogStream and DeleteLogStream", async () => {
  await fails(makeStream("nowhere", "s"), "ResourceNotFoundException", NO_GROUP);
  await makeGroup("streams");
  await makeStream("streams", "one");
  await fails(
    makeStream("streams", "one"),
    "ResourceAlreadyExistsException",
    "The specified log stream already exists",
  );
  const one = { logGroupName: "streams", logStreamName: "one" };
  await logs.send(new DeleteLogStreamCommand(one));
  await fails(
    logs.send(new DeleteLogStreamCommand(one)),
    "ResourceNotFoundException",
    "The specified log stream does not exist.",
  );
});

test("DescribeLogStreams orders by name or last event, pages, and finds prefixes", async () => {
  await makeGroup("order");
  const now = Date.now();
  for (const [name, age] of [
    ["a1", 3_000],
    ["a2", 1_000],
    ["b1", 2_000],
  ] as const) {
    await makeStream("order", name);
    await logs.send(
      new PutLogEventsCommand({
        logGroupName: "order",
        logStreamName: name,
        logEvents: [{ timestamp: now - age, message: "x" }],
      }),
    );
  }
  await makeStream("order", "a0");
  const list = async (more: object) => {
    const names: (string | undefined)[] = [];
    for await (const page of paginateDescribeLogStreams(
      { client: logs, pageSize: 2 },
      { logGroupName: "order", ...more },
    ))
      names.push(...(page.logStreams ?? []).map((stream) => stream.logStreamName));
    return names;
  };
  assert.deepEqual(await list({}), ["a0", "a1", "a2", "b1"]);
  assert.deepEqual(await list({ descending: true }), ["b1", "a2", "a1", "a0"]);
  assert.deepEqual(await list({ logStreamNamePrefix: "a" }), ["a0", "a1", "a2"]);
  assert.deepEqual(await list({ logStreamNamePrefix: "a", descending: true }), ["a2", "a1", "a0"]);
  assert.deepEqual(await list({ orderBy: "LastEventTime", descending: true }), ["a2", "b1", "a1", "a0"]);
  assert.deepEqual(await list({ orderBy: "LastEventTime" }), ["a0", "a1", "b1", "a2"]);
  await fails(
    list({ orderBy: "LastEventTime", logStreamNamePrefix: "a" }),
    "InvalidParameterException",
    "Cannot order by LastEventTime with a logStreamNamePrefix.",
  );
  const { logStreams } = await logs.send(
    new DescribeLogStreamsCommand({
      logGroupIdentifier: "arn:aws:logs:us-east-1:000000000000:log-group:order",
      logStreamNamePrefix: "a1",
    }),
  );
  assert.equal(logStreams?.[0]?.lastEventTimestamp, now - 3_000);
  assert.equal(logStreams?.[0]?.arn, "arn:aws:logs:us-east-1:000000000000:log-group:order:log-stream:a1");
});

test("PutRetentionPolicy and DeleteRetentionPolicy", async () => {
  await makeGroup("kept");
  const put = (retentionInDays: number) =>
    logs.send(new PutRetentionPolicyCommand({ logGroupName: "kept", retentionInDays }));
  await put(7);
  assert.equal((await describe("kept"))[0]?.retentionInDays, 7);
  await fails(put(2), "InvalidParameterException", /Value '2' at 'retentionInDays'/);
  await logs.send(new DeleteRetentionPolicyCommand({ logGroupName: "kept" }));
  assert.equal((await describe("kept"))[0]?.retentionInDays, undefined);
  await fails(
    logs.send(new PutRetentionPolicyCommand({ logGroupName: "nowhere", retentionInDays: 1 })),
    "ResourceNotFoundException",
    NO_GROUP,
  );
});

test("TagResource, UntagResource and ListTagsForResource", async () => {
  await makeGroup("tagged", { tags: { a: "1" } });
  const resourceArn = "arn:aws:logs:us-east-1:000000000000:log-group:tagged";
  await logs.send(new TagResourceCommand({ resourceArn, tags: { b: "2" } }));
  const list = async () => (await logs.send(new ListTagsForResourceCommand({ resourceArn }))).tags;
  assert.deepEqual(await list(), { a: "1", b: "2" });
  await logs.send(new UntagResourceCommand({ resourceArn, tagKeys: ["a"] }));
  assert.deepEqual(await list(), { b: "2" });
  await fails(
    logs.send(
      new TagResourceCommand({
        resourceArn,
        tags: Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`k${n}`, "v"])),
      }),
    ),
    "TooManyTagsException",
    /50/,
  );
  await fails(
    logs.send(new ListTagsForResourceCommand({ resourceArn: `${resourceArn}-not` })),
    "ResourceNotFoundException",
    /does not exist/,
  );
});

test("TagLogGroup, UntagLogGroup and ListTagsLogGroup", async () => {
  await makeGroup("old-tags");
  const logGroupName = "old-tags";
  await logs.send(new TagLogGroupCommand({ logGroupName, tags: { a: "1", b: "2" } }));
  await logs.send(new UntagLogGroupCommand({ logGroupName, tags: ["a"] }));
  assert.deepEqual((await logs.send(new ListTagsLogGroupCommand({ logGroupName }))).tags, { b: "2" });
});
