/** PutRecord and PutRecords: durable when they are answered. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Kinesis } from "../deps.ts";
import { THROUGHPUT_EXCEEDED, dryRun, invalidArgument, rateExceeded, rateExceededText } from "../errors.ts";
import { REQUEST_BYTES_MAX } from "../limits.ts";
import { activeStream, placeNamed } from "../lookup.ts";
import { putRecords as put, readyRecord } from "../records/put.ts";
import { readSequenceNumber } from "../shards/sequence-number.ts";
import type { Stream } from "../streams.ts";

export async function putRecord(
  kinesis: Kinesis,
  input: Input<Client, "PutRecord">,
  context: RequestContext,
): Promise<Output<Client, "PutRecord">> {
  const stream = await activeStream(kinesis, placeNamed(input, context), context);
  const record = readyRecord(stream, input, "");
  requireOrdering(stream, input.SequenceNumberForOrdering);
  if (input.DryRun === true) throw dryRun();
  const [result] = await put(kinesis, stream, [record], "PutRecord");
  const { shardId = "", sequenceNumber } = result ?? {};
  if (sequenceNumber === undefined) throw rateExceeded(shardId, stream);
  return { ShardId: shardId, SequenceNumber: sequenceNumber };
}

/** Numbers of a shard grow anyway; one that never was is refused. @throws AwsError InvalidArgumentException */
function requireOrdering({ name, account }: Stream, number: string | undefined): void {
  if (number === undefined || readSequenceNumber(number)) return;
  throw invalidArgument(
    `ExclusiveMinimumSequenceNumber ${number} used in PutRecord on stream ${name} under account ${account} is invalid.`,
  );
}

export async function putRecords(
  kinesis: Kinesis,
  input: Input<Client, "PutRecords">,
  context: RequestContext,
): Promise<Output<Client, "PutRecords">> {
  const stream = await activeStream(kinesis, placeNamed(input, context), context);
  const records = (input.Records ?? []).map((entry, at) =>
    readyRecord(stream, entry, `records.${at + 1}.member.`),
  );
  let bytes = 0;
  for (const record of records) bytes += record.bytes;
  if (bytes > REQUEST_BYTES_MAX)
    throw invalidArgument(
      `The records of the request have ${bytes} bytes with their partition keys, and a request may have ${REQUEST_BYTES_MAX}.`,
    );
  if (input.DryRun === true) throw dryRun();
  const results = await put(kinesis, stream, records, "PutRecords");
  let failed = 0;
  const told = results.map(({ shardId: ShardId, sequenceNumber }) => {
    if (sequenceNumber !== undefined) return { SequenceNumber: sequenceNumber, ShardId };
    failed++;
    return { ErrorCode: THROUGHPUT_EXCEEDED, ErrorMessage: rateExceededText(ShardId, stream) };
  });
  return { FailedRecordCount: failed, Records: told };
}
