/** Deploys the thumbnail application with the AWS SDK: two buckets, a table, a role, the function, the notification. */
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { CreateTableCommand, DynamoDBClient, waitUntilTableExists } from "@aws-sdk/client-dynamodb";
import {
  AttachRolePolicyCommand,
  CreateRoleCommand,
  IAMClient,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import {
  AddPermissionCommand,
  CreateFunctionCommand,
  LambdaClient,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import { CreateBucketCommand, PutBucketNotificationConfigurationCommand, S3Client } from "@aws-sdk/client-s3";
import { ZipFile } from "yazl";

export const PHOTO_BUCKET = "photographs";
export const THUMBNAIL_BUCKET = "thumbnails";
export const TABLE = "Photographs";
export const FUNCTION = "thumbnail";

const FUNCTION_FOLDER = fileURLToPath(new URL("function/", import.meta.url));
const WAIT = { maxWaitTime: 300, minDelay: 0.1, maxDelay: 1 };

/** `options` are the SDK clients' own: endpoint, region, credentials. */
export async function deploy(options) {
  const [s3, dynamodb, iam, lambda] = [S3Client, DynamoDBClient, IAMClient, LambdaClient].map(
    (Client) => new Client({ ...options, forcePathStyle: true }),
  );
  for (const Bucket of [PHOTO_BUCKET, THUMBNAIL_BUCKET]) await s3.send(new CreateBucketCommand({ Bucket }));
  await createTable(dynamodb);
  const { FunctionArn } = await createFunction(lambda, await createRole(iam));
  await waitUntilFunctionActiveV2({ client: lambda, ...WAIT }, { FunctionName: FUNCTION });
  await connect(lambda, s3, FunctionArn);
}

async function createTable(client) {
  await client.send(
    new CreateTableCommand({
      TableName: TABLE,
      AttributeDefinitions: [{ AttributeName: "key", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "key", KeyType: "HASH" }],
      BillingMode: "PAY_PER_REQUEST",
    }),
  );
  await waitUntilTableExists({ client, ...WAIT }, { TableName: TABLE });
}

/** The least the function needs: its log, photographs to read, thumbnails and rows to write. */
async function createRole(client) {
  const { Role } = await client.send(
    new CreateRoleCommand({
      RoleName: "thumbnail",
      AssumeRolePolicyDocument: policy([
        { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" },
      ]),
    }),
  );
  await client.send(
    new AttachRolePolicyCommand({
      RoleName: "thumbnail",
      PolicyArn: "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
    }),
  );
  await client.send(
    new PutRolePolicyCommand({
      RoleName: "thumbnail",
      PolicyName: "photographs",
      PolicyDocument: policy([
        { Effect: "Allow", Action: "s3:GetObject", Resource: `arn:aws:s3:::${PHOTO_BUCKET}/*` },
        { Effect: "Allow", Action: "s3:PutObject", Resource: `arn:aws:s3:::${THUMBNAIL_BUCKET}/*` },
        { Effect: "Allow", Action: "dynamodb:PutItem", Resource: `arn:aws:dynamodb:*:*:table/${TABLE}` },
      ]),
    }),
  );
  return Role.Arn;
}

async function createFunction(client, Role) {
  return client.send(
    new CreateFunctionCommand({
      FunctionName: FUNCTION,
      Runtime: "nodejs24.x",
      Handler: "index.handler",
      Role,
      Code: { ZipFile: await zipFolder(FUNCTION_FOLDER) },
      MemorySize: 1024,
      Timeout: 60,
      Environment: { Variables: { TABLE, THUMBNAIL_BUCKET } },
    }),
  );
}

async function connect(lambda, s3, FunctionArn) {
  await lambda.send(
    new AddPermissionCommand({
      FunctionName: FUNCTION,
      StatementId: "photographs",
      Action: "lambda:InvokeFunction",
      Principal: "s3.amazonaws.com",
      SourceArn: `arn:aws:s3:::${PHOTO_BUCKET}`,
    }),
  );
  await s3.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket: PHOTO_BUCKET,
      NotificationConfiguration: {
        LambdaFunctionConfigurations: [{ LambdaFunctionArn: FunctionArn, Events: ["s3:ObjectCreated:*"] }],
      },
    }),
  );
}

function policy(Statement) {
  return JSON.stringify({ Version: "2012-10-17", Statement });
}

async function zipFolder(folder) {
  const zip = new ZipFile();
  for (const name of readdirSync(folder, { recursive: true })) {
    const file = join(folder, name);
    if (!statSync(file).isFile()) continue;
    zip.addBuffer(readFileSync(file), relative(folder, file), { mode: statSync(file).mode });
  }
  zip.end();
  return buffer(zip.outputStream);
}
