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

const KEYS = 256;
const OBJECT_BYTES = 4_096;
const ITEM_BYTES = 256;
const RECORD_BYTES = 255;
const NOTHING = Buffer.alloc(0);

export function callsOf(workload: Workload): Call[] {
  const keys = Array.from({ length: KEYS }, (_, n) => `k${n}`);
  switch (workload) {
    case "dynamodb-put-item":
      return keys.map((key) =>
        dynamoDb("PutItem", { TableName: TABLE, Item: { pk: { S: key }, v: { S: "x".repeat(ITEM_BYTES) } } }),
      );
    case "dynamodb-get-item":
      return keys.map((key) => dynamoDb("GetItem", { TableName: TABLE, Key: { pk: { S: key } } }));
    case "kinesis-put-records":
      return keys
        .slice(0, 16)
        .map((key) => kinesis("PutRecords", { StreamName: STREAM, Records: records(key) }));
    case "s3-put-object":
      return keys.map((key) => s3("PUT", `/${BUCKET}/${key}`, Buffer.alloc(OBJECT_BYTES, key)));
    case "s3-get-object":
      return keys.map((key) => s3("GET", `/${BUCKET}/${key}`));
  }
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
