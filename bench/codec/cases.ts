/** One case an operation and direction: what real requests and answers look like. */
import assert from "node:assert/strict";
import { createCatalogue } from "../../src/aws/catalogue.ts";
import type { StructureShape } from "../../src/aws/model/shape.ts";
import { createCborCodec } from "../../src/aws/protocol/cbor.ts";
import { readForm } from "../../src/aws/protocol/form-read.ts";
import { createJsonCodec } from "../../src/aws/protocol/json.ts";
import { parseXml } from "../../src/aws/protocol/xml-parse.ts";
import { readXml } from "../../src/aws/protocol/xml-read.ts";
import { xmlContent } from "../../src/aws/protocol/xml-write.ts";
import { createValidator } from "../../src/aws/validation/validate.ts";
import { sdkCbor, sdkJson, sdkSchema, sdkXml } from "./sdk-codecs.ts";
import type { SdkCodec } from "./sdk-codecs.ts";

export interface Case {
  readonly name: string;
  readonly ours: () => unknown;
  /** Undefined where the SDK has no such direction. */
  readonly sdk?: () => unknown;
  /** The parser or writer of the notation alone, which knows no model. */
  readonly bare?: () => unknown;
  /** That what is measured does something. */
  check(): void;
}

const catalogue = createCatalogue();
const json = createJsonCodec({ jsonName: true });
const cbor = createCborCodec("seconds");
const DATE = new Date(1_763_892_000_000);

export function cases(): Case[] {
  return [...jsonCases(), ...formCases(), ...xmlCases(), ...cborCases(), validationCase()];
}

function shapeOf(service: string, operation: string, side: "input" | "output"): StructureShape {
  const shape = catalogue.model(service).operation(operation)?.[side];
  assert.ok(shape, `${service} ${operation} has no ${side}`);
  return shape;
}

const attributes = (i: number) => ({
  pk: { S: `customer#${i}` },
  sk: { S: "order" },
  total: { N: "12.50" },
  tags: { L: [{ S: "a" }, { S: "b" }] },
  address: { M: { street: { S: "Main Street 1" }, zip: { S: "12345" } } },
});

const createFunction = {
  FunctionName: "thumbnail",
  Runtime: "nodejs24.x",
  Role: "arn:aws:iam::123456789012:role/thumbnail",
  Handler: "index.handler",
  Code: { S3Bucket: "code", S3Key: "thumbnail.zip" },
  Timeout: 30,
  MemorySize: 512,
  Environment: { Variables: { TABLE: "images", BUCKET: "thumbs" } },
  Tags: { team: "media" },
};

function jsonCases(): Case[] {
  const query = { Items: Array.from({ length: 25 }, (_, i) => attributes(i)), Count: 25, ScannedCount: 25 };
  return [
    readJson("restJson1", "lambda", "CreateFunction", createFunction),
    writeJson("restJson1", "lambda", "GetFunctionConfiguration", {
      ...createFunction,
      Code: undefined,
      FunctionArn: "arn:aws:lambda:us-east-1:123456789012:function:thumbnail",
      LastModified: DATE.toISOString(),
      State: "Active",
    }),
    readJson("awsJson", "sqs", "SendMessage", {
      QueueUrl: "http://localhost/0/q",
      MessageBody: "x".repeat(200),
    }),
    readJson("awsJson", "dynamodb", "PutItem", { TableName: "orders", Item: attributes(1) }),
    writeJson("awsJson", "dynamodb", "Query", query),
  ];
}

function readJson(protocol: string, service: string, operation: string, value: object): Case {
  const shape = shapeOf(service, operation, "input");
  const schema = sdkSchema(service, shape.name);
  const text = JSON.stringify(value);
  const bytes = Buffer.from(text);
  return {
    name: `${protocol} read ${operation}`,
    ours: () => json.read(shape, bytes),
    sdk: () => sdkJson.read(schema, JSON.parse(bytes.toString("utf8")) as never),
    bare: () => JSON.parse(bytes.toString("utf8")) as unknown,
    check: () => assert.deepEqual(json.read(shape, bytes), value),
  };
}

function writeJson(protocol: string, service: string, operation: string, value: object): Case {
  const shape = shapeOf(service, operation, "output");
  const schema = sdkSchema(service, shape.name);
  return {
    name: `${protocol} write ${operation}`,
    ours: () => json.write(shape, value),
    sdk: () => sdkJson.write(schema, value),
    bare: () => JSON.stringify(value),
    check: () =>
      assert.deepEqual(
        JSON.parse(json.write(shape, value)),
        JSON.parse(textOf(sdkJson.write(schema, value))),
      ),
  };
}

function formCases(): Case[] {
  const input = shapeOf("sns", "Publish", "input");
  const form = Buffer.from(
    "Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A123456789012%3At&Message=hello+world" +
      "&MessageAttributes.entry.1.Name=a&MessageAttributes.entry.1.Value.DataType=String&MessageAttributes.entry.1.Value.StringValue=v",
  );
  const fields = () => new URLSearchParams(form.toString("utf8"));
  const roles = Array.from({ length: 20 }, (_, i) => ({
    Path: "/",
    RoleName: `role-${i}`,
    RoleId: `AROA${i}`,
    Arn: `arn:aws:iam::123456789012:role/role-${i}`,
    CreateDate: DATE,
    AssumeRolePolicyDocument: "%7B%7D",
  }));
  return [
    {
      name: "query read Publish",
      ours: () => readForm(input, [...fields()]),
      bare: () => [...fields()],
      check: () =>
        assert.deepEqual((readForm(input, [...fields()]) as Record<string, unknown>)["MessageAttributes"], {
          a: { DataType: "String", StringValue: "v" },
        }),
    },
    writeXml("query", "iam", "ListRoles", { Roles: roles, IsTruncated: false }),
  ];
}

function xmlCases(): Case[] {
  const contents = Array.from({ length: 100 }, (_, i) => ({
    Key: `photos/2026/${i}.jpg`,
    LastModified: DATE,
    ETag: '"d41d8cd98f00b204e9800998ecf8427e"',
    Size: 123_456,
    StorageClass: "STANDARD",
  }));
  const shape = shapeOf("s3", "DeleteObjects", "input").members.get("Delete")?.shape;
  assert.ok(shape && "members" in shape);
  const schema = sdkSchema("s3", "Delete");
  const objects = Array.from({ length: 50 }, (_, i) => `<Object><Key>photos/${i}.jpg</Key></Object>`).join(
    "",
  );
  const document = Buffer.from(`<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${objects}</Delete>`);
  const read = () => readXml(shape, parseXml(document.toString("utf8")));
  return [
    {
      name: "restXml read DeleteObjects",
      ours: read,
      sdk: () => sdkXml.read(schema, document as never),
      check: () => assert.deepEqual(read(), sdkXml.read(schema, document as never)),
    },
    writeXml("restXml", "s3", "ListObjectsV2", {
      Name: "bucket",
      KeyCount: 100,
      MaxKeys: 100,
      Contents: contents,
    }),
  ];
}

function writeXml(protocol: string, service: string, operation: string, value: object): Case {
  const shape = shapeOf(service, operation, "output");
  const schema = sdkSchema(service, shape.name);
  return {
    name: `${protocol} write ${operation}`,
    ours: () => xmlContent(shape, value),
    sdk: () => sdkXml.write(schema, value),
    check: () =>
      assert.ok(textOf(sdkXml.write(schema, value)).includes(xmlContent(shape, value).slice(0, 60))),
  };
}

function cborCases(): Case[] {
  const data = Array.from({ length: 20 }, (_, i) => ({
    MetricName: `m${i}`,
    Value: i + 0.5,
    Timestamp: DATE,
    Unit: "Count",
  }));
  const input = shapeOf("cloudwatch", "PutMetricData", "input");
  const inputSchema = sdkSchema("cloudwatch", input.name);
  const value = { Namespace: "app", MetricData: data };
  const document = Buffer.from(cbor.write(input, value));
  const output = shapeOf("cloudwatch", "GetMetricData", "output");
  const outputSchema = sdkSchema("cloudwatch", output.name);
  const results = {
    MetricDataResults: [
      {
        Id: "a",
        Label: "m",
        Timestamps: data.map(() => DATE),
        Values: data.map((one) => one.Value),
        StatusCode: "Complete",
      },
    ],
  };
  return [
    {
      name: "rpcv2Cbor read PutMetricData",
      ours: () => cbor.read(input, document),
      sdk: () => sdkCbor.read(inputSchema, document as never),
      check: () => assert.deepEqual(cbor.read(input, document), value),
    },
    {
      name: "rpcv2Cbor write GetMetricData",
      ours: () => cbor.write(output, results),
      sdk: () => sdkCbor.write(outputSchema, results),
      check: () => assert.deepEqual(readBack(sdkCbor, outputSchema, cbor.write(output, results)), results),
    },
  ];
}

function readBack(codec: SdkCodec, schema: never, bytes: string | Uint8Array): unknown {
  return JSON.parse(JSON.stringify(codec.read(schema, bytes as never)), (key, value: unknown) =>
    key === "Timestamps" ? (value as string[]).map((text) => new Date(text)) : value,
  );
}

function validationCase(): Case {
  const model = catalogue.model("lambda");
  const operation = model.operation("CreateFunction");
  assert.ok(operation);
  const validator = createValidator(model);
  const run = (input: Record<string, unknown>) => validator.validate(operation, input);
  return {
    name: "validate CreateFunction",
    ours: () => run(createFunction),
    check: () => assert.throws(() => run({ ...createFunction, MemorySize: 1 }), /validation error/),
  };
}

function textOf(document: string | Uint8Array): string {
  return typeof document === "string"
    ? document
    : Buffer.from(document.buffer, document.byteOffset, document.byteLength).toString("utf8");
}
