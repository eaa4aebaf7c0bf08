/** Uploads by browsers' forms (POST Object), as the SDK and boto3 make them: policies, signatures, answers, permissions, events. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  CreateBucketCommand,
  DeletePublicAccessBlockCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutBucketCorsCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketPolicyCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import type { PresignedPost, PresignedPostOptions } from "@aws-sdk/s3-presigned-post";
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { start } from "../../src/index.ts";
import type { Running } from "../../src/index.ts";
import { MovableClock } from "../../src/kit/movable-clock.ts";
import { missingClient, runClient } from "../harness/client-programs.ts";
import { assumeNewRole, makeUser } from "../harness/principals.ts";
import { bytes } from "../harness/s3.ts";
import { rootOptions } from "../harness/server.ts";
import type { ClientOptions } from "../harness/server.ts";

const Bucket = "forms";
const FIELDS_AFTER = "after";
const missing = await missingClient("python3", ["-c", "import boto3, requests"]);

describe("S3 forms", () => {
  const clock = new MovableClock();
  let server: Running;
  let root: ClientOptions;
  let s3: S3Client;
  before(async () => {
    server = await start({ auth: "on", sandbox: "process", clock });
    root = await rootOptions(server);
    s3 = new S3Client(root);
    await s3.send(new CreateBucketCommand({ Bucket }));
  });
  after(async () => {
    s3?.destroy();
    await server?.stop();
  });

  const sign = (Key: string, options: Partial<PresignedPostOptions> = {}, client = s3) =>
    createPresignedPost(client, { Bucket, Key, Expires: 600, ...options });

  /** Sends a form; `changes` are fields that are sent otherwise than they were signed, or left out. */
  async function post(
    { url, fields }: PresignedPost,
    content: string | Buffer = "content",
    changes: Record<string, string | undefined> = {},
    filename?: string,
  ) {
    const body = new FormData();
    for (const [name, value] of Object.entries({ ...fields, ...changes }))
      if (value !== undefined) body.append(name, value);
    const bytesOfFile = typeof content === "string" ? Buffer.from(content) : content;
    body.append("file", new Blob([new Uint8Array(bytesOfFile)]), filename ?? "photo.jpg");
    body.append(FIELDS_AFTER, "counts for nothing");
    const answer = await fetch(url, { method: "POST", body, redirect: "manual" });
    const text = await answer.text();
    const element = (name: string) =>
      new RegExp(`<${name}>(.*?)</${name}>`, "s").exec(text)?.[1]?.replaceAll("&quot;", '"');
    const fault = `${answer.status} ${element("Code") ?? ""}: ${element("Message") ?? ""}`;
    return { answer, status: answer.status, text, element, fault };
  }

  const head = (Key: string) => s3.send(new HeadObjectCommand({ Bucket, Key }));
  const read = async (Key: string) =>
    (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString();

  test("PutObject by a form: the file, its headers, metadata and tags; 204 by default", async () => {
    const tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>1 + 2</Value></Tag></TagSet></Tagging>";
    const form = await sign("dir/${filename}", {
      Fields: {
        acl: "private",
        "Content-Type": "image/jpeg",
        "Cache-Control": "no-cache",
        "x-amz-meta-Color": "grün",
        "x-amz-server-side-encryption": "AES256",
        tagging: tags,
      },
    });
    const { answer, status, text } = await post(form, "picture", { "x-ignore-me": "1" }, "a b.jpg");
    assert.equal(status, 204, text);
    assert.equal(text, "");
    assert.equal(answer.headers.get("location"), `${server.endpoint}/${Bucket}/dir%2Fa%20b.jpg`);
    assert.equal(answer.headers.get("x-amz-server-side-encryption"), "AES256");
    const told = await head("dir/a b.jpg");
    assert.equal(told.ETag, answer.headers.get("etag"));
    assert.deepEqual(
      [told.ContentType, told.CacheControl, told.Metadata],
      ["image/jpeg", "no-cache", { color: "=?UTF-8?Q?gr=C3=BCn?=" }],
    );
    const { TagSet } = await s3.send(new GetObjectTaggingCommand({ Bucket, Key: "dir/a b.jpg" }));
    assert.deepEqual(TagSet, [{ Key: "a", Value: "1 + 2" }]);
    assert.equal(await read("dir/a b.jpg"), "picture");
    const wrong = await sign("k", { Fields: { tagging: "no XML" } });
    assert.match((await post(wrong)).fault, /^400 MalformedXML/);
  });

  test("a large file is streamed, and verified by what the form says of it", async () => {
    const content = bytes(3_000_000);
    const sha256 = Buffer.from(await crypto.subtle.digest("SHA-256", new Uint8Array(content)));
    const Fields = {
      "x-amz-checksum-algorithm": "SHA256",
      "x-amz-checksum-sha256": sha256.toString("base64"),
    };
    const form = await sign("large", { Fields });
    assert.equal((await post(form, content)).status, 204);
    assert.equal((await head("large")).ContentLength, content.length);
    assert.match((await post(form, content.subarray(1))).fault, /^400 BadDigest/);
    const without = await sign("large", { Fields: { "x-amz-checksum-algorithm": "SHA256" } });
    assert.match((await post(without)).fault, /^400 InvalidRequest/);
  });

  test("success_action_status and success_action_redirect", async () => {
    const asking = async (Fields: Record<string, string>, Key = "status & key") =>
      post(await sign(Key, { Fields }));
    const created = await asking({ success_action_status: "201" });
    assert.equal(created.status, 201);
    const etag = created.answer.headers.get("etag");
    assert.deepEqual(
      ["Location", "Bucket", "Key", "ETag"].map((name) => created.element(name)),
      [`${server.endpoint}/${Bucket}/status%20%26%20key`, Bucket, "status &amp; key", etag],
    );
    assert.equal((await asking({ success_action_status: "200" })).status, 200);
    assert.equal((await asking({ success_action_status: "404" })).status, 204);
    const sent = await asking({ success_action_redirect: "https://example.com/done?a=1" }, "a/b");
    assert.equal(sent.status, 303);
    const location = new URL(sent.answer.headers.get("location") ?? "");
    assert.equal(location.origin + location.pathname, "https://example.com/done");
    assert.deepEqual(
      [...location.searchParams],
      [
        ["a", "1"],
        ["bucket", Bucket],
        ["key", "a/b"],
        ["etag", etag ?? ""],
      ],
    );
    assert.equal((await asking({ redirect: "http://example.com/" })).status, 303);
    assert.equal((await asking({ success_action_redirect: "/relative" })).status, 204);
  });

  test("a form that is not as its policy says is refused, and nothing is kept", async () => {
    const Conditions: PresignedPostOptions["Conditions"] = [
      ["content-length-range", 5, 10],
      ["starts-with", "$x-amz-meta-a", "b"],
    ];
    const form = await sign("guarded", { Conditions, Fields: { "x-amz-meta-a": "b" } });
    const fault = async (content: string, changes?: Record<string, string | undefined>) =>
      (await post(form, content, changes)).fault;
    const said = "403 AccessDenied: Invalid according to Policy: ";
    const failed = (condition: string) => `${said}Policy Condition failed: ${condition}`;
    assert.equal(await fault("content", { key: "other" }), failed('["eq", "$key", "guarded"]'));
    assert.equal(
      await fault("content", { "x-amz-meta-a": "c" }),
      failed('["starts-with", "$x-amz-meta-a", "b"]'),
    );
    assert.equal(await fault("content", { submit: "1" }), `${said}Extra input fields: submit`);
    const small = await post(form, "1234");
    assert.match(small.fault, /^400 EntityTooSmall/);
    assert.deepEqual([small.element("ProposedSize"), small.element("MinSizeAllowed")], ["4", "5"]);
    const large = await post(form, "12345678901");
    assert.match(large.fault, /^400 EntityTooLarge/);
    assert.deepEqual([large.element("ProposedSize"), large.element("MaxSizeAllowed")], ["11", "10"]);
    await assert.rejects(head("guarded"), { name: "NotFound" });
    assert.equal((await post(form, "12345")).status, 204);
    assert.equal((await post(form, "1234567890")).status, 204);
    const short = await sign("guarded", { Expires: 1 });
    await clock.advance(2_000);
    assert.equal((await post(short)).fault, `${said}Policy expired.`);
  });

  test("a signature that does not fit, is missing, or is of another key or region", async () => {
    const form = await sign("signed");
    const fault = async (changes: Record<string, string | undefined>) =>
      (await post(form, "c", changes)).fault;
    const {
      "X-Amz-Signature": signature = "",
      Policy = "",
      "X-Amz-Credential": credential = "",
    } = form.fields;
    const changed = await post(form, "c", { Policy: Policy.slice(0, -2) });
    assert.match(changed.fault, /^403 SignatureDoesNotMatch/);
    assert.equal(changed.element("StringToSign"), Policy.slice(0, -2));
    assert.match(
      await fault({ "X-Amz-Signature": signature.replace(/./, "z") }),
      /^403 SignatureDoesNotMatch/,
    );
    for (const name of ["X-Amz-Signature", "X-Amz-Algorithm", "X-Amz-Date", "Policy", "key"])
      assert.equal(
        await fault({ [name]: undefined }),
        `400 InvalidArgument: Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`,
      );
    assert.match(
      await fault({ "X-Amz-Credential": credential.replace(/^[^/]+/, "AKIANOBODY") }),
      /^403 InvalidAccessKeyId/,
    );
    assert.equal(
      await fault({ "X-Amz-Credential": credential.replace("us-east-1", "eu-west-1") }),
      "400 InvalidArgument: the region 'eu-west-1' is wrong; expecting 'us-east-1'",
    );
    assert.match(await fault({ "X-Amz-Date": "yesterday" }), /^400 InvalidArgument: X-Amz-Date/);
    assert.match(await fault({ "X-Amz-Algorithm": "AWS4-ECDSA-P256-SHA256" }), /^501 NotImplemented/);
    const lost = { ...form, url: `${server.endpoint}/no-such-bucket` };
    assert.match((await post(lost)).fault, /^404 NoSuchBucket/);
  });

  test("who signed has to be allowed to put the object; nobody, where the bucket says so", async () => {
    const user = await makeUser(root, "uploader", {
      Action: "s3:PutObject",
      Resource: `arn:aws:s3:::${Bucket}/theirs/*`,
    });
    const users = new S3Client(user.options);
    assert.equal((await post(await sign("theirs/a", {}, users))).status, 204);
    assert.match((await post(await sign("others/a", {}, users))).fault, /^403 AccessDenied/);
    const session = new S3Client(await assumeNewRole(root, "uploader", [{ Action: "s3:PutObject" }]));
    const form = await sign("by-a-session", {}, session);
    assert.equal((await post(form)).status, 204);
    assert.match((await post(form, "c", { "X-Amz-Security-Token": undefined })).fault, /^400 InvalidToken/);
    users.destroy();
    session.destroy();
    const unsigned: PresignedPost = {
      url: `${server.endpoint}/${Bucket}`,
      fields: { key: "public/${filename}" },
    };
    assert.match((await post(unsigned)).fault, /^403 AccessDenied/);
    await s3.send(new DeletePublicAccessBlockCommand({ Bucket }));
    const Statement = {
      Effect: "Allow",
      Principal: "*",
      Action: "s3:PutObject",
      Resource: `arn:aws:s3:::${Bucket}/public/*`,
    };
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    assert.equal((await post(unsigned)).status, 204);
    assert.equal(await read("public/photo.jpg"), "content");
  });

  test("what is no form, and settings of objects that are not done, are refused", async () => {
    const sent = async (body: string, type: string) => {
      const answer = await fetch(`${server.endpoint}/${Bucket}`, {
        method: "POST",
        body,
        headers: { "content-type": type },
      });
      return `${answer.status} ${/<Code>(.*?)<\/Code>/.exec(await answer.text())?.[1]}`;
    };
    assert.equal(await sent("key=a", "text/plain"), "412 PreconditionFailed");
    assert.equal(await sent("key=a", "multipart/form-data; boundary=b"), "400 MalformedPOSTRequest");
    const signedInHeaders = await fetch(`${server.endpoint}/${Bucket}`, {
      method: "POST",
      body: new FormData(),
      headers: { authorization: "Bearer x" },
    });
    assert.equal(signedInHeaders.status, 501);
    assert.equal((await fetch(`${server.endpoint}/${Bucket}/key`, { method: "POST" })).status, 405);
    for (const [Fields, expected] of [
      [{ "x-amz-storage-class": "GLACIER" }, /^501 NotImplemented/],
      [{ "x-amz-storage-class": "FakeClass" }, /^400 InvalidStorageClass/],
      [{ acl: "public-read" }, /^400 AccessControlListNotSupported/],
      [{ "x-amz-server-side-encryption": "aws:kms" }, /^501 NotImplemented/],
      [{ "x-amz-meta-long": "m".repeat(2_100) }, /^400 MetadataTooLarge/],
      [{ "x-amz-meta-long": "m".repeat(20_000) }, /^400 MaxPostPreDataLengthExceeded/],
    ] as const)
      assert.match((await post(await sign("refused", { Fields: { ...Fields } }))).fault, expected);
  });

  test("the event is ObjectCreated:Post; pages elsewhere are told by CORS that they may", async () => {
    const sqs = new SQSClient(root);
    const QueueArn = "arn:aws:sqs:us-east-1:000000000000:posted";
    const Policy = JSON.stringify({
      Statement: {
        Effect: "Allow",
        Principal: { Service: "s3.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: QueueArn,
      },
    });
    const { QueueUrl } = await sqs.send(
      new CreateQueueCommand({ QueueName: "posted", Attributes: { Policy } }),
    );
    const NotificationConfiguration = {
      QueueConfigurations: [{ QueueArn, Events: ["s3:ObjectCreated:Post" as const] }],
    };
    await s3.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket,
        NotificationConfiguration,
        SkipDestinationValidation: true,
      }),
    );
    assert.equal((await post(await sign("told"))).status, 204);
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    const events = Messages.flatMap(
      ({ Body = "{}" }) => (JSON.parse(Body) as { Records?: unknown[] }).Records ?? [],
    );
    const [event] = events as { eventName: string; s3: { object: { key: string; size: number } } }[];
    assert.deepEqual(
      [events.length, event?.eventName, event?.s3.object.key, event?.s3.object.size],
      [1, "ObjectCreated:Post", "told", 7],
    );
    sqs.destroy();
    const CORSRules = [{ AllowedMethods: ["POST"], AllowedOrigins: ["https://page.example"] }];
    await s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules } }));
    const { url, fields } = await sign("told");
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.append(name, value);
    body.append("file", new Blob(["x"]));
    const answer = await fetch(url, { method: "POST", body, headers: { origin: "https://page.example" } });
    assert.equal(answer.headers.get("access-control-allow-origin"), "https://page.example");
    assert.equal(answer.status, 204);
  });

  test("generate_presigned_post of boto3, by Signature Version 2 and 4", { skip: missing }, async () => {
    const { accessKeyId, secretAccessKey } = root.credentials;
    const program = `
import boto3, requests
from botocore.config import Config
for version in ["s3", "s3v4"]:
    s3 = boto3.client("s3", aws_access_key_id="${accessKeyId}", aws_secret_access_key="${secretAccessKey}",
                      config=Config(signature_version=version, s3={"addressing_style": "path"}))
    form = s3.generate_presigned_post("${Bucket}", "boto/" + version, Fields={"acl": "private"},
                                      Conditions=[{"acl": "private"}, ["content-length-range", 1, 9]])
    print(requests.post(form["url"], data=form["fields"], files={"file": version.encode()}).status_code)
    form["fields"]["signature" if version == "s3" else "x-amz-signature"] = "AAAA"
    print(requests.post(form["url"], data=form["fields"], files={"file": b"x"}).status_code)
`;
    const printed = await runClient(server, "python3", ["-c", program]);
    assert.deepEqual(printed.trim().split("\n"), ["204", "403", "204", "403"]);
    assert.equal(await read("boto/s3"), "s3");
    assert.equal(await read("boto/s3v4"), "s3v4");
  });
});
