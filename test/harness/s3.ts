/** What the S3 tests share: a server with a client, buckets of their own, and errors as the SDK tells them. */
import assert from "node:assert/strict";
import { CreateBucketCommand, S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import type { StartInput } from "../../src/index.ts";
import { startServer } from "./server.ts";
import type { TestServer } from "./server.ts";

export interface S3Server extends TestServer {
  readonly s3: S3Client;
  /** Creates a bucket with a new name and answers the name. */
  bucket(): Promise<string>;
  /** A client that is destroyed with the server. */
  clientOf(options?: { account?: string; region?: string }): S3Client;
}

export async function startS3(config: StartInput = {}): Promise<S3Server> {
  const server = await startServer({ sandbox: "process", ...config });
  const clients: S3Client[] = [];
  const clientOf = (options?: { account?: string; region?: string }) => {
    const client = new S3Client(server.client(options));
    clients.push(client);
    return client;
  };
  const s3 = clientOf();
  let count = 0;
  return {
    ...server,
    s3,
    clientOf,
    async bucket() {
      const Bucket = `bucket-${process.pid}-${count++}`;
      await s3.send(new CreateBucketCommand({ Bucket }));
      return Bucket;
    },
    async stop() {
      for (const client of clients) client.destroy();
      await server.stop();
    },
  };
}

/** Asserts that a call fails with this error: name, status, and where given its text and its further elements. */
export async function refused(
  call: Promise<unknown>,
  name: string,
  status: number,
  expected: { readonly message?: string | RegExp; readonly members?: Readonly<Record<string, string>> } = {},
): Promise<S3ServiceException> {
  const error = await call.then(
    () => assert.fail(`${name} was expected`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof S3ServiceException, String(error));
  assert.equal(error.name, name, error.message);
  assert.equal(error.$metadata.httpStatusCode, status);
  if (typeof expected.message === "string") assert.equal(error.message, expected.message);
  else if (expected.message) assert.match(error.message, expected.message);
  for (const [member, value] of Object.entries(expected.members ?? {}))
    assert.equal((error as unknown as Record<string, unknown>)[member], value, member);
  return error;
}

/** Deterministic bytes that do not repeat soon. */
export function bytes(length: number, seed = 1): Buffer {
  const out = Buffer.allocUnsafe(length);
  let state = seed >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    out[i] = state >>> 24;
  }
  return out;
}
