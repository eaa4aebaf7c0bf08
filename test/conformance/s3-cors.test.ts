/** CORS rules of buckets: what is taken, what a preflight is answered, and what the answers of requests say. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  DeleteBucketCorsCommand,
  GetBucketCorsCommand,
  PutBucketCorsCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import type { CORSRule } from "@aws-sdk/client-s3";
import { refused, startS3 } from "../harness/s3.ts";
import type { S3Server } from "../harness/s3.ts";

const ORIGIN = "http://app.localhost:3000";
const RULE = { AllowedMethods: ["GET"], AllowedOrigins: [ORIGIN] };

describe("S3 CORS", () => {
  let server: S3Server;
  before(async () => {
    server = await startS3();
  });
  after(() => server.stop());

  const put = (Bucket: string, ...CORSRules: CORSRule[]) =>
    server.s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules } }));
  const ask = async (method: string, path: string, headers: Record<string, string>) => {
    const answer = await fetch(`${server.endpoint}/${path}`, { method, headers });
    const text = await answer.text();
    const told = Object.fromEntries(
      [...answer.headers].filter(([name]) => name.startsWith("access-control-") || name === "vary"),
    );
    return {
      status: answer.status,
      told,
      code: /<Code>(.*)<\/Code>/.exec(text)?.[1],
      message: /<Message>(.*)<\/Message>/.exec(text)?.[1],
    };
  };
  const preflight = (path: string, origin: string, method: string, headers?: string) =>
    ask("OPTIONS", path, {
      origin,
      "access-control-request-method": method,
      ...(headers !== undefined && { "access-control-request-headers": headers }),
    });

  test("PutBucketCors, GetBucketCors and DeleteBucketCors keep the rules in their order", async () => {
    const Bucket = await server.bucket();
    const get = () => server.s3.send(new GetBucketCorsCommand({ Bucket }));
    await refused(get(), "NoSuchCORSConfiguration", 404, { members: { BucketName: Bucket } });
    const rules = [
      { ID: "one", ...RULE, AllowedHeaders: ["x-*"], ExposeHeaders: ["ETag"], MaxAgeSeconds: 60 },
      { AllowedMethods: ["PUT", "POST", "DELETE", "HEAD"], AllowedOrigins: ["*"] },
    ];
    await put(Bucket, ...rules);
    assert.deepEqual((await get()).CORSRules, rules);
    await server.s3.send(new DeleteBucketCorsCommand({ Bucket }));
    await refused(get(), "NoSuchCORSConfiguration", 404);
  });

  test("PutBucketCors refuses rules that are none", async () => {
    const Bucket = await server.bucket();
    const cases: [rules: CORSRule[], code: string, message?: string][] = [
      [[], "MalformedXML"],
      [[{ AllowedMethods: [], AllowedOrigins: ["*"] }], "MalformedXML"],
      [[{ AllowedMethods: ["GET"], AllowedOrigins: [] }], "MalformedXML"],
      [[{ ...RULE, ID: "x".repeat(256) }], "MalformedXML"],
      [
        [{ ...RULE, AllowedMethods: ["PATCH"] }],
        "InvalidRequest",
        "Found unsupported HTTP method in CORS config. Unsupported method is PATCH",
      ],
      [
        [{ ...RULE, AllowedOrigins: ["http://*.*"] }],
        "InvalidRequest",
        'AllowedOrigin "http://*.*" can not have more than one wildcard.',
      ],
      [
        [{ ...RULE, AllowedHeaders: ["*-*"] }],
        "InvalidRequest",
        'AllowedHeader "*-*" can not have more than one wildcard.',
      ],
      [
        [{ ...RULE, ExposeHeaders: ["x-*"] }],
        "InvalidRequest",
        'ExposeHeader "x-*" contains wildcard. We currently do not support wildcard for ExposeHeader.',
      ],
      [
        Array.from({ length: 101 }, () => RULE),
        "InvalidRequest",
        "The number of CORS rules should not exceed allowed limit of 100 rules.",
      ],
    ];
    for (const [rules, code, message] of cases)
      await refused(put(Bucket, ...rules), code, 400, message === undefined ? {} : { message });
  });

  test("a preflight is answered by the first rule that takes origin, method and headers", async () => {
    const Bucket = await server.bucket();
    const disabled = await preflight(Bucket, ORIGIN, "GET");
    assert.deepEqual(
      [disabled.status, disabled.code, disabled.message],
      [403, "AccessForbidden", "CORSResponse: CORS is not enabled for this bucket."],
    );
    await put(
      Bucket,
      { ...RULE, AllowedHeaders: ["x-*", "Content-Type"], ExposeHeaders: ["ETag", "x-a"], MaxAgeSeconds: 60 },
      { AllowedMethods: ["GET", "PUT"], AllowedOrigins: ["http://*.localhost:4000"] },
      { AllowedMethods: ["DELETE"], AllowedOrigins: ["*"] },
    );
    const vary = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";
    assert.deepEqual(await preflight(`${Bucket}/a`, ORIGIN, "GET", "X-Amz-Date, content-type"), {
      status: 200,
      told: {
        "access-control-allow-origin": ORIGIN,
        "access-control-allow-methods": "GET",
        "access-control-allow-headers": "x-amz-date, content-type",
        "access-control-expose-headers": "ETag, x-a",
        "access-control-max-age": "60",
        "access-control-allow-credentials": "true",
        vary,
      },
      code: undefined,
      message: undefined,
    });
    assert.equal((await preflight(Bucket, "http://a.b.localhost:4000", "PUT")).status, 200);
    assert.deepEqual((await preflight(Bucket, ORIGIN, "DELETE")).told, {
      "access-control-allow-origin": "*",
      "access-control-allow-methods": "DELETE",
      vary,
    });
    for (const [origin, method, headers] of [
      [ORIGIN, "PUT"],
      [ORIGIN, "GET", "authorization"],
      ["http://localhost:4000", "GET"],
      ["http://a.localhost:4000", "GET", "x-amz-date"],
    ] as const)
      assert.deepEqual((await preflight(Bucket, origin, method, headers)).code, "AccessForbidden", origin);
    assert.equal((await preflight("no-such-bucket", ORIGIN, "GET")).code, "AccessForbidden");
    const bare = await ask("OPTIONS", Bucket, {});
    assert.deepEqual(
      [bare.status, bare.message],
      [400, "Insufficient information. Origin request header needed."],
    );
    assert.equal((await ask("OPTIONS", Bucket, { origin: ORIGIN })).status, 400);
  });

  test("requests with an Origin are told the rule, errors too, and others nothing", async () => {
    const Bucket = await server.bucket();
    await server.s3.send(new PutObjectCommand({ Bucket, Key: "a", Body: "text" }));
    await put(Bucket, { ...RULE, ExposeHeaders: ["ETag"] });
    const allowed = await ask("GET", `${Bucket}/a`, { origin: ORIGIN });
    assert.deepEqual(
      [
        allowed.status,
        allowed.told["access-control-allow-origin"],
        allowed.told["access-control-expose-headers"],
      ],
      [200, ORIGIN, "ETag"],
    );
    const absent = await ask("GET", `${Bucket}/absent`, { origin: ORIGIN });
    assert.deepEqual([absent.code, absent.told["access-control-allow-origin"]], ["NoSuchKey", ORIGIN]);
    assert.deepEqual((await ask("GET", `${Bucket}/a`, { origin: "http://localhost:1" })).told, {});
    assert.deepEqual((await ask("HEAD", `${Bucket}/a`, { origin: ORIGIN })).told, {});
    assert.deepEqual((await ask("GET", `${Bucket}/a`, {})).told, {});
  });
});
