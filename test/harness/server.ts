/** A running server for a test file, with real SDK clients pointed at it. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { start } from "../../src/index.ts";
import type { StartInput } from "../../src/index.ts";

export interface TestServer {
  readonly endpoint: string;
  readonly dataDir: string;
  /** Options of an SDK client of an account: `new S3Client(server.client())`. The account is the access key id. */
  client(options?: { account?: string; region?: string }): ClientOptions;
  stop(): Promise<void>;
}

export interface ClientOptions {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly forcePathStyle: true;
  readonly maxAttempts: number;
}

/** Starts a server in this process on a free port and a folder of its own, removed at the end. */
export async function startServer(config: StartInput = {}): Promise<TestServer> {
  const own = config.dataDir === undefined ? await mkdtemp(join(tmpdir(), "lambent-test-")) : undefined;
  const running = await start({ ...config, dataDir: config.dataDir ?? own });
  return {
    endpoint: running.endpoint,
    dataDir: running.dataDir,
    client: (options = {}) => clientOptions(running.endpoint, options),
    async stop() {
      await running.stop();
      if (own) await rm(own, { recursive: true, force: true });
    },
  };
}

/** Options of an SDK client for an endpoint; retries are off, so that a test sees the first answer. */
export function clientOptions(
  endpoint: string,
  options: { account?: string; region?: string } = {},
): ClientOptions {
  return {
    endpoint,
    region: options.region ?? "us-east-1",
    credentials: { accessKeyId: options.account ?? "000000000000", secretAccessKey: "test" },
    forcePathStyle: true,
    maxAttempts: 1,
  };
}

/** The same with the root credentials that a server with authentication has made. */
export async function rootOptions(server: {
  readonly endpoint: string;
  readonly credentialsFile: string | undefined;
}): Promise<ClientOptions> {
  const file = await readFile(server.credentialsFile ?? "", "utf8");
  const value = (key: string) => new RegExp(`^${key} = (\\S+)`, "m").exec(file)?.[1] ?? "";
  const credentials = {
    accessKeyId: value("aws_access_key_id"),
    secretAccessKey: value("aws_secret_access_key"),
  };
  return { ...clientOptions(server.endpoint), credentials };
}
