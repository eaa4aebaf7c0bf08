/** Signatures: what the SDK, presigned URLs and chunk chains sign is verified, and every way to fail has AWS's code. */
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { Readable } from "node:stream";
import { after, before, test } from "node:test";
import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { IAMClient, ListUsersCommand } from "@aws-sdk/client-iam";
import { KinesisClient, ListStreamsCommand } from "@aws-sdk/client-kinesis";
import { InvokeCommand, LambdaClient, ListTagsCommand } from "@aws-sdk/client-lambda";
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { AwsError } from "../../src/aws/errors.ts";
import type { KeyRecord } from "../../src/aws/authentication.ts";
import type { Principal } from "../../src/aws/service.ts";
import { systemClock } from "../../src/kit/clock.ts";
import { bytesOf, startDoor } from "./door.ts";
import type { Door } from "./door.ts";
import { rawRequest } from "./raw-request.ts";

const MINUTE_MS = 60_000;
const clock = { ...systemClock, offset: 0, now: () => Date.now() + clock.offset };
const user: Principal = {
  type: "user",
  account: "111122223333",
  arn: "arn:aws:iam::111122223333:user/alice",
  userId: "AIDA",
  accessKeyId: "AKIAALICE",
};
const key = (more: Partial<KeyRecord> = {}): KeyRecord => ({
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  principal: user,
  active: true,
  ...more,
});
const keys = {
  AKIAALICE: key(),
  AKIAOLD: key({ active: false }),
  ASIASESSION: key({ sessionToken: "token/+=" }),
  ASIAENDED: key({ sessionToken: "token", expiresAt: 1_000 }),
};
const doubles = {
  lambda: {
    Invoke: (input: { Payload: Uint8Array }) => ({ StatusCode: 200, Payload: input.Payload }),
    ListTags: (input: { Resource: string }) => ({ Tags: { arn: input.Resource } }),
  },
  dynamodb: { ListTables: (_: unknown, context: { region: string }) => ({ TableNames: [context.region] }) },
  kinesis: { ListStreams: () => ({ StreamNames: ["s"], HasMoreStreams: false }) },
  iam: { ListUsers: () => ({ Users: [] }) },
  sts: {
    GetCallerIdentity: (_: unknown, context: { principal: Principal }) => ({
      Account: context.principal.account,
      Arn: context.principal.arn,
    }),
  },
  s3: {
    PutObject: async (input: { Key: string; Body: Readable }) => ({
      ETag: `"${(await bytesOf(input.Body)).length}"`,
    }),
    GetObject: (input: { Key: string }) => ({ Body: input.Key }),
    ListObjectsV2: (input: { Prefix: string }) => ({ Prefix: input.Prefix }),
    ListBuckets: () => ({ Buckets: [] }),
  },
};

let door: Door;
let open: Door;
before(async () => {
  door = await startDoor({ services: doubles, authentication: "on", keys, clock });
  open = await startDoor({ services: doubles, keys, clock });
});
after(async () => {
  await door.stop();
  await open.stop();
});

const credentials = (accessKeyId = "AKIAALICE", sessionToken?: string) => ({
  credentials: {
    accessKeyId,
    secretAccessKey: key().secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
  },
});
const wrongSecret = { credentials: { accessKeyId: "AKIAALICE", secretAccessKey: "wrong" } };
const config = (options: object = credentials()) => door.client(options);

test("the SDK's signatures are verified on every protocol, with names that need encoding", async () => {
  const lambda = new LambdaClient(config());
  const { Payload } = await lambda.send(
    new InvokeCommand({ FunctionName: "arn:aws:lambda:us-east-1:111122223333:function:f", Payload: "{}" }),
  );
  assert.equal(Buffer.from(Payload ?? []).toString(), "{}");
  const { Tags } = await lambda.send(
    new ListTagsCommand({ Resource: "arn:aws:lambda:us-east-1:111122223333:function:f" }),
  );
  assert.equal(Tags?.["arn"], "arn:aws:lambda:us-east-1:111122223333:function:f");
  assert.deepEqual((await new KinesisClient(config()).send(new ListStreamsCommand({}))).StreamNames, ["s"]);
  const s3 = new S3Client(config());
  const body = { Bucket: "bucket", Key: "a b+é/(x)!*'.txt", Body: "hi", Metadata: { A: "  x   y " } };
  assert.equal((await s3.send(new PutObjectCommand(body))).ETag, '"2"');
  const listed = await s3.send(
    new ListObjectsV2Command({ Bucket: "bucket", Prefix: "a b/+é=&", Delimiter: "/" }),
  );
  assert.equal(listed.Prefix, "a b/+é=&");
  const caller = await new STSClient(config()).send(new GetCallerIdentityCommand({}));
  assert.equal(caller.Arn, user.arn);
});

test("the region of the credential scope is the operation's", async () => {
  const client = new DynamoDBClient(config({ ...credentials(), region: "ap-south-1" }));
  assert.deepEqual((await client.send(new ListTablesCommand({}))).TableNames, ["ap-south-1"]);
});

test("temporary credentials need their token, and end", async () => {
  const send = (id: string, token?: string) =>
    new STSClient(config(credentials(id, token))).send(new GetCallerIdentityCommand({}));
  assert.equal((await send("ASIASESSION", "token/+=")).Account, user.account);
  await assert.rejects(send("ASIASESSION"), { name: "InvalidClientTokenId" });
  await assert.rejects(send("ASIASESSION", "other"), { name: "InvalidClientTokenId" });
  await assert.rejects(send("ASIAENDED", "token"), { name: "ExpiredToken" });
  const dynamodb = new DynamoDBClient(config(credentials("ASIAENDED", "token")));
  await assert.rejects(dynamodb.send(new ListTablesCommand({})), {
    name: "ExpiredTokenException",
    message: "The security token included in the request is expired",
  });
  await assert.rejects(s3Get(config(credentials("ASIASESSION", "bad"))), { name: "InvalidToken" });
});

test("unknown and inactive keys", async () => {
  const unknown = "The security token included in the request is invalid.";
  for (const id of ["AKIANOBODY", "AKIAOLD"]) {
    const options = config(credentials(id));
    await assert.rejects(new IAMClient(options).send(new ListUsersCommand({})), {
      name: "InvalidClientTokenId",
      message: unknown,
    });
    await assert.rejects(new DynamoDBClient(options).send(new ListTablesCommand({})), {
      name: "UnrecognizedClientException",
      message: unknown,
    });
    await assert.rejects(
      new LambdaClient(options).send(
        new ListTagsCommand({ Resource: "arn:aws:lambda:us-east-1:111122223333:function:f" }),
      ),
      {
        name: "UnrecognizedClientException",
      },
    );
    await assert.rejects(s3Get(options), { name: "InvalidAccessKeyId" });
  }
});

test("a signature by another secret", async () => {
  const options = config(wrongSecret);
  await assert.rejects(new IAMClient(options).send(new ListUsersCommand({})), {
    name: "SignatureDoesNotMatch",
  });
  await assert.rejects(new DynamoDBClient(options).send(new ListTablesCommand({})), {
    name: "InvalidSignatureException",
  });
  await assert.rejects(s3Get(options), {
    name: "SignatureDoesNotMatch",
    message: /Check your key and signing method\.$/,
  });
});

test("a clock that is more than five minutes off", async () => {
  // The SDK would correct its clock and try again; one attempt shows the first answer.
  for (const [offset, text] of [
    [
      6 * MINUTE_MS,
      /^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 5 min\.\)$/,
    ],
    [-6 * MINUTE_MS, /^Signature not yet current: /],
  ] as const) {
    clock.offset = offset;
    await assert.rejects(new DynamoDBClient(config()).send(new ListTablesCommand({})), {
      name: "InvalidSignatureException",
      message: text,
    });
    await assert.rejects(new IAMClient(config()).send(new ListUsersCommand({})), {
      name: "SignatureDoesNotMatch",
      message: text,
    });
    await assert.rejects(s3Get(config()), { name: "RequestTimeTooSkewed" });
  }
  clock.offset = 4 * MINUTE_MS;
  await new IAMClient(config()).send(new ListUsersCommand({}));
  clock.offset = 0;
});

test("no signature at all", async () => {
  const target = {
    "x-amz-target": "DynamoDB_20120810.ListTables",
    "content-type": "application/x-amz-json-1.0",
  };
  const json = await rawRequest(door.port, { headers: target, body: "{}" });
  assert.match(String(json.body), /MissingAuthenticationTokenException/);
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const query = await rawRequest(door.port, { headers: form, body: "Action=ListUsers&Version=2010-05-08" });
  assert.equal(query.status, 403);
  assert.match(String(query.body), /<Code>MissingAuthenticationToken<\/Code>/);
  // Whom a bucket's policy lets in, S3 decides itself: test/conformance/s3-bucket-policies.test.ts.
  const s3 = await rawRequest(door.port, { method: "GET", path: "/bucket/key" });
  assert.equal(s3.status, 200);
});

test("a presigned URL is good until it expires, for what it was made for", async () => {
  const s3 = new S3Client(config());
  const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket: "bucket", Key: "k é/1" }), {
    expiresIn: 60,
  });
  assert.equal(await (await fetch(url)).text(), "k é/1");
  assert.equal((await fetch(url.replace("k%20", "z%20"))).status, 403);
  assert.equal((await fetch(url, { method: "PUT", body: "x" })).status, 403);
  const put = await getSignedUrl(s3, new PutObjectCommand({ Bucket: "bucket", Key: "k" }), { expiresIn: 60 });
  assert.equal((await fetch(put, { method: "PUT", body: "abc" })).headers.get("etag"), '"3"');
  clock.offset = 2 * MINUTE_MS;
  const expired = await fetch(url);
  assert.equal(expired.status, 403);
  assert.match(await expired.text(), /<Message>Request has expired<\/Message>/);
  assert.equal(
    (await fetch(url.replace(String(door.port), String(open.port)))).status,
    403,
    "also with authentication off",
  );
  clock.offset = 0;
  const long = await fetch(url.replace("X-Amz-Expires=60", "X-Amz-Expires=604801"));
  assert.match(await long.text(), /AuthorizationQueryParametersError/);
});

test("the body must be what was signed", async () => {
  const s3 = new S3Client(config());
  s3.middlewareStack.add(
    (next) => (args) => {
      (args.request as { body: string }).body = "tampered";
      (args.request as { headers: Record<string, string> }).headers["content-length"] = "8";
      return next(args);
    },
    { step: "finalizeRequest", priority: "low", name: "tamper" },
  );
  await assert.rejects(s3.send(new PutObjectCommand({ Bucket: "bucket", Key: "k", Body: "original" })), {
    name: "XAmzContentSHA256Mismatch",
  });
});

test("unsigned chunks with a trailing checksum, as the SDK sends a stream", async () => {
  const s3 = new S3Client(config());
  const body = Readable.from([Buffer.alloc(70_000, "a"), Buffer.alloc(5, "b")]);
  const answer = await s3.send(
    new PutObjectCommand({ Bucket: "bucket", Key: "k", Body: body, ContentLength: 70_005 }),
  );
  assert.equal(answer.ETag, '"70005"');
});

test("signed chunks are verified one by one", async () => {
  const good = await signedChunks(["hello ", "chunked ", "world"]);
  assert.equal(good.status, 200, String(good.body));
  assert.equal(good.headers["etag"], '"19"');
  const bad = await signedChunks(["hello ", "chunked ", "world"], (body) =>
    body.replace("chunked", "chanked"),
  );
  assert.equal(bad.status, 403);
  assert.match(String(bad.body), /<Code>SignatureDoesNotMatch<\/Code>/);
});

test("other signatures are refused by name", async () => {
  const v4a = await rawRequest(door.port, {
    headers: {
      authorization:
        "AWS4-ECDSA-P256-SHA256 Credential=AKIAALICE/20261123/s3/aws4_request, SignedHeaders=host, Signature=00",
    },
  });
  assert.equal(v4a.status, 501);
  assert.match(String(v4a.body), /AWS4-ECDSA-P256-SHA256/);
  const v2 = await rawRequest(door.port, {
    method: "GET",
    path: "/bucket/key",
    headers: { authorization: "AWS AKIAALICE:sig" },
  });
  assert.match(String(v2.body), /Please use AWS4-HMAC-SHA256/);
});

test("a URL presigned by Signature Version 2 counts until it expires", async () => {
  const expires = Math.floor(clock.now() / 1_000) + 60;
  const sign = (path: string) =>
    createHmac("sha1", key().secretAccessKey).update(`GET\n\n\n${expires}\n${path}`).digest("base64");
  const get = (path: string, signature: string, id = "AKIAALICE", at = expires) =>
    fetch(
      `${door.endpoint}${path}${path.includes("?") ? "&" : "?"}AWSAccessKeyId=${id}&Expires=${at}&Signature=${encodeURIComponent(signature)}`,
    );
  const path = "/bucket/a%20b?versionId=v";
  assert.equal(await (await get(path, sign(path))).text(), "a b");
  for (const [answer, code] of [
    [await get("/bucket/other", sign(path)), "SignatureDoesNotMatch"],
    [await get(path, sign(path), "AKIANOBODY"), "InvalidAccessKeyId"],
    [await get(path, sign(path), "ASIASESSION"), "InvalidToken"],
    [await get(path, sign(path), "AKIAALICE", 1_000), "AccessDenied"],
  ] as const) {
    assert.equal(answer.status >= 400, true);
    assert.match(await answer.text(), new RegExp(`<Code>${code}</Code>`));
  }
});

test("authorize stands between reading the input and the operation, and may refuse", async () => {
  const asked: unknown[] = [];
  const guarded = await startDoor({
    services: doubles,
    authorize: async (context, input) => {
      asked.push([context.service, context.operation, context.principal.account, input["Resource"]]);
      throw new AwsError("AccessDeniedException", "User is not authorized", {}, 403);
    },
  });
  const send = new LambdaClient(guarded.client()).send(
    new ListTagsCommand({ Resource: "arn:aws:lambda:us-east-1:000000000000:function:f" }),
  );
  await assert.rejects(send, { name: "AccessDeniedException", message: "User is not authorized" });
  assert.deepEqual(asked, [
    ["lambda", "ListTags", "000000000000", "arn:aws:lambda:us-east-1:000000000000:function:f"],
  ]);
  await guarded.stop();
});

test("a scope for another service, and a malformed header", async () => {
  const authorization = `AWS4-HMAC-SHA256 Credential=AKIAALICE/20261123/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00`;
  const target = {
    "x-amz-target": "DynamoDB_20120810.ListTables",
    "x-amz-date": "20261123T000000Z",
    authorization,
  };
  const scoped = await rawRequest(door.port, { headers: target, body: "{}" });
  assert.match(String(scoped.body), /Credential should be scoped to correct service: 'dynamodb'/);
  const incomplete = await rawRequest(door.port, {
    headers: {
      "x-amz-target": "DynamoDB_20120810.ListTables",
      authorization: "AWS4-HMAC-SHA256 Credential=nothing",
    },
    body: "{}",
  });
  assert.match(String(incomplete.body), /IncompleteSignatureException/);
});

test("with authentication off, any key will do: twelve digits are an account, a known key its principal", async () => {
  const identity = (accessKeyId: string) =>
    new STSClient(open.client({ credentials: { accessKeyId, secretAccessKey: "x" } })).send(
      new GetCallerIdentityCommand({}),
    );
  assert.equal((await identity("whatever")).Arn, "arn:aws:iam::000000000000:root");
  assert.equal((await identity("123456789012")).Arn, "arn:aws:iam::123456789012:root");
  assert.equal((await identity("AKIAALICE")).Arn, user.arn);
  assert.equal((await rawRequest(open.port, { method: "GET", path: "/bucket/anonymous" })).status, 200);
});

async function s3Get(options: ReturnType<Door["client"]>): Promise<unknown> {
  return new S3Client(options).send(new GetObjectCommand({ Bucket: "bucket", Key: "k" }));
}

/** Signs a request and its chunks by the documented algorithm, with nothing of ours. */
function signedChunks(chunks: readonly string[], tamper: (body: string) => string = (body) => body) {
  const sha = (text: string) => createHash("sha256").update(text).digest("hex");
  const hmac = (secret: string | Buffer, text: string) => createHmac("sha256", secret).update(text).digest();
  const date = new Date(clock.now()).toISOString().replace(/[-:]|\.\d{3}/g, "");
  const day = date.slice(0, 8);
  const scope = `${day}/us-east-1/s3/aws4_request`;
  const signing = ["us-east-1", "s3", "aws4_request"].reduce(hmac, hmac(`AWS4${key().secretAccessKey}`, day));
  const host = `127.0.0.1:${door.port}`;
  const length = String(chunks.join("").length);
  const kind = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
  const signed = "host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length";
  const canonical = `PUT\n/bucket/chunks\n\nhost:${host}\nx-amz-content-sha256:${kind}\nx-amz-date:${date}\nx-amz-decoded-content-length:${length}\n\n${signed}\n${kind}`;
  const seed = hmac(signing, `AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha(canonical)}`).toString("hex");
  let previous = seed;
  const body = [...chunks, ""]
    .map((chunk) => {
      const text = `AWS4-HMAC-SHA256-PAYLOAD\n${date}\n${scope}\n${previous}\n${sha("")}\n${sha(chunk)}`;
      previous = hmac(signing, text).toString("hex");
      return `${chunk.length.toString(16)};chunk-signature=${previous}\r\n${chunk}\r\n`;
    })
    .join("");
  return rawRequest(door.port, {
    method: "PUT",
    path: "/bucket/chunks",
    headers: {
      host,
      "x-amz-date": date,
      "x-amz-content-sha256": kind,
      "x-amz-decoded-content-length": length,
      "content-encoding": "aws-chunked",
      authorization: `AWS4-HMAC-SHA256 Credential=AKIAALICE/${scope}, SignedHeaders=${signed}, Signature=${seed}`,
    },
    body: tamper(body),
  });
}
