/** Calls of stores, each different, as closed loops make them one after the other. */
import type { Call } from "./signed-request.ts";

export type Workload =
  | "dynamodb-put-item"
  | "dynamodb-get-item"
  | "kinesis-put-records"
  | "s3-put-object"
  | "s3-get-object";

export const TABLE = "tbl";
export const STREAM = "s";
export const BUCKET = "bench-objects";
/** Records of one PutRecords. */
export const RECORDS = 100;

const OBJECT_BYTES = 4_096;
const ITEM_BYTES = 256;
const RECORD_BYTES = 255;
const NOTHING = Buffer.alloc(0);

const KEYS = Array.from({ length: 256 }, (_, n) => `k${n}`);

const CALLS: Readonly<Record<Workload, () => Call[]>> = {
  "dynamodb-put-item": () =>
    KEYS.map((key) =>
      dynamoDb("PutItem", { TableName: TABLE, Item: { pk: { S: key }, v: { S: "x".repeat(ITEM_BYTES) } } }),
    ),
  "dynamodb-get-item": () =>
    KEYS.map((key) => dynamoDb("GetItem", { TableName: TABLE, Key: { pk: { S: key } } })),
  "kinesis-put-records": () =>
    KEYS.slice(0, 16).map((key) => kinesis("PutRecords", { StreamName: STREAM, Records: records(key) })),
  "s3-put-object": () => KEYS.map((key) => s3("PUT", `/${BUCKET}/${key}`, Buffer.alloc(OBJECT_BYTES, key))),
  "s3-get-object": () => KEYS.map((key) => s3("GET", `/${BUCKET}/${key}`)),
};

export function callsOf(workload: Workload): Call[] {
  return CALLS[workload]();
}

function records(key: string) {
  const Data = Buffer.alloc(RECORD_BYTES, key).toString("base64");
  return Array.from({ length: RECORDS }, (_, n) => ({ Data, PartitionKey: `p${n}` }));
}

export function dynamoDb(operation: string, input: object): Call {
  return json("dynamodb", "1.0", `DynamoDB_20120810.${operation}`, input);
}

export function kinesis(operation: string, input: object): Call {
  return json("kinesis", "1.1", `Kinesis_20131202.${operation}`, input);
}

export function s3(method: string, path: string, body: Uint8Array = NOTHING): Call {
  const headers = body.length === 0 ? {} : { "content-type": "application/octet-stream" };
  return { service: "s3", method, path, headers, body };
}

function json(service: string, version: string, target: string, input: object): Call {
  const headers = { "content-type": `application/x-amz-json-${version}`, "x-amz-target": target };
  return { service, method: "POST", path: "/", headers, body: Buffer.from(JSON.stringify(input)) };
}
