/** The direct way of PutRecords and PutRecord: JSON that names a stream which is known, and nothing out of the ordinary. */
import type { DirectService } from "../../../aws/service.ts";
import type { WireResponse } from "../../../aws/index.ts";
import type { Kinesis } from "../deps.ts";
import { rateExceeded, rateExceededText, THROUGHPUT_EXCEEDED } from "../errors.ts";
import { REQUEST_BYTES_MAX } from "../limits.ts";
import { putRecords, readyRecord } from "../records/put.ts";
import type { PutResult, ReadyRecord } from "../records/put.ts";
import type { Stream } from "../streams.ts";

const NO_HEADERS: ReadonlySet<string> = new Set();
const NAME = /^[a-zA-Z0-9_.-]{1,128}$/;
const HASH_KEY = /^(?:0|[1-9]\d{0,38})$/;
const RECORDS_MAX = 500;
const KEY_CHARS_MAX = 256;

type Place = { readonly account: string; readonly region: string };

export function createDirectPuts(kinesis: Kinesis): DirectService {
  return {
    headers: NO_HEADERS,
    find(operation, _labels, place) {
      if (operation === "PutRecords") return ({ requestId, body }) => many(kinesis, place, requestId, body);
      if (operation === "PutRecord") return ({ requestId, body }) => one(kinesis, place, requestId, body);
      return undefined;
    },
  };
}

function many(
  kinesis: Kinesis,
  place: Place,
  requestId: string,
  body: Buffer,
): Promise<WireResponse> | undefined {
  const input = readObject(body);
  const entries = input?.["Records"];
  if (!input || !hasOnly(input, MANY) || !Array.isArray(entries)) return undefined;
  if (entries.length === 0 || entries.length > RECORDS_MAX) return undefined;
  const stream = streamOf(kinesis, place, input["StreamName"]);
  if (!stream) return undefined;
  const records: ReadyRecord[] = [];
  let bytes = 0;
  for (const entry of entries as unknown[]) {
    const record = readRecord(stream, entry, ENTRY);
    if (!record) return undefined;
    records.push(record);
    bytes += record.bytes;
  }
  if (bytes > REQUEST_BYTES_MAX) return undefined;
  return putRecords(kinesis, stream, records, "PutRecords").then((results) =>
    success(requestId, manyResults(stream, results)),
  );
}

function one(
  kinesis: Kinesis,
  place: Place,
  requestId: string,
  body: Buffer,
): Promise<WireResponse> | undefined {
  const input = readObject(body);
  const stream = input && streamOf(kinesis, place, input["StreamName"]);
  const record = stream && readRecord(stream, input, ONE);
  if (!stream || !record) return undefined;
  return putRecords(kinesis, stream, [record], "PutRecord").then(([result]) => {
    const { shardId = "", sequenceNumber } = result ?? {};
    if (sequenceNumber === undefined) throw rateExceeded(shardId, stream);
    return success(requestId, `{"ShardId":"${shardId}","SequenceNumber":"${sequenceNumber}"}`);
  });
}

const ENTRY: ReadonlySet<string> = new Set(["Data", "PartitionKey", "ExplicitHashKey"]);
const ONE: ReadonlySet<string> = new Set([...ENTRY, "StreamName"]);
const MANY: ReadonlySet<string> = new Set(["StreamName", "Records"]);

function readObject(body: Buffer): Record<string, unknown> | undefined {
  try {
    const input: unknown = JSON.parse(body.toString("utf8"));
    return isObject(input) ? input : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function hasOnly(value: Record<string, unknown>, names: ReadonlySet<string>): boolean {
  for (const name in value) if (!names.has(name)) return false;
  return true;
}

/** A stream that nothing keeps root from: one with a policy of its own is looked at more closely elsewhere. */
function streamOf({ streams }: Kinesis, place: Place, name: unknown): Stream | undefined {
  if (typeof name !== "string" || !NAME.test(name)) return undefined;
  const stream = streams.known({ ...place, name });
  return stream?.status === "ACTIVE" && stream.policy === null ? stream : undefined;
}

/** Undefined for what would be refused. */
function readRecord(stream: Stream, entry: unknown, names: ReadonlySet<string>): ReadyRecord | undefined {
  if (!isObject(entry) || !hasOnly(entry, names)) return undefined;
  const { Data, PartitionKey, ExplicitHashKey } = entry;
  if (typeof Data !== "string" || typeof PartitionKey !== "string") return undefined;
  if (PartitionKey.length === 0 || PartitionKey.length > KEY_CHARS_MAX) return undefined;
  const data = readBase64(Data);
  if (!data) return undefined;
  if (
    ExplicitHashKey !== undefined &&
    (typeof ExplicitHashKey !== "string" || !HASH_KEY.test(ExplicitHashKey))
  )
    return undefined;
  try {
    return readyRecord(stream, { Data: data, PartitionKey, ExplicitHashKey }, "");
  } catch {
    return undefined;
  }
}

/** What is no base64 shows in the length. */
function readBase64(text: string): Buffer | undefined {
  if (text.length % 4 !== 0) return undefined;
  const data = Buffer.from(text, "base64");
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  return data.length === (text.length / 4) * 3 - padding ? data : undefined;
}

function manyResults(stream: Stream, results: readonly PutResult[]): string {
  let failed = 0;
  let text = "";
  for (const { shardId, sequenceNumber } of results) {
    if (text !== "") text += ",";
    if (sequenceNumber !== undefined) {
      text += `{"SequenceNumber":"${sequenceNumber}","ShardId":"${shardId}"}`;
      continue;
    }
    failed++;
    // Names of streams, accounts and shards need no escapes.
    text += `{"ErrorCode":"${THROUGHPUT_EXCEEDED}","ErrorMessage":"${rateExceededText(shardId, stream)}"}`;
  }
  return `{"FailedRecordCount":${failed},"Records":[${text}]}`;
}

function success(requestId: string, body: string): WireResponse {
  const headers = { "content-type": "application/x-amz-json-1.1", "x-amzn-requestid": requestId };
  return { status: 200, headers, body };
}
