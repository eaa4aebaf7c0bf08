/** Puts records into streams in another service's transaction. */
import { AwsError } from "../../aws/errors.ts";
import type { Transaction } from "../../store/database.ts";
import type { Kinesis } from "./deps.ts";
import { readStreamArn } from "./names.ts";
import { shardFor, readyRecord } from "./records/put.ts";
import { toChunks } from "./records/chunk.ts";
import { readStream } from "./streams.ts";
import { shardIdOf } from "./shards/shard.ts";
import type { Stream } from "./streams.ts";

/** What acts for a role, or a service on its own behalf for a resource of an account. */
export type StreamSender =
  | { readonly roleArn: string }
  | { readonly service: string; readonly sourceArn: string; readonly sourceAccount: string };

export interface IntakeRecord {
  readonly streamArn: string;
  /** 1 to 256 characters. */
  readonly partitionKey: string;
  readonly data: Uint8Array;
}

export interface StreamIntake {
  /** Whether the stream is there, and the sender may put records: by the role's own policies, the stream's, or both across accounts. */
  check(streamArn: string, sender: StreamSender): Promise<"ok" | "missing" | "denied">;
  /**
   * Adds a record in the caller's transaction; readers wake after its commit. Permission is not asked again: that is `check`'s.
   * `throttled` where the shard has taken its share of this second.
   */
  put(tx: Transaction, record: IntakeRecord): Promise<"put" | "missing" | "throttled" | "too-large">;
}

const PUT = "kinesis:PutRecord";

export function createIntake(kinesis: Kinesis): StreamIntake {
  return {
    async check(streamArn, sender) {
      const place = readStreamArn(streamArn);
      const stream = place && (await kinesis.streams.find(place));
      if (stream?.status !== "ACTIVE") return "missing";
      return (await mayPut(kinesis, stream, streamArn, sender)) ? "ok" : "denied";
    },
    async put(tx, { streamArn, partitionKey, data }) {
      const place = readStreamArn(streamArn);
      const known = place && kinesis.streams.known(place);
      // The remembered shards may have been closed meanwhile: then those are asked for that are there now.
      for (const stream of known ? [known, undefined] : [undefined]) {
        const found = stream ?? (place && (await readStream(tx, place)));
        if (found?.status !== "ACTIVE") return "missing";
        const answer = await putInto(kinesis, tx, found, { partitionKey, data });
        if (answer !== "closed") return answer;
        kinesis.streams.forget(found);
      }
      return "throttled";
    },
  };
}

async function putInto(
  kinesis: Kinesis,
  tx: Transaction,
  stream: Stream,
  { partitionKey, data }: Omit<IntakeRecord, "streamArn">,
): Promise<"put" | "throttled" | "too-large" | "closed"> {
  const { shardLimits, clock, ids, appends, scaling, streamMetrics } = kinesis;
  let record;
  try {
    record = readyRecord(stream, { PartitionKey: partitionKey, Data: data }, "");
  } catch (error) {
    if (error instanceof AwsError) return "too-large";
    throw error;
  }
  const { shardNo } = shardFor(stream, record, ids);
  if (!shardLimits.takesRecord(stream.stream_id, shardNo, record.bytes, clock.now())) {
    scaling.exceeded(stream, shardNo);
    streamMetrics.refused(stream, shardIdOf(shardNo));
    return "throttled";
  }
  const [placed] = await appends.appendIn(tx, stream, toChunks(shardNo, [record]));
  if (!placed) return "closed";
  const { bytes } = record;
  tx.afterCommit(() => streamMetrics.incoming(stream, bytes, 1, shardIdOf(shardNo)));
  return "put";
}

async function mayPut(
  { policies, roles }: Pick<Kinesis, "policies" | "roles">,
  { policy, account }: Stream,
  streamArn: string,
  sender: StreamSender,
): Promise<boolean> {
  const question = { action: PUT, resources: [streamArn] };
  if ("service" in sender) {
    if (policy === null) return false;
    const conditions = { "aws:SourceArn": sender.sourceArn, "aws:SourceAccount": sender.sourceAccount };
    const said = await policies.ask(policy, { ...question, conditions }, { service: sender.service });
    return said !== "denied" && said !== "none";
  }
  const own = sender.roleArn.split(":")[4] ?? "";
  const caller = { account: own, arn: sender.roleArn };
  const said = policy === null ? "none" : await policies.ask(policy, question, caller);
  if (said === "denied") return false;
  if (account === own && said === "principal") return true;
  return (account === own || said !== "none") && (await roles.allows(sender.roleArn, PUT, streamArn));
}
