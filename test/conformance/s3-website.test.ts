/** Buckets as websites: their configurations, documents and redirects, and who may see them. */
import assert from "node:assert/strict";
import { request } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketWebsiteCommand,
  DeletePublicAccessBlockCommand,
  GetBucketWebsiteCommand,
  HeadObjectCommand,
  PutBucketPolicyCommand,
  PutBucketWebsiteCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import type { PutObjectCommandInput, RoutingRule, WebsiteConfiguration } from "@aws-sdk/client-s3";
import { start } from "../../src/index.ts";
import type { Running } from "../../src/index.ts";
import { rootOptions } from "../harness/server.ts";
import { refused, startS3 } from "../harness/s3.ts";
import type { S3Server } from "../harness/s3.ts";

interface Seen {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Asks as a browser would that reaches the server by the website's name. */
function visit(
  endpoint: string,
  bucket: string,
  path: string,
  { method = "GET", suffix = "s3-website.localhost", ...headers }: Record<string, string> = {},
): Promise<Seen> {
  const { hostname, port } = new URL(endpoint);
  const host = `${bucket}.${suffix}:${port}`;
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path, method, headers: { host, ...headers } }, (answer) => {
      text(answer).then(
        (body) => resolve({ status: answer.statusCode, headers: answer.headers, body }),
        reject,
      );
    });
    asked.on("error", reject);
    asked.end();
  });
}

const WEBSITE = { IndexDocument: { Suffix: "index.html" }, ErrorDocument: { Key: "oops.html" } };

describe("S3 websites", () => {
  let server: S3Server;
  before(async () => {
    server = await startS3();
  });
  after(() => server.stop());

  const configure = (Bucket: string, WebsiteConfiguration: WebsiteConfiguration) =>
    server.s3.send(new PutBucketWebsiteCommand({ Bucket, WebsiteConfiguration }));
  const write = (Bucket: string, Key: string, more: Partial<PutObjectCommandInput> = {}) =>
    server.s3.send(new PutObjectCommand({ Bucket, Key, Body: Key, ContentType: "text/html", ...more }));
  const see = (bucket: string, path: string, headers?: Record<string, string>) =>
    visit(server.endpoint, bucket, path, headers);

  test("PutBucketWebsite, GetBucketWebsite and DeleteBucketWebsite", async () => {
    const Bucket = await server.bucket();
    const get = () => server.s3.send(new GetBucketWebsiteCommand({ Bucket }));
    await refused(get(), "NoSuchWebsiteConfiguration", 404, { members: { BucketName: Bucket } });
    const RoutingRules = [
      { Condition: { KeyPrefixEquals: "a/" }, Redirect: { ReplaceKeyPrefixWith: "b/" } },
      { Condition: { HttpErrorCodeReturnedEquals: "404" }, Redirect: { HostName: "x.y", Protocol: "https" } },
    ] as const;
    await configure(Bucket, { ...WEBSITE, RoutingRules: [...RoutingRules] });
    const { $metadata: _, ...got } = await get();
    assert.deepEqual(got, { ...WEBSITE, RoutingRules });
    await configure(Bucket, { RedirectAllRequestsTo: { HostName: "example.com" } });
    assert.equal((await get()).RedirectAllRequestsTo?.HostName, "example.com");
    await server.s3.send(new DeleteBucketWebsiteCommand({ Bucket }));
    await refused(get(), "NoSuchWebsiteConfiguration", 404);
  });

  test("PutBucketWebsite refuses configurations that are none", async () => {
    const Bucket = await server.bucket();
    const { IndexDocument } = WEBSITE;
    const rules = (...RoutingRules: RoutingRule[]) => ({ IndexDocument, RoutingRules });
    const cases: [WebsiteConfiguration, string, RegExp][] = [
      [{}, "InvalidArgument", /IndexDocument Suffix must be provided/],
      [{ IndexDocument: { Suffix: "a/b" } }, "InvalidArgument", /Suffix is not well formed/],
      [{ IndexDocument, ErrorDocument: { Key: "" } }, "InvalidArgument", /ErrorDocument Key/],
      [{ IndexDocument, RedirectAllRequestsTo: { HostName: "x" } }, "InvalidRequest", /conjunction/],
      [
        { RedirectAllRequestsTo: { HostName: "x", Protocol: "ftp" as "http" } },
        "InvalidRequest",
        /Invalid protocol/,
      ],
      [rules({ Redirect: {} }), "MalformedXML", /./],
      [rules({ Condition: {}, Redirect: { HostName: "x" } }), "InvalidRequest", /Condition cannot be empty/],
      [
        rules({ Condition: { HttpErrorCodeReturnedEquals: "200" }, Redirect: { HostName: "x" } }),
        "InvalidRequest",
        /\(200\) is not valid. Valid codes are 4XX or 5XX/,
      ],
      [rules({ Redirect: { HttpRedirectCode: "300" } }), "InvalidRequest", /3XX except 300/],
      [
        rules({ Redirect: { ReplaceKeyWith: "a", ReplaceKeyPrefixWith: "b" } }),
        "InvalidRequest",
        /but not both/,
      ],
      [
        rules(...Array.from({ length: 51 }, () => ({ Redirect: { HostName: "x" } }))),
        "InvalidRequest",
        /^51 routing rules provided/,
      ],
    ];
    for (const [configuration, code, message] of cases)
      await refused(configure(Bucket, configuration), code, 400, { message });
  });

  test("documents, folders, and errors with and without a document", async () => {
    const Bucket = await server.bucket();
    const bare = await see(Bucket, "/");
    assert.deepEqual([bare.status, /NoSuchWebsiteConfiguration/.test(bare.body)], [404, true]);
    await configure(Bucket, WEBSITE);
    await write(Bucket, "index.html", { CacheControl: "no-cache", Metadata: { a: "b" } });
    await write(Bucket, "docs/index.html");
    await write(Bucket, "ü x.txt", { ContentType: "text/plain" });
    const home = await see(Bucket, "/");
    assert.deepEqual([home.status, home.body], [200, "index.html"]);
    assert.deepEqual(
      [home.headers["content-type"], home.headers["cache-control"], home.headers["x-amz-meta-a"]],
      ["text/html", "no-cache", "b"],
    );
    assert.equal((await see(Bucket, "/docs/")).body, "docs/index.html");
    const folder = await see(Bucket, "/docs");
    assert.deepEqual([folder.status, folder.headers.location], [302, "/docs/"]);
    assert.equal((await see(Bucket, "/%C3%BC%20x.txt?query=1")).body, "ü x.txt");
    const region = { suffix: "s3-website-us-east-1.example.com" };
    assert.equal((await see(Bucket, "/", region)).body, "index.html");
    const head = await see(Bucket, "/", { method: "HEAD" });
    assert.deepEqual([head.status, head.body, head.headers["content-length"]], [200, "", "10"]);
    const part = await see(Bucket, "/", { range: "bytes=0-4" });
    assert.deepEqual([part.status, part.body], [206, "index"]);
    const same = await see(Bucket, "/", { "if-none-match": home.headers.etag ?? "" });
    assert.deepEqual([same.status, same.headers.etag], [304, home.headers.etag]);

    const missing = await see(Bucket, "/<nowhere>");
    assert.equal(missing.status, 404);
    assert.match(
      missing.body,
      /<li>Code: NoSuchKey<\/li>\n<li>Message: The specified key does not exist.<\/li>/,
    );
    assert.match(missing.body, /<li>Key: &#60;nowhere&#62;<\/li>/);
    await write(Bucket, "oops.html");
    const kind = await see(Bucket, "/nowhere");
    assert.deepEqual([kind.status, kind.body], [404, "oops.html"]);
    assert.equal((await see(Bucket, "/", { method: "POST" })).status, 405);
    assert.equal((await see(Bucket, "/%zz")).status, 400);
    assert.equal((await see("no-such-bucket", "/")).status, 404);
  });

  test("redirects: of all requests, by rules before and after the look, and of single objects", async () => {
    const Bucket = await server.bucket();
    const redirects: [RoutingRule, path: string, status: number, location: string][] = [
      [
        { Condition: { KeyPrefixEquals: "old/" }, Redirect: { ReplaceKeyPrefixWith: "new/" } },
        "/old/a%20b",
        301,
        `http://${Bucket}.s3-website.localhost:PORT/new/a%20b`,
      ],
      [
        {
          Condition: { KeyPrefixEquals: "gone" },
          Redirect: { ReplaceKeyWith: "sorry.html", HttpRedirectCode: "307" },
        },
        "/gone/away",
        307,
        `http://${Bucket}.s3-website.localhost:PORT/sorry.html`,
      ],
      [
        {
          Condition: { KeyPrefixEquals: "api/", HttpErrorCodeReturnedEquals: "404" },
          Redirect: { HostName: "api.example.com", Protocol: "https" },
        },
        "/api/x",
        301,
        "https://api.example.com/api/x",
      ],
    ];
    await configure(Bucket, { ...WEBSITE, RoutingRules: redirects.map(([rule]) => rule) });
    const { port } = new URL(server.endpoint);
    for (const [, path, status, location] of redirects) {
      const seen = await see(Bucket, path);
      assert.deepEqual([seen.status, seen.headers.location], [status, location.replace("PORT", port)]);
    }
    await write(Bucket, "api/there");
    assert.equal((await see(Bucket, "/api/there")).status, 200);

    await write(Bucket, "moved", { WebsiteRedirectLocation: "/elsewhere" });
    const moved = await see(Bucket, "/moved");
    assert.deepEqual([moved.status, moved.headers.location], [301, "/elsewhere"]);
    const head = (Key: string) => server.s3.send(new HeadObjectCommand({ Bucket, Key }));
    assert.equal((await head("moved")).WebsiteRedirectLocation, "/elsewhere");
    const copy = (Key: string, more: object = {}) =>
      server.s3.send(new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/moved`, ...more }));
    await copy("copied");
    assert.equal((await head("copied")).WebsiteRedirectLocation, undefined, "a copy does not take it along");
    await copy("moved", { WebsiteRedirectLocation: "https://example.com/" });
    assert.equal((await head("moved")).WebsiteRedirectLocation, "https://example.com/");

    await configure(Bucket, { RedirectAllRequestsTo: { HostName: "example.com", Protocol: "https" } });
    const all = await see(Bucket, "/a?b=c");
    assert.deepEqual([all.status, all.headers.location], [301, "https://example.com/a?b=c"]);
  });
});

describe("S3 websites with authentication", () => {
  let server: Running;
  let s3: S3Client;
  const Bucket = "shown-bucket";
  before(async () => {
    server = await start({ auth: "on", sandbox: "process" });
    s3 = new S3Client(await rootOptions(server));
    await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(new PutObjectCommand({ Bucket, Key: "index.html", Body: "hello" }));
    await s3.send(new PutBucketWebsiteCommand({ Bucket, WebsiteConfiguration: WEBSITE }));
  });
  after(async () => {
    s3?.destroy();
    await server?.stop();
  });

  test("visitors see what the bucket's policy lets everyone have", async () => {
    const see = async (path: string) => {
      const { status, body } = await visit(server.endpoint, Bucket, path);
      return [status, /Code: (\w+)/.exec(body)?.[1] ?? body];
    };
    assert.deepEqual(await see("/"), [403, "AccessDenied"]);
    await s3.send(new DeletePublicAccessBlockCommand({ Bucket }));
    const allow = (Action: string, Resource: string) => ({
      Effect: "Allow",
      Principal: "*",
      Action,
      Resource,
    });
    const put = (...Statement: object[]) =>
      s3.send(
        new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: "2012-10-17", Statement }) }),
      );
    const get = allow("s3:GetObject", `arn:aws:s3:::${Bucket}/*`);
    await put(get);
    assert.deepEqual(await see("/"), [200, "hello"]);
    assert.deepEqual(await see("/absent"), [403, "AccessDenied"]);
    await put(get, allow("s3:ListBucket", `arn:aws:s3:::${Bucket}`));
    assert.deepEqual(await see("/absent"), [404, "NoSuchKey"]);
  });
});
