/** A server with a Kinesis client and streams, and the words a request is refused in. */
import {
  CreateStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  KinesisServiceException,
} from "@aws-sdk/client-kinesis";
import type {
  CreateStreamCommandInput,
  GetRecordsCommandOutput,
  GetShardIteratorCommandInput,
} from "@aws-sdk/client-kinesis";
import type { StartInput } from "../../src/index.ts";
import { systemClock } from "../../src/kit/clock.ts";
import type { Clock } from "../../src/kit/clock.ts";
import { startServer } from "./server.ts";
import type { TestServer } from "./server.ts";

/** A clock that leaps, and calls nothing on the way: days pass at once. */
export class LeapingClock implements Clock {
  #aheadMs = 0;
  readonly after: Clock["after"] = (ms, action) => systemClock.after(ms, action);

  now(): number {
    return systemClock.now() + this.#aheadMs;
  }

  leap(ms: number): void {
    this.#aheadMs += ms;
  }
}

export const ACCOUNT = "000000000000";

export interface KinesisSetting {
  readonly server: TestServer;
  readonly client: KinesisClient;
  /** Creates a stream of one shard, unless told otherwise; answers its name. */
  stream(more?: Partial<CreateStreamCommandInput>): Promise<string>;
  stop(): Promise<void>;
}

/** Starts a server for Kinesis alone. */
export async function startKinesis(config: StartInput = {}): Promise<KinesisSetting> {
  const server = await startServer({ sandbox: "process", logLevel: "error", ...config });
  const client = new KinesisClient(server.client());
  let streams = 0;
  return {
    server,
    client,
    async stream(more = {}) {
      const StreamName = more.StreamName ?? `stream-${(streams += 1)}`;
      const shards = more.StreamModeDetails?.StreamMode === "ON_DEMAND" ? {} : { ShardCount: 1 };
      await client.send(new CreateStreamCommand({ ...shards, ...more, StreamName }));
      return StreamName;
    },
    async stop() {
      client.destroy();
      await server.stop();
    },
  };
}

export function arnOf(name: string, account = ACCOUNT): string {
  return `arn:aws:kinesis:us-east-1:${account}:stream/${name}`;
}

export const FIRST_SHARD = "shardId-000000000000";

/** An iterator of a stream's first shard, unless told otherwise. */
export async function iteratorOf(
  client: KinesisClient,
  StreamName: string,
  ShardIteratorType: GetShardIteratorCommandInput["ShardIteratorType"],
  more: Partial<GetShardIteratorCommandInput> = {},
): Promise<string> {
  const { ShardIterator = "" } = await client.send(
    new GetShardIteratorCommand({ StreamName, ShardId: FIRST_SHARD, ShardIteratorType, ...more }),
  );
  return ShardIterator;
}

/** One GetRecords from a place on. */
export async function recordsFrom(
  client: KinesisClient,
  ...from: [
    name: string,
    type: GetShardIteratorCommandInput["ShardIteratorType"],
    more?: Partial<GetShardIteratorCommandInput>,
  ]
): Promise<GetRecordsCommandOutput> {
  return client.send(new GetRecordsCommand({ ShardIterator: await iteratorOf(client, ...from) }));
}

export const text = (data: Uint8Array | undefined): string => Buffer.from(data ?? []).toString();

/** `Code: message` of the error a request ends with. */
export async function refusal(request: Promise<unknown>): Promise<string> {
  try {
    await request;
  } catch (error) {
    if (error instanceof KinesisServiceException) return `${error.name}: ${error.message}`;
    throw error;
  }
  return "(accepted)";
}
