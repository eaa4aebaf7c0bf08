/** Policies by resource: one bucket and prefix, one table, index and item, one function, one log group; batches and copies. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
  TagResourceCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  CreateBackupCommand,
  CreateTableCommand,
  DescribeBackupCommand,
  DynamoDBClient,
  GetItemCommand,
  ListBackupsCommand,
  PutItemCommand,
  QueryCommand,
  RestoreTableFromBackupCommand,
  ScanCommand,
  TransactGetItemsCommand,
  TransactWriteItemsCommand,
  waitUntilTableExists,
} from "@aws-sdk/client-dynamodb";
import {
  CreatePolicyCommand,
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateUserCommand,
  GetPolicyCommand,
  GetUserCommand,
  IAMClient,
  UpdateUserCommand,
} from "@aws-sdk/client-iam";
import {
  AbortMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { makeUser, policyOf } from "../harness/principals.ts";
import type { TestUser } from "../harness/principals.ts";
import { startServer } from "../harness/server.ts";
import type { ClientOptions, TestServer } from "../harness/server.ts";

let server: TestServer;
let root: ClientOptions;
before(async () => {
  server = await startServer();
  root = server.client();
});
after(() => server.stop());

/** What was refused, as `action on resource`, by the text of the refusal; undefined when all was allowed. */
async function refused(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    const { message, name } = error as Error;
    const match = /is not authorized to perform: (\S+) on resource: "?([^"\s]+)"?/.exec(message);
    return match ? `${match[1]} on ${match[2]}` : `${name}: ${message}`;
  }
}

const bucketArn = (bucket: string, key?: string) =>
  `arn:aws:s3:::${bucket}${key === undefined ? "" : `/${key}`}`;

async function makeBucket(Bucket: string, ...keys: readonly string[]): Promise<S3Client> {
  const s3 = new S3Client(root);
  await s3.send(new CreateBucketCommand({ Bucket }));
  for (const Key of keys) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
  return s3;
}

test("S3: objects of one prefix, and the listing of that prefix", async () => {
  const Bucket = "prefixed";
  await makeBucket(Bucket, "mine/a", "theirs/a");
  const user = await makeUser(
    root,
    "prefix-user",
    { Action: ["s3:GetObject", "s3:PutObject"], Resource: bucketArn(Bucket, "mine/*") },
    {
      Action: "s3:ListBucket",
      Resource: bucketArn(Bucket),
      Condition: { StringLike: { "s3:prefix": "mine/*" }, StringEquals: { "s3:delimiter": "/" } },
    },
  );
  const s3 = new S3Client(user.options);
  await s3.send(new GetObjectCommand({ Bucket, Key: "mine/a" }));
  await s3.send(new HeadObjectCommand({ Bucket, Key: "mine/a" }));
  await s3.send(new PutObjectCommand({ Bucket, Key: "mine/b", Body: "b" }));
  await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "mine/", Delimiter: "/" }));
  const list = `s3:ListBucket on ${bucketArn(Bucket)}`;
  assert.equal(await refused(s3.send(new ListObjectsV2Command({ Bucket, Prefix: "mine/" }))), list);
  assert.equal(await refused(s3.send(new ListObjectsV2Command({ Bucket }))), list);
  const read = await refused(s3.send(new GetObjectCommand({ Bucket, Key: "theirs/a" })));
  assert.equal(read, `s3:GetObject on ${bucketArn(Bucket, "theirs/a")}`);
  const write = await refused(s3.send(new PutObjectCommand({ Bucket, Key: "theirs/b", Body: "b" })));
  assert.equal(write, `s3:PutObject on ${bucketArn(Bucket, "theirs/b")}`);
  // HEAD's answers have no body, so no text.
  const status = (work: Promise<unknown>) =>
    work.then(
      () => 200,
      (error: { $metadata: { httpStatusCode: number } }) => error.$metadata.httpStatusCode,
    );
  assert.equal(await status(s3.send(new HeadObjectCommand({ Bucket, Key: "theirs/a" }))), 403);
  assert.equal(await status(s3.send(new HeadBucketCommand({ Bucket }))), 403);
});

test("S3: an object that is not there is told only to those who may list the bucket", async () => {
  const Bucket = "absence";
  await makeBucket(Bucket);
  const get = { Action: "s3:GetObject", Resource: bucketArn(Bucket, "*") };
  const user = await makeUser(root, "absence-user", get);
  const s3 = new S3Client(user.options);
  const ask = () => refused(s3.send(new GetObjectCommand({ Bucket, Key: "nothing" })));
  assert.equal(await ask(), `s3:ListBucket on ${bucketArn(Bucket)}`);
  await user.may(get, { Action: "s3:ListBucket", Resource: bucketArn(Bucket) });
  assert.match((await ask()) ?? "", /^NoSuchKey/);
});

test("S3: versions, tags, uploads, copies and settings have actions of their own", async () => {
  const Bucket = "actions";
  const owner = await makeBucket(Bucket, "k");
  await makeBucket("secrets", "k");
  await owner.send(
    new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }),
  );
  const { VersionId } = await owner.send(new PutObjectCommand({ Bucket, Key: "k", Body: "2" }));
  const upload = { Bucket, Key: "k" };
  const { UploadId } = await owner.send(new CreateMultipartUploadCommand(upload));
  const part = { ...upload, UploadId, PartNumber: 1 };
  const user = await makeUser(root, "actions-user", { Action: "s3:NothingAtAll" });
  const s3 = new S3Client(user.options);
  const key = bucketArn(Bucket, "k");
  const CopySource = "secrets/k";
  const cases: [work: () => Promise<unknown>, ...needed: string[]][] = [
    [() => s3.send(new GetObjectCommand({ ...upload, VersionId })), `s3:GetObjectVersion on ${key}`],
    [() => s3.send(new GetObjectTaggingCommand(upload)), `s3:GetObjectTagging on ${key}`],
    [
      () => s3.send(new PutObjectCommand({ ...upload, Body: "3", Tagging: "a=b" })),
      `s3:PutObject on ${key}`,
      `s3:PutObjectTagging on ${key}`,
    ],
    [() => s3.send(new DeleteObjectCommand({ ...upload, VersionId })), `s3:DeleteObjectVersion on ${key}`],
    [() => s3.send(new UploadPartCommand({ ...part, Body: "p" })), `s3:PutObject on ${key}`],
    [() => s3.send(new ListPartsCommand({ ...upload, UploadId })), `s3:ListMultipartUploadParts on ${key}`],
    [
      () => s3.send(new ListMultipartUploadsCommand({ Bucket })),
      `s3:ListBucketMultipartUploads on ${bucketArn(Bucket)}`,
    ],
    [
      () => s3.send(new UploadPartCopyCommand({ ...part, CopySource })),
      `s3:GetObject on ${bucketArn("secrets", "k")}`,
      `s3:PutObject on ${key}`,
    ],
    [
      () => s3.send(new AbortMultipartUploadCommand({ ...upload, UploadId })),
      `s3:AbortMultipartUpload on ${key}`,
    ],
    [
      () => s3.send(new CopyObjectCommand({ ...upload, CopySource })),
      `s3:GetObject on ${bucketArn("secrets", "k")}`,
      `s3:PutObject on ${key}`,
    ],
    [
      () => s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: {} })),
      `s3:PutBucketNotification on ${bucketArn(Bucket)}`,
    ],
  ];
  for (const [work, ...needed] of cases) await needsExactly(user, work, needed);
});

/** Grants one need after the other: each is refused until it is granted, and then the request is served. */
async function needsExactly(
  user: TestUser,
  work: () => Promise<unknown>,
  needed: readonly string[],
): Promise<void> {
  const granted: { Action: string; Resource: string }[] = [];
  await user.may({ Action: "s3:NothingAtAll" });
  for (const need of needed) {
    assert.equal(await refused(work()), need);
    const [Action = "", Resource = ""] = need.split(" on ");
    granted.push({ Action, Resource });
    await user.may(...granted);
  }
  assert.equal(await refused(work()), undefined, needed.join(", "));
}

test("S3: CopyObject takes tags along only for those who may read and write them", async () => {
  const owner = await makeBucket("tagged-source");
  await makeBucket("tagged-target");
  const object = { Bucket: "tagged-source", Key: "k" };
  await owner.send(new PutObjectCommand({ ...object, Body: "x", Tagging: "colour=red" }));
  const user = await makeUser(root, "tag-copier", { Action: ["s3:GetObject", "s3:PutObject"] });
  const s3 = new S3Client(user.options);
  const copy = { Bucket: "tagged-target", Key: "k", CopySource: "tagged-source/k" };
  assert.equal(
    await refused(s3.send(new CopyObjectCommand(copy))),
    `s3:GetObjectTagging on ${bucketArn("tagged-source", "k")}`,
  );
  await s3.send(new CopyObjectCommand({ ...copy, TaggingDirective: "REPLACE" }));
  await user.may(
    { Action: ["s3:GetObject*", "s3:PutObject"] },
    { Action: "s3:PutObjectTagging", Condition: { StringEquals: { "s3:RequestObjectTag/colour": "red" } } },
  );
  await s3.send(new CopyObjectCommand(copy));
});

test("S3: DeleteObjects removes the keys that the caller may remove, and tells the others", async () => {
  const Bucket = "many";
  const owner = await makeBucket(Bucket, "mine/1", "theirs/1", "mine/2");
  const user = await makeUser(root, "remover");
  await user.may({
    Action: "s3:DeleteObject",
    Resource: bucketArn(Bucket, "mine/*"),
    Condition: { StringEquals: { "s3:ResourceAccount": "000000000000" } },
  });
  const Objects = ["mine/1", "theirs/1", "mine/2"].map((Key) => ({ Key }));
  const { Deleted, Errors } = await new S3Client(user.options).send(
    new DeleteObjectsCommand({ Bucket, Delete: { Objects } }),
  );
  assert.deepEqual(
    Deleted?.map(({ Key }) => Key),
    ["mine/1", "mine/2"],
  );
  assert.deepEqual(Errors, [
    {
      Key: "theirs/1",
      Code: "AccessDenied",
      Message: `User: ${user.arn} is not authorized to perform: s3:DeleteObject on resource: "${bucketArn(Bucket, "theirs/1")}" because no identity-based policy allows the s3:DeleteObject action`,
    },
  ]);
  const left = await owner.send(new ListObjectsV2Command({ Bucket }));
  assert.deepEqual(
    left.Contents?.map(({ Key }) => Key),
    ["theirs/1"],
  );
});

const tableArn = (name: string) => `arn:aws:dynamodb:us-east-1:000000000000:table/${name}`;
const item = (id: string) => ({ id: { S: id }, kind: { S: "k" } });
const keyOf = (id: string) => ({ id: { S: id } });

async function makeTable(TableName: string): Promise<void> {
  const client = new DynamoDBClient(root);
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [
        { AttributeName: "id", AttributeType: "S" },
        { AttributeName: "kind", AttributeType: "S" },
      ],
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      GlobalSecondaryIndexes: [
        {
          IndexName: "by-kind",
          KeySchema: [{ AttributeName: "kind", KeyType: "HASH" }],
          Projection: { ProjectionType: "ALL" },
        },
      ],
    }),
  );
  await waitUntilTableExists({ client, maxWaitTime: 20, minDelay: 0.05, maxDelay: 0.5 }, { TableName });
  await client.send(new PutItemCommand({ TableName, Item: item("1") }));
}

test("DynamoDB: one table, its index, and the actions within batches and transactions", async () => {
  for (const name of ["Open", "Shut"]) await makeTable(name);
  const open = (...Action: string[]) => ({ Action, Resource: tableArn("Open") });
  const user = await makeUser(root, "table-user", open("dynamodb:*"));
  const client = new DynamoDBClient(user.options);
  await client.send(new GetItemCommand({ TableName: "Open", Key: keyOf("1") }));
  assert.equal(
    await refused(client.send(new GetItemCommand({ TableName: "Shut", Key: keyOf("1") }))),
    `dynamodb:GetItem on ${tableArn("Shut")}`,
  );
  const query = new QueryCommand({
    TableName: "Open",
    IndexName: "by-kind",
    KeyConditionExpression: "kind = :k",
    ExpressionAttributeValues: { ":k": { S: "k" } },
  });
  assert.equal(await refused(client.send(query)), `dynamodb:Query on ${tableArn("Open")}/index/by-kind`);
  const both = { Open: { Keys: [keyOf("1")] }, Shut: { Keys: [keyOf("1")] } };
  assert.equal(
    await refused(client.send(new BatchGetItemCommand({ RequestItems: both }))),
    `dynamodb:BatchGetItem on ${tableArn("Shut")}`,
  );
  const writes = {
    Open: [{ PutRequest: { Item: item("2") } }],
    Shut: [{ DeleteRequest: { Key: keyOf("1") } }],
  };
  assert.equal(
    await refused(client.send(new BatchWriteItemCommand({ RequestItems: writes }))),
    `dynamodb:BatchWriteItem on ${tableArn("Shut")}`,
  );
  const odd = tableArn("Shut").replace("arn:aws:", "arn:odd:");
  assert.equal(
    await refused(client.send(new GetItemCommand({ TableName: odd, Key: keyOf("1") }))),
    `dynamodb:GetItem on ${tableArn("Shut")}`,
    "one table has one ARN, however it is written",
  );
  assert.equal(
    (await client.send(new GetItemCommand({ TableName: "Open", Key: keyOf("2") }))).Item,
    undefined,
    "nothing of a refused batch is written",
  );
  await user.may(open("dynamodb:PutItem", "dynamodb:GetItem"));
  const transact = (TransactItems: TransactWriteItemsCommand["input"]["TransactItems"]) =>
    refused(client.send(new TransactWriteItemsCommand({ TransactItems })));
  const Put = { TableName: "Open", Item: item("3") };
  const ConditionCheck = {
    TableName: "Open",
    Key: keyOf("1"),
    ConditionExpression: "attribute_exists(id)",
  };
  assert.equal(await transact([{ Put }]), undefined);
  assert.equal(
    await transact([{ Put }, { ConditionCheck }]),
    `dynamodb:ConditionCheckItem on ${tableArn("Open")}`,
  );
  assert.equal(
    await transact([{ Delete: { TableName: "Open", Key: keyOf("1") } }]),
    `dynamodb:DeleteItem on ${tableArn("Open")}`,
  );
  await client.send(
    new TransactGetItemsCommand({ TransactItems: [{ Get: { TableName: "Open", Key: keyOf("1") } }] }),
  );
});

test("DynamoDB: backups are named for themselves, and what restores them writes the new table", async () => {
  await makeTable("Backed");
  const user = await makeUser(root, "backup-user", {
    Action: "dynamodb:*",
    Resource: [tableArn("Backed"), tableArn("Restored")],
  });
  const client = new DynamoDBClient(user.options);
  const { BackupDetails: backup } = await client.send(
    new CreateBackupCommand({ TableName: "Backed", BackupName: "mine" }),
  );
  const BackupArn = backup?.BackupArn ?? "";
  const describe = () => refused(client.send(new DescribeBackupCommand({ BackupArn })));
  const restore = () => {
    const input = { BackupArn, TargetTableName: "Restored" };
    return refused(client.send(new RestoreTableFromBackupCommand(input)));
  };
  assert.equal(await describe(), `dynamodb:DescribeBackup on ${BackupArn}`);
  assert.equal(await restore(), `dynamodb:RestoreTableFromBackup on ${BackupArn}`);
  const onBackup = { Action: "dynamodb:*", Resource: `${tableArn("Backed")}/backup/*` };
  await user.may(onBackup, { Action: "dynamodb:RestoreTableFromBackup", Resource: tableArn("Restored") });
  assert.equal(await describe(), undefined);
  assert.equal(await restore(), `dynamodb:BatchWriteItem on ${tableArn("Restored")}`);
  assert.equal(await refused(client.send(new ListBackupsCommand({}))), "dynamodb:ListBackups on *");
});

test("DynamoDB: policies may keep callers to partitions of their own", async () => {
  await makeTable("Partitioned");
  const TableName = "Partitioned";
  const user = await makeUser(root, "ann", {
    Action: "dynamodb:*",
    Resource: [tableArn(TableName), `${tableArn(TableName)}/*`],
    Condition: { "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": ["${aws:username}"] } },
  });
  const client = new DynamoDBClient(user.options);
  const denied = (action: string) => `dynamodb:${action} on ${tableArn(TableName)}`;
  const query = (id: string) =>
    new QueryCommand({
      TableName,
      KeyConditionExpression: "#i = :i",
      ExpressionAttributeNames: { "#i": "id" },
      ExpressionAttributeValues: { ":i": { S: id } },
    });
  const batch = (...ids: string[]) =>
    new BatchWriteItemCommand({
      RequestItems: { [TableName]: ids.map((id) => ({ PutRequest: { Item: item(id) } })) },
    });
  await client.send(new PutItemCommand({ TableName, Item: item("ann") }));
  await client.send(query("ann"));
  await client.send(batch("ann"));
  assert.equal(
    await refused(client.send(new PutItemCommand({ TableName, Item: item("bob") }))),
    denied("PutItem"),
  );
  assert.equal(await refused(client.send(query("bob"))), denied("Query"));
  assert.equal(await refused(client.send(batch("ann", "bob"))), denied("BatchWriteItem"));
  assert.equal(await refused(client.send(new ScanCommand({ TableName }))), denied("Scan"));
});

test("IAM: entities by their paths, one's own user, and conditions on what is attached", async () => {
  const iam = new IAMClient(root);
  await iam.send(new CreateUserCommand({ UserName: "deep", Path: "/team/blue/" }));
  const account = "arn:aws:iam::000000000000";
  const user = await makeUser(
    root,
    "manager",
    { Action: ["iam:GetUser", "iam:CreateUser", "iam:UpdateUser"], Resource: `${account}:user/team/*` },
    { Action: ["iam:GetUser", "iam:CreateAccessKey"], Resource: `${account}:user/\${aws:username}` },
    {
      Action: "iam:AttachUserPolicy",
      Condition: { ArnLike: { "iam:PolicyARN": "arn:aws:iam::aws:policy/AmazonS3*" } },
    },
  );
  const own = new IAMClient(user.options);
  await own.send(new GetUserCommand({}));
  await own.send(new CreateAccessKeyCommand({}));
  await own.send(new GetUserCommand({ UserName: "deep" }));
  await own.send(new CreateUserCommand({ UserName: "new", Path: "/team/" }));
  assert.equal(
    await refused(own.send(new CreateUserCommand({ UserName: "rootless" }))),
    `iam:CreateUser on ${account}:user/rootless`,
  );
  assert.equal(
    await refused(
      own.send(new CreateUserCommand({ UserName: "x", Path: "/team/", Tags: [{ Key: "a", Value: "b" }] })),
    ),
    `iam:TagUser on ${account}:user/team/x`,
  );
  assert.equal(
    await refused(own.send(new UpdateUserCommand({ UserName: "deep", NewPath: "/" }))),
    `iam:UpdateUser on ${account}:user/deep`,
  );
  const attach = (name: string) =>
    refused(
      own.send(
        new AttachUserPolicyCommand({ UserName: "deep", PolicyArn: `arn:aws:iam::aws:policy/${name}` }),
      ),
    );
  assert.equal(await attach("AmazonS3ReadOnlyAccess"), undefined);
  assert.equal(await attach("AdministratorAccess"), `iam:AttachUserPolicy on ${account}:user/team/blue/deep`);
  const { Policy } = await iam.send(
    new CreatePolicyCommand({
      PolicyName: "Guarded",
      PolicyDocument: policyOf({ Action: "s3:ListAllMyBuckets" }),
    }),
  );
  const anyCase = Policy?.Arn?.replace("Guarded", "gUARDED");
  assert.equal(
    await refused(own.send(new GetPolicyCommand({ PolicyArn: anyCase }))),
    `iam:GetPolicy on ${Policy?.Arn}`,
    "the policy as it is called, however it is asked for",
  );
  assert.equal(
    await refused(own.send(new CreatePolicyCommand({ PolicyName: "p", Path: "/a/", PolicyDocument: "{}" }))),
    `iam:CreatePolicy on ${account}:policy/a/p`,
  );
});

test("CloudWatch Logs: one group with its streams; tags are the group's own", async () => {
  const group = "arn:aws:logs:us-east-1:000000000000:log-group:/app/one";
  const user = await makeUser(root, "logger", { Action: "logs:*", Resource: `${group}:*` });
  const client = new CloudWatchLogsClient(user.options);
  const logGroupName = "/app/one";
  await client.send(new CreateLogGroupCommand({ logGroupName }));
  await client.send(new CreateLogStreamCommand({ logGroupName, logStreamName: "s" }));
  const logEvents = [{ timestamp: Date.now(), message: "hello" }];
  await client.send(new PutLogEventsCommand({ logGroupName, logStreamName: "s", logEvents }));
  assert.equal(
    await refused(client.send(new CreateLogGroupCommand({ logGroupName: "/app/two" }))),
    "logs:CreateLogGroup on arn:aws:logs:us-east-1:000000000000:log-group:/app/two:log-stream:",
  );
  const tag = () => refused(client.send(new TagResourceCommand({ resourceArn: group, tags: { a: "b" } })));
  assert.equal(await tag(), `logs:TagResource on ${group}`);
  await user.may({
    Action: "logs:TagResource",
    Resource: group,
    Condition: {
      "ForAllValues:StringEquals": { "aws:TagKeys": ["a"] },
      StringEquals: { "aws:RequestTag/a": "b" },
    },
  });
  assert.equal(await tag(), undefined);
});
