/** Bucket policies and public access blocks: who gets in by them, who is kept out, and what is no policy. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketPolicyCommand,
  DeleteObjectsCommand,
  DeletePublicAccessBlockCommand,
  GetBucketPolicyCommand,
  GetBucketPolicyStatusCommand,
  GetObjectCommand,
  GetPublicAccessBlockCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { start } from "../../src/index.ts";
import type { Running } from "../../src/index.ts";
import { rootOptions } from "../harness/server.ts";
import { makeUser } from "../harness/principals.ts";
import { refused, startS3 } from "../harness/s3.ts";
import type { S3Server } from "../harness/s3.ts";

const OTHER = "111122223333";
const EVERYTHING = { Action: "s3:*" };

type Statement = Readonly<Record<string, unknown>>;

/** A policy of statements that allow everyone, unless they say otherwise. */
const policyOf = (...statements: readonly Statement[]) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: statements.map((one) => ({ Effect: "Allow", Principal: "*", ...one })),
  });

describe("bucket policies", () => {
  let server: S3Server;
  let other: S3Client;
  before(async () => {
    server = await startS3();
    other = server.clientOf({ account: OTHER });
  });
  after(() => server.stop());

  const put = (Bucket: string, Policy: string) =>
    server.s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
  /** A bucket with one object, `a`. */
  const filled = async () => {
    const Bucket = await server.bucket();
    await server.s3.send(new PutObjectCommand({ Bucket, Key: "a", Body: "text" }));
    return Bucket;
  };
  const userOf = async (account: string, name: string, ...statements: { Action: string }[]) => {
    const user = await makeUser(server.client({ account }), name, ...statements);
    return { s3: new S3Client(user.options), arn: user.arn };
  };

  test("PutBucketPolicy, GetBucketPolicy, GetBucketPolicyStatus and DeleteBucketPolicy keep the text as it was put", async () => {
    const Bucket = await server.bucket();
    const get = () => server.s3.send(new GetBucketPolicyCommand({ Bucket }));
    await refused(get(), "NoSuchBucketPolicy", 404, {
      message: "The bucket policy does not exist",
      members: { BucketName: Bucket },
    });
    const text = policyOf({
      Principal: { AWS: `arn:aws:iam::${OTHER}:root` },
      Action: "s3:GetObject",
      Resource: `arn:aws:s3:::${Bucket}/*`,
    });
    await put(Bucket, text);
    assert.equal((await get()).Policy, text);
    const status = await server.s3.send(new GetBucketPolicyStatusCommand({ Bucket }));
    assert.equal(status.PolicyStatus?.IsPublic, false);
    await server.s3.send(new DeleteBucketPolicyCommand({ Bucket }));
    await refused(get(), "NoSuchBucketPolicy", 404);
    await refused(server.s3.send(new GetBucketPolicyStatusCommand({ Bucket })), "NoSuchBucketPolicy", 404);
  });

  test("PutBucketPolicy refuses what is no policy of the bucket, in S3's words", async () => {
    const Bucket = await server.bucket();
    const own = `arn:aws:s3:::${Bucket}`;
    const list = { Action: "s3:ListBucket", Resource: own };
    const cases: [policy: string, message: string | RegExp][] = [
      ["", "Policies must be valid JSON and the first byte must be '{'"],
      ["{", "Policies must be valid JSON and the first byte must be '{'"],
      [policyOf({ ...list, Resource: "arn:aws:s3:::elsewhere" }), "Policy has invalid resource"],
      [policyOf({ ...list, Resource: `${own}-too/*` }), "Policy has invalid resource"],
      [policyOf({ ...list, Action: "sqs:SendMessage" }), "Policy has invalid action"],
      [policyOf({ ...list, Principal: undefined }), "Missing required field Principal"],
      [policyOf({ ...list, Principal: { AWS: "nobody" } }), "Invalid principal in policy"],
      [
        policyOf({ ...list, Action: "s3:GetObject" }),
        "Action does not apply to any resource(s) in statement",
      ],
      [policyOf({ ...list, Resource: `${own}/*` }), "Action does not apply to any resource(s) in statement"],
    ];
    for (const [policy, message] of cases)
      await refused(put(Bucket, policy), "MalformedPolicy", 400, { message });
    // Of other accounts nothing is known here.
    const roleOf = (account: string) => `arn:aws:iam::${account}:role/ghost`;
    const named = (AWS: string) => put(Bucket, policyOf({ ...list, Principal: { AWS } }));
    await refused(named(roleOf("000000000000")), "MalformedPolicy", 400, {
      message: "Invalid principal in policy",
      members: { Detail: `"AWS" : "${roleOf("000000000000")}"` },
    });
    await refused(named("arn:aws:sts::000000000000:assumed-role/ghost/session"), "MalformedPolicy", 400);
    await named(roleOf("999999999999"));
    await refused(put(Bucket, policyOf({ ...list, Sid: "x".repeat(21_000) })), "InvalidArgument", 400, {
      message: "Normalized policy document exceeds the maximum allowed size of 20480 bytes.",
    });
    await refused(
      put(Bucket, policyOf({ ...list, Principal: { CanonicalUser: "a".repeat(64) } })),
      "NotImplemented",
      501,
      { message: /CanonicalUser/ },
    );
  });

  test("another account needs the bucket's policy, and its users their own too", async () => {
    const Bucket = await filled();
    const read = (s3: S3Client) => s3.send(new GetObjectCommand({ Bucket, Key: "a" }));
    await refused(read(other), "AccessDenied", 403, {
      message: `User: arn:aws:iam::${OTHER}:root is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::${Bucket}/a" because no resource-based policy allows the s3:GetObject action`,
    });
    await put(
      Bucket,
      policyOf({
        Principal: { AWS: OTHER },
        Action: ["s3:GetObject", "s3:PutObject"],
        Resource: `arn:aws:s3:::${Bucket}/*`,
      }),
    );
    await read(other);
    const may = await userOf(OTHER, `reader-${Bucket}`, EVERYTHING);
    const mayNot = await userOf(OTHER, `idler-${Bucket}`);
    await read(may.s3);
    await refused(read(mayNot.s3), "AccessDenied", 403, { message: /no identity-based policy allows/ });
    await refused(other.send(new ListObjectsV2Command({ Bucket })), "AccessDenied", 403);
    await refused(other.send(new HeadBucketCommand({ Bucket })), "Unknown", 403);
    // What another account writes is the bucket owner's.
    await may.s3.send(new PutObjectCommand({ Bucket, Key: "theirs", Body: "b" }));
    await server.s3.send(new GetObjectCommand({ Bucket, Key: "theirs" }));
    // Whoever may not list is not told that nothing is there.
    const absent = may.s3.send(new GetObjectCommand({ Bucket, Key: "absent" }));
    await refused(absent, "AccessDenied", 403, { message: /s3:ListBucket/ });
    await refused(other.send(new GetObjectCommand({ Bucket, Key: "absent" })), "AccessDenied", 403);
    await refused(other.send(new DeleteBucketPolicyCommand({ Bucket })), "AccessDenied", 403);
  });

  test("policies are the owner's alone, whoever may do everything", async () => {
    const Bucket = await filled();
    const own = `arn:aws:s3:::${Bucket}`;
    const policy = policyOf({ Principal: { AWS: OTHER }, Action: "s3:*", Resource: [own, `${own}/*`] });
    await put(Bucket, policy);
    for (const call of [
      new PutBucketPolicyCommand({ Bucket, Policy: policy }),
      new GetBucketPolicyCommand({ Bucket }),
      new DeleteBucketPolicyCommand({ Bucket }),
    ])
      await refused(other.send(call as GetBucketPolicyCommand), "MethodNotAllowed", 405);
    await refused(other.send(new CreateBucketCommand({ Bucket })), "BucketAlreadyExists", 409);
  });

  test("within an account the bucket's policy is enough, and what it denies is denied to root too", async () => {
    const Bucket = await filled();
    const own = `arn:aws:s3:::${Bucket}`;
    const user = await userOf("000000000000", `poor-${Bucket}`);
    const read = (s3: S3Client, Key = "a") => s3.send(new GetObjectCommand({ Bucket, Key }));
    await refused(read(user.s3), "AccessDenied", 403, { message: /no identity-based policy/ });
    await put(
      Bucket,
      policyOf(
        { Principal: { AWS: user.arn }, Action: "s3:GetObject", Resource: `${own}/*` },
        { Effect: "Deny", Action: "s3:GetObject", Resource: `${own}/secret/*` },
        {
          Effect: "Deny",
          Action: "s3:*",
          Resource: own,
          Condition: { StringEquals: { "s3:prefix": "secret/" } },
        },
      ),
    );
    await read(user.s3);
    for (const s3 of [user.s3, server.s3])
      await refused(read(s3, "secret/x"), "AccessDenied", 403, {
        message: /with an explicit deny in a resource-based policy$/,
      });
    await refused(
      server.s3.send(new ListObjectsV2Command({ Bucket, Prefix: "secret/" })),
      "AccessDenied",
      403,
    );
    await server.s3.send(new ListObjectsV2Command({ Bucket, Prefix: "" }));
    // Copies read, and removals of many remove, one by one.
    const CopySource = `${Bucket}/secret/x`;
    await refused(
      server.s3.send(new CopyObjectCommand({ Bucket, Key: "b", CopySource })),
      "AccessDenied",
      403,
    );
    await put(Bucket, policyOf({ Effect: "Deny", Action: "s3:DeleteObject", Resource: `${own}/secret/*` }));
    const Objects = [{ Key: "a" }, { Key: "secret/x" }];
    const removed = await server.s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    assert.deepEqual(
      [removed.Deleted?.map(({ Key }) => Key), removed.Errors?.map(({ Key, Code }) => [Key, Code])],
      [["a"], [["secret/x", "AccessDenied"]]],
    );
    // A policy that denies everyone everything can be undone by root.
    await put(Bucket, policyOf({ Effect: "Deny", Action: "s3:*", Resource: [own, `${own}/*`] }));
    await refused(server.s3.send(new HeadBucketCommand({ Bucket })), "Unknown", 403);
    await server.s3.send(new DeleteBucketPolicyCommand({ Bucket }));
    await server.s3.send(new HeadBucketCommand({ Bucket }));
  });

  test("PutPublicAccessBlock, GetPublicAccessBlock, DeletePublicAccessBlock: new buckets block all, and public policies", async () => {
    const Bucket = await filled();
    const get = async () =>
      (await server.s3.send(new GetPublicAccessBlockCommand({ Bucket }))).PublicAccessBlockConfiguration;
    const block = (PublicAccessBlockConfiguration: object) =>
      server.s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration }));
    assert.deepEqual(await get(), {
      BlockPublicAcls: true,
      IgnorePublicAcls: true,
      BlockPublicPolicy: true,
      RestrictPublicBuckets: true,
    });
    const open = policyOf({ Action: "s3:GetObject", Resource: `arn:aws:s3:::${Bucket}/*` });
    await refused(put(Bucket, open), "AccessDenied", 403, { message: /BlockPublicPolicy/ });
    await block({ RestrictPublicBuckets: true });
    assert.deepEqual(await get(), {
      BlockPublicAcls: false,
      IgnorePublicAcls: false,
      BlockPublicPolicy: false,
      RestrictPublicBuckets: true,
    });
    await put(Bucket, open);
    const status = async () =>
      (await server.s3.send(new GetBucketPolicyStatusCommand({ Bucket }))).PolicyStatus?.IsPublic;
    const read = () => other.send(new GetObjectCommand({ Bucket, Key: "a" }));
    // A public policy that is restricted lets in nobody else.
    assert.equal(await status(), false);
    await refused(read(), "AccessDenied", 403);
    await server.s3.send(new DeletePublicAccessBlockCommand({ Bucket }));
    await refused(
      server.s3.send(new GetPublicAccessBlockCommand({ Bucket })),
      "NoSuchPublicAccessBlockConfiguration",
      404,
    );
    assert.equal(await status(), true);
    await read();
  });
});

describe("callers who are nobody", () => {
  let server: Running;
  let s3: S3Client;
  const Bucket = "open-bucket";
  before(async () => {
    server = await start({ auth: "on", sandbox: "process" });
    s3 = new S3Client(await rootOptions(server));
    await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(new PutObjectCommand({ Bucket, Key: "public/a", Body: "text" }));
    await s3.send(new PutObjectCommand({ Bucket, Key: "private/a", Body: "text" }));
    await s3.send(new DeletePublicAccessBlockCommand({ Bucket }));
  });
  after(async () => {
    s3?.destroy();
    await server?.stop();
  });

  const ask = async (path: string, init?: RequestInit) => {
    const answer = await fetch(`${server.endpoint}/${path}`, init);
    const text = await answer.text();
    return [answer.status, /<Code>(.*)<\/Code>/.exec(text)?.[1] ?? text];
  };

  test("get what a public policy lets everyone have, and nothing else", async () => {
    const denied = [403, "AccessDenied"];
    assert.deepEqual(await ask(`${Bucket}/public/a`), denied);
    const Policy = policyOf({ Action: "s3:GetObject", Resource: `arn:aws:s3:::${Bucket}/public/*` });
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    assert.deepEqual(await ask(`${Bucket}/public/a`), [200, "text"]);
    assert.deepEqual(await ask(`${Bucket}/public/absent`), denied);
    assert.deepEqual(await ask(`${Bucket}/private/a`), denied);
    assert.deepEqual(await ask(`${Bucket}/public/a`, { method: "PUT", body: "b" }), denied);
    assert.deepEqual(await ask(`${Bucket}/public/a`, { method: "DELETE" }), denied);
    assert.deepEqual(await ask(Bucket), denied);
    assert.deepEqual(await ask(`${Bucket}?policy`), denied);
    assert.deepEqual(await ask(""), denied);
    assert.deepEqual(await ask("new-bucket", { method: "PUT" }), denied);
    assert.deepEqual(await ask("no-such-bucket"), [404, "NoSuchBucket"]);
  });

  test("a policy that names the account they would fall to lets them have nothing", async () => {
    const Principal = { AWS: "arn:aws:iam::000000000000:root" };
    const Policy = policyOf({ Principal, Action: "s3:GetObject", Resource: `arn:aws:s3:::${Bucket}/*` });
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    assert.deepEqual(await ask(`${Bucket}/private/a`), [403, "AccessDenied"]);
  });

  test("list and write where everyone may; conditions hold for them too", async () => {
    const own = `arn:aws:s3:::${Bucket}`;
    const open = [
      { Action: "s3:ListBucket", Resource: own, Condition: { StringLike: { "s3:prefix": "public/*" } } },
      { Action: ["s3:PutObject", "s3:DeleteObject"], Resource: `${own}/public/*` },
      {
        Action: "s3:GetObject",
        Resource: `${own}/private/*`,
        Condition: { IpAddress: { "aws:SourceIp": "127.0.0.0/8" } },
      },
    ];
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: policyOf(...open) }));
    assert.equal((await ask(`${Bucket}?list-type=2&prefix=public/`))[0], 200);
    assert.equal((await ask(`${Bucket}?list-type=2&prefix=private/`))[0], 403);
    assert.equal((await ask(`${Bucket}/public/b`, { method: "PUT", body: "b" }))[0], 200);
    assert.equal((await ask(`${Bucket}/public/b`, { method: "DELETE" }))[0], 204);
    assert.deepEqual(await ask(`${Bucket}/private/a`), [200, "text"]);
  });
});
