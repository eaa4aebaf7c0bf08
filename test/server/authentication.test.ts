/** `--auth on`, end to end: the root key of the first start, users' keys, role sessions, and every refusal by AWS's code. */
import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import { after, before, test } from "node:test";
import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  UpdateAccessKeyCommand,
} from "@aws-sdk/client-iam";
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { start } from "../../src/index.ts";
import type { Running } from "../../src/index.ts";
import { deployFunction, makeRole } from "../harness/functions.ts";
import { clientOptions } from "../harness/server.ts";
import type { ClientOptions } from "../harness/server.ts";
import { InvokeCommand } from "@aws-sdk/client-lambda";

let server: Running;
let root: ClientOptions;

before(async () => {
  server = await start({ auth: "on" });
  const file = server.credentialsFile ?? "";
  assert.equal((await stat(file)).mode & 0o777, 0o600, "the root credentials are their owner's alone");
  const text = await readFile(file, "utf8");
  const value = (key: string) => new RegExp(`${key} = (\\S+)`).exec(text)?.[1] ?? "";
  root = {
    ...clientOptions(server.endpoint),
    credentials: { accessKeyId: value("aws_access_key_id"), secretAccessKey: value("aws_secret_access_key") },
  };
});

after(() => server.stop());

test("the root key opens every protocol; the caller is the account's root", async () => {
  const identity = await new STSClient(root).send(new GetCallerIdentityCommand({}));
  assert.equal(identity.Arn, "arn:aws:iam::000000000000:root");
  await new DynamoDBClient(root).send(new ListTablesCommand({}));
  await new S3Client(root).send(new ListBucketsCommand({}));
});

test("an unknown key and a wrong secret are refused with each service's own codes", async () => {
  const unknown = { ...root, credentials: { accessKeyId: "AKIAUNKNOWN000000000", secretAccessKey: "x" } };
  const wrong = { ...root, credentials: { ...root.credentials, secretAccessKey: "wrong" } };
  const refusals = [
    [() => new STSClient(unknown).send(new GetCallerIdentityCommand({})), "InvalidClientTokenId", 403],
    [() => new DynamoDBClient(unknown).send(new ListTablesCommand({})), "UnrecognizedClientException", 400],
    [() => new S3Client(unknown).send(new ListBucketsCommand({})), "InvalidAccessKeyId", 403],
    [() => new STSClient(wrong).send(new GetCallerIdentityCommand({})), "SignatureDoesNotMatch", 403],
    [() => new DynamoDBClient(wrong).send(new ListTablesCommand({})), "InvalidSignatureException", 400],
    [() => new S3Client(wrong).send(new ListBucketsCommand({})), "SignatureDoesNotMatch", 403],
  ] as const;
  for (const [answer, name, status] of refusals)
    await assert.rejects(answer(), (error: Error & { $metadata: { httpStatusCode: number } }) => {
      assert.deepEqual([error.name, error.$metadata.httpStatusCode], [name, status]);
      return true;
    });
});

test("a twelve-digit access key id is no key when authentication is on", async () => {
  const twelve = { ...root, credentials: { accessKeyId: "000000000000", secretAccessKey: "any" } };
  await assert.rejects(new STSClient(twelve).send(new GetCallerIdentityCommand({})), {
    name: "InvalidClientTokenId",
  });
});

test("a user's key works while it is active", async () => {
  const iam = new IAMClient(root);
  await iam.send(new CreateUserCommand({ UserName: "ada" }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "ada" }));
  const { AccessKeyId = "", SecretAccessKey = "" } = AccessKey ?? {};
  const ada = { ...root, credentials: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey } };
  const identity = await new STSClient(ada).send(new GetCallerIdentityCommand({}));
  assert.equal(identity.Arn, "arn:aws:iam::000000000000:user/ada");
  await iam.send(new UpdateAccessKeyCommand({ UserName: "ada", AccessKeyId, Status: "Inactive" }));
  await assert.rejects(new STSClient(ada).send(new GetCallerIdentityCommand({})), {
    name: "InvalidClientTokenId",
  });
});

test("presigned URLs work until they are changed or expired; anonymous requests are refused", async () => {
  const s3 = new S3Client(root);
  await s3.send(new CreateBucketCommand({ Bucket: "signed" }));
  await s3.send(new PutObjectCommand({ Bucket: "signed", Key: "a key", Body: "content" }));
  const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket: "signed", Key: "a key" }), {
    expiresIn: 60,
  });
  assert.equal(await (await fetch(url)).text(), "content");
  const changed = await fetch(url.replace("a%20key", "another"));
  assert.equal(changed.status, 403);
  assert.match(await changed.text(), /<Code>SignatureDoesNotMatch<\/Code>/);
  const anonymous = await fetch(`${server.endpoint}/signed/a%20key`);
  assert.equal(anonymous.status, 403);
  assert.match(await anonymous.text(), /<Code>AccessDenied<\/Code>/);
});

test("a function calls back with real credentials and is known as its role", async () => {
  const account = { ...root, credentials: { ...root.credentials } };
  await makeRole(account, "caller");
  const code = `import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
    export const handler = async () => (await new STSClient({}).send(new GetCallerIdentityCommand({}))).Arn;`;
  const Role = "arn:aws:iam::000000000000:role/caller";
  const client = await deployFunction(
    account,
    "who-am-i",
    { "index.mjs": code },
    { Role, Timeout: 30, MemorySize: 512 },
  );
  const { Payload, FunctionError } = await client.send(new InvokeCommand({ FunctionName: "who-am-i" }));
  const answer = Buffer.from(Payload ?? []).toString();
  assert.equal(FunctionError, undefined, answer);
  assert.equal(JSON.parse(answer), "arn:aws:sts::000000000000:assumed-role/caller/who-am-i");
});
