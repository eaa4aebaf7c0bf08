/** S3 as other clients speak it: presigned URLs, virtual hosts, lib-storage, the AWS CLI, boto3; and bodies larger than memory. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { spawnServer } from "../harness/process.ts";
import { bytes, startS3 } from "../harness/s3.ts";
import type { S3Server } from "../harness/s3.ts";
import { clientOptions } from "../harness/server.ts";

const run = promisify(execFile);
const MB = 1024 * 1024;

describe("S3 clients", () => {
  let server: S3Server;
  let Bucket: string;
  let folder: string;
  before(async () => {
    server = await startS3();
    Bucket = await server.bucket();
    folder = await mkdtemp(join(tmpdir(), "lambent-s3-clients-"));
  });
  after(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const environment = () => ({
    ...process.env,
    AWS_ENDPOINT_URL: server.endpoint,
    AWS_ACCESS_KEY_ID: "000000000000",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_CONFIG_FILE: "/dev/null",
    AWS_PAGER: "",
  });
  const aws = async (...words: string[]) =>
    (await run("aws", ["--endpoint-url", server.endpoint, ...words], { env: environment(), cwd: folder }))
      .stdout;

  test("PutObject, GetObject and HeadObject by presigned URL", async () => {
    const sign = (command: PutObjectCommand | GetObjectCommand | HeadObjectCommand) =>
      getSignedUrl(server.s3, command as never, { expiresIn: 60 });
    const url = await sign(new PutObjectCommand({ Bucket, Key: "signed/é b", ContentType: "text/plain" }));
    const put = await fetch(url, {
      method: "PUT",
      body: "by URL",
      headers: { "content-type": "text/plain" },
    });
    assert.equal(put.status, 200, await put.text());
    const get = await fetch(
      await sign(new GetObjectCommand({ Bucket, Key: "signed/é b", ResponseContentType: "text/html" })),
    );
    assert.equal(await get.text(), "by URL");
    assert.equal(get.headers.get("content-type"), "text/html");
    const head = await fetch(await sign(new HeadObjectCommand({ Bucket, Key: "signed/é b" })), {
      method: "HEAD",
    });
    assert.equal(head.headers.get("content-length"), "6");
  });

  test("PutObject and GetObject in virtual-host style, also presigned", async () => {
    const { port } = new URL(server.endpoint);
    const s3 = new S3Client({
      ...server.client(),
      endpoint: `http://localhost:${port}`,
      forcePathStyle: false,
    });
    const url = new URL(await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: "virtual" })));
    s3.destroy();
    assert.ok(url.hostname.startsWith(`${Bucket}.`));
    // Names below localhost do not resolve everywhere, so the host travels in its header alone.
    const send = (method: string, path: string, body?: string) =>
      new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
        const sent = request(
          `${server.endpoint}${path}`,
          {
            method,
            headers: { host: url.host, ...(body === undefined ? {} : { "content-length": body.length }) },
          },
          (response) =>
            void text(response).then((body) => resolve({ status: response.statusCode, body }), reject),
        );
        sent.on("error", reject);
        sent.end(body);
      });
    assert.equal((await send("PUT", url.pathname + url.search, "by host")).status, 200);
    assert.deepEqual(await send("GET", "/virtual"), { status: 200, body: "by host" });
  });

  test("Upload of lib-storage: a stream in parts", async () => {
    const data = bytes(12 * MB);
    const upload = new Upload({
      client: server.s3,
      params: { Bucket, Key: "uploaded", Body: Readable.from(pieces(data, 300_000)) },
    });
    const done = await upload.done();
    assert.match(done.ETag ?? "", /^"[0-9a-f]{32}-3"$/);
    const { Body } = await server.s3.send(new GetObjectCommand({ Bucket, Key: "uploaded" }));
    assert.ok(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(data));
  });

  test("aws s3: mb, cp in parts, ls, sync, mv, rm and rb", async () => {
    const data = bytes(20 * MB);
    await writeFile(join(folder, "large.bin"), data);
    await aws("s3", "mb", "s3://from-the-cli");
    await aws("s3", "cp", "large.bin", "s3://from-the-cli/dir/large.bin", "--metadata", "a=b");
    assert.match(await aws("s3", "ls", "s3://from-the-cli"), /PRE dir\//);
    assert.match(await aws("s3", "ls", "s3://from-the-cli", "--recursive"), /20971520 dir\/large\.bin/);
    const head = JSON.parse(
      await aws("s3api", "head-object", "--bucket", "from-the-cli", "--key", "dir/large.bin"),
    ) as {
      ETag: string;
      Metadata: object;
    };
    assert.match(head.ETag, /-3"$/);
    assert.deepEqual(head.Metadata, { a: "b" });
    await aws("s3", "cp", "s3://from-the-cli/dir/large.bin", "back.bin");
    assert.ok((await readFile(join(folder, "back.bin"))).equals(data));
    await mkdir(join(folder, "tree", "sub"), { recursive: true });
    for (const name of ["one.txt", "sub/two ü.txt"]) {
      await writeFile(join(folder, "tree", name), name);
      // S3 tells whole seconds; a file of this very second would seem newer than its copy.
      await utimes(join(folder, "tree", name), 0, 0);
    }
    await aws("s3", "sync", "tree", "s3://from-the-cli/tree");
    assert.equal(await aws("s3", "sync", "tree", "s3://from-the-cli/tree"), "", "nothing is left to do");
    assert.equal(await aws("s3", "cp", "s3://from-the-cli/tree/sub/two ü.txt", "-"), "sub/two ü.txt");
    await aws("s3", "mv", "s3://from-the-cli/tree/one.txt", "s3://from-the-cli/moved.txt");
    await aws("s3", "rm", "s3://from-the-cli", "--recursive");
    assert.equal(await aws("s3", "ls", "s3://from-the-cli", "--recursive").catch(() => ""), "");
    await aws("s3", "rb", "s3://from-the-cli");
  });

  test("boto3: put, get, upload_file in parts, paginate and delete", async () => {
    const { stdout } = await run("python3", ["-c", BOTO], { env: environment(), cwd: folder });
    assert.equal(stdout.trim(), "well");
  });

  test("PutObject and GetObject of 200 MB stay within a bounded memory", async () => {
    const dataDir = join(folder, "big");
    const own = await spawnServer(["--data-dir", dataDir, "--port", "0", "--sandbox", "process"]);
    const s3 = new S3Client(clientOptions(own.endpoint));
    try {
      await fetch(`${own.endpoint}/big-bucket`, { method: "PUT" });
      const piece = bytes(MB);
      const length = 200 * MB;
      const before = await residentBytes(own.child.pid);
      let most = before;
      const watch = setInterval(
        () => void residentBytes(own.child.pid).then((now) => (most = Math.max(most, now))),
        20,
      );
      const hash = createHash("md5");
      function* body(): Iterable<Buffer> {
        for (let sent = 0; sent < length; sent += piece.length) {
          hash.update(piece);
          yield piece;
        }
      }
      const Key = "big";
      const put = { Bucket: "big-bucket", Key, Body: Readable.from(body()), ContentLength: length };
      const { ETag } = await s3.send(new PutObjectCommand(put));
      assert.equal(ETag, `"${hash.digest("hex")}"`);
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: "big-bucket", Key }));
      let received = 0;
      for await (const chunk of Body as Readable) received += (chunk as Buffer).length;
      clearInterval(watch);
      assert.equal(received, length);
      assert.ok(most - before < 120 * MB, `the server grew by ${Math.round((most - before) / MB)} MB`);
    } finally {
      s3.destroy();
      await own.terminate();
    }
  });
});

const BOTO = `
import io, os, boto3
from boto3.s3.transfer import TransferConfig
s3 = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
s3.create_bucket(Bucket="from-boto")
assert s3.get_bucket_location(Bucket="from-boto")["LocationConstraint"] is None
s3.put_object(Bucket="from-boto", Key="a b/\u00fc", Body=b"hello", Metadata={"k": "v"})
got = s3.get_object(Bucket="from-boto", Key="a b/\u00fc")
assert got["Body"].read() == b"hello" and got["Metadata"] == {"k": "v"}
data = os.urandom(11 * 1024 * 1024)
s3.upload_fileobj(io.BytesIO(data), "from-boto", "parts", Config=TransferConfig(multipart_threshold=5242880, multipart_chunksize=5242880))
out = io.BytesIO()
s3.download_fileobj("from-boto", "parts", out)
assert out.getvalue() == data
try:
    s3.get_object(Bucket="from-boto", Key="missing")
    raise SystemExit("NoSuchKey was expected")
except s3.exceptions.NoSuchKey as error:
    assert error.response["Error"]["Key"] == "missing"
keys = [o["Key"] for p in s3.get_paginator("list_objects_v2").paginate(Bucket="from-boto", PaginationConfig={"PageSize": 1}) for o in p["Contents"]]
assert keys == ["a b/\u00fc", "parts"], keys
boto3.resource("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"]).Bucket("from-boto").objects.all().delete()
s3.delete_bucket(Bucket="from-boto")
print("well")
`;

function* pieces(data: Buffer, size: number): Iterable<Buffer> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
}

/** Memory of a process that is its own: what it maps from files is not counted. */
async function residentBytes(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/RssAnon:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}
