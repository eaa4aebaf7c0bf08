/** Bodies on their way in: aws-chunked with every trailing checksum, gzip, limits, and callers that go away. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { after, before, test } from "node:test";
import { crc32, gzipSync } from "node:zlib";
import { Crc64Nvme, crc32c } from "../../src/kit/crc.ts";
import { bytesOf, startDoor } from "./door.ts";
import type { Door } from "./door.ts";
import { rawRequest, scope } from "./raw-request.ts";

const CONTENT = "hello world, in chunks";

interface Stored {
  readonly bytes: string;
  readonly encoding: string | undefined;
  readonly length: number | undefined;
  readonly trailers: Record<string, string>;
}

const stored: Stored[] = [];
const aborted: boolean[] = [];
let door: Door;
before(async () => {
  door = await startDoor({
    services: {
      s3: {
        PutObject: async (input, context) => {
          try {
            const bytes = String(await bytesOf(input.Body));
            const { ContentEncoding: encoding, ContentLength: length } = input as Record<string, never>;
            stored.push({ bytes, encoding, length, trailers: { ...context.trailers } });
            return { ETag: '"e"' };
          } catch (error) {
            aborted.push(context.signal.aborted);
            throw error;
          }
        },
        DeleteObjects: (input) => ({ Deleted: (input.Delete as { Objects: object[] }).Objects }),
        ListBuckets: async (_, context) => {
          await delay(10_000, undefined, { signal: context.signal }).catch(() =>
            aborted.push(context.signal.aborted),
          );
          return {};
        },
      },
      "cloudwatch-logs": { PutLogEvents: () => ({ nextSequenceToken: "1" }) },
    },
  });
});
after(() => door.stop());

function chunked(content: string, trailers: Record<string, string>, chunkLength = 7): string {
  let body = "";
  for (let at = 0; at < content.length; at += chunkLength) {
    const chunk = content.slice(at, at + chunkLength);
    body += `${chunk.length.toString(16)}\r\n${chunk}\r\n`;
  }
  const lines = Object.entries(trailers).map(([name, value]) => `${name}:${value}\r\n`);
  return `${body}0\r\n${lines.join("")}\r\n`;
}

function put(body: string | Uint8Array, headers: Record<string, string>) {
  return rawRequest(door.port, {
    method: "PUT",
    path: "/bucket/key",
    headers: { ...scope("s3"), ...headers },
    body,
  });
}

const streaming = (trailer?: string, length = CONTENT.length): Record<string, string> => ({
  "content-encoding": "aws-chunked",
  "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
  "x-amz-decoded-content-length": String(length),
  ...(trailer === undefined ? {} : { "x-amz-trailer": trailer }),
});

const word = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes.toString("base64");
};
const hash = (name: string) => createHash(name).update(CONTENT).digest("base64");
const nvme = () => {
  const crc = new Crc64Nvme();
  crc.update(Buffer.from(CONTENT));
  return crc.digest().toString("base64");
};

for (const [name, value] of [
  ["crc32", word(crc32(CONTENT))],
  ["crc32c", word(crc32c(Buffer.from(CONTENT)))],
  ["crc64nvme", nvme()],
  ["sha1", hash("sha1")],
  ["sha256", hash("sha256")],
] as const)
  test(`a trailing ${name} is verified`, async () => {
    const header = `x-amz-checksum-${name}`;
    const good = await put(chunked(CONTENT, { [header]: value }), streaming(header));
    assert.equal(good.status, 200, String(good.body));
    assert.deepEqual(stored.at(-1), {
      bytes: CONTENT,
      encoding: undefined,
      length: CONTENT.length,
      trailers: { [header]: value },
    });
    const bad = await put(chunked(CONTENT.replace("h", "j"), { [header]: value }), streaming(header));
    assert.equal(bad.status, 400);
    assert.match(
      String(bad.body),
      new RegExp(`<Code>BadDigest</Code><Message>The ${name.toUpperCase()} you specified did not match`),
    );
  });

test("a trailer that was announced and does not come, or is none", async () => {
  const missing = await put(chunked(CONTENT, {}), streaming("x-amz-checksum-crc32"));
  assert.match(String(missing.body), /<Code>MalformedTrailerError<\/Code>/);
  const unknown = await put(chunked(CONTENT, {}), streaming("x-amz-checksum-crc99"));
  assert.match(String(unknown.body), /<Code>InvalidRequest<\/Code>/);
  const refused = await put(chunked(CONTENT, {}), streaming("x-amz-checksum-xxhash64"));
  assert.equal(refused.status, 501);
});

test("a body that is shorter or longer than it says", async () => {
  for (const length of [CONTENT.length - 1, CONTENT.length + 1]) {
    const answer = await put(chunked(CONTENT, {}), streaming(undefined, length));
    assert.equal(answer.status, 400);
    assert.match(String(answer.body), /<Code>IncompleteBody<\/Code>/);
  }
  const cut = await put(chunked(CONTENT, {}).slice(0, 12), streaming());
  assert.match(String(cut.body), /<Code>IncompleteBody<\/Code>/);
  const size = await put("zz\r\nhello\r\n0\r\n\r\n", streaming());
  assert.match(String(size.body), /<Code>InvalidChunkSizeError<\/Code>/);
});

test("chunks may be cut anywhere on the way", async () => {
  const body = Buffer.from(chunked(CONTENT, { "x-amz-checksum-crc32": word(crc32(CONTENT)) }, 3));
  const head = [
    "PUT /bucket/key HTTP/1.1",
    `Host: 127.0.0.1:${door.port}`,
    "Connection: close",
    `Content-Length: ${body.length}`,
    ...Object.entries({ ...scope("s3"), ...streaming("x-amz-checksum-crc32") }).map(
      ([name, value]) => `${name}: ${value}`,
    ),
  ].join("\r\n");
  const socket = connect(door.port, "127.0.0.1");
  socket.write(`${head}\r\n\r\n`);
  for (const byte of body) {
    socket.write(Uint8Array.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.match(String(await bytesOf(socket)), /^HTTP\/1.1 200 /);
  assert.equal(stored.at(-1)?.bytes, CONTENT);
});

test("S3 keeps an object's own encoding, and loses only aws-chunked", async () => {
  const answer = await put(chunked(CONTENT, {}), { ...streaming(), "content-encoding": "gzip,aws-chunked" });
  assert.equal(answer.status, 200);
  assert.equal(stored.at(-1)?.encoding, "gzip");
  assert.equal(stored.at(-1)?.bytes, CONTENT);
});

test("a gzipped request that is no gzip, or that unpacks beyond the limit", async () => {
  const headers = {
    ...scope("logs"),
    "x-amz-target": "Logs_20140328.PutLogEvents",
    "content-encoding": "gzip",
  };
  const broken = await rawRequest(door.port, { headers, body: "not gzip" });
  assert.equal(broken.status, 400);
  assert.match(String(broken.body), /SerializationException/);
  const bomb = await rawRequest(door.port, { headers, body: gzipSync(Buffer.alloc(80 * 1024 * 1024, " ")) });
  assert.equal(bomb.status, 413);
  assert.match(String(bomb.body), /RequestEntityTooLargeException/);
});

test("a body that is too large for memory is refused by its length", async () => {
  const headers = {
    ...scope("logs"),
    "x-amz-target": "Logs_20140328.PutLogEvents",
    "content-length": "999999999",
  };
  const answer = await rawRequest(door.port, { headers, body: "{}" });
  assert.equal(answer.status, 413);
});

test("malformed XML is MalformedXML, and document types are not read", async () => {
  const post = (body: string) =>
    rawRequest(door.port, { path: "/bucket?delete", headers: { ...scope("s3") }, body });
  const good = await post(
    '<?xml version="1.0"?><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key>a &amp; b</Key></Object><Object><Key><![CDATA[<c>]]></Key></Object></Delete>',
  );
  assert.match(
    String(good.body),
    /<Deleted><Key>a &amp; b<\/Key><\/Deleted><Deleted><Key>&lt;c&gt;<\/Key><\/Deleted>/,
  );
  for (const body of [
    "<Delete>",
    "<Delete><Object></Delete></Object>",
    "text",
    "<a/><b/>",
    '<!DOCTYPE a [<!ENTITY x "y">]><Delete/>',
    "<Delete>&x;</Delete>",
  ]) {
    const answer = await post(body);
    assert.equal(answer.status, 400, body);
    assert.match(String(answer.body), /<Code>MalformedXML<\/Code>/);
  }
});

test("an operation is told that its caller has gone, while reading and while working", async () => {
  aborted.length = 0;
  const socket = connect(door.port, "127.0.0.1");
  // Smaller bodies reach their operation when they are whole.
  socket.write(
    `PUT /bucket/key HTTP/1.1\r\nHost: x\r\nAuthorization: ${scope("s3").authorization}\r\nContent-Length: 2000000\r\n\r\npart`,
  );
  await delay(50);
  socket.destroy();
  const waiting = connect(door.port, "127.0.0.1");
  waiting.write(`GET / HTTP/1.1\r\nHost: x\r\nAuthorization: ${scope("s3").authorization}\r\n\r\n`);
  await delay(50);
  waiting.destroy();
  for (let tries = 0; aborted.length < 2 && tries < 100; tries++) await delay(10);
  assert.equal(aborted.length, 2);
  assert.equal(aborted[1], true);
  const errors = door.logged.filter((line) => line["level"] === "error");
  assert.deepEqual(errors, []);
});
