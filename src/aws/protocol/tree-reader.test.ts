/** Reading JSON by model: types, ranges, nesting. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createCatalogue } from "../catalogue.ts";
import type { StructureShape } from "../model/shape.ts";
import { createJsonCodec } from "./json.ts";

const catalogue = createCatalogue();
const codec = createJsonCodec({ jsonName: true });

function inputShape(service: string, operation: string): StructureShape {
  const shape = catalogue.model(service).operation(operation)?.input;
  assert.ok(shape);
  return shape;
}

const read = (service: string, operation: string, text: string) =>
  codec.read(inputShape(service, operation), Buffer.from(text));

test("scalars of a wrong type are told in the words of AWS's reader", () => {
  for (const [text, message] of [
    ['{"TableName":5}', "NUMBER_VALUE cannot be converted to String"],
    ['{"TableName":true}', "TRUE_VALUE cannot be converted to String"],
    ['{"TableName":[]}', "Start of list found where not expected"],
    ['{"TableName":{}}', "Start of structure or map found where not expected."],
    ['{"Limit":"1"}', "STRING_VALUE cannot be converted to Integer"],
    ['{"Limit":1.5}', "DECIMAL_VALUE cannot be converted to Integer"],
    ['{"Limit":3000000000}', "Numeric value (3000000000) out of range of int (-2147483648 - 2147483647)"],
    ['{"ConsistentRead":"true"}', "STRING_VALUE cannot be converted to Boolean"],
    ['{"ExpressionAttributeNames":"x"}', "Unexpected field type"],
    ['{"AttributesToGet":{}}', "Start of structure or map found where not expected."],
    ["[]", "Start of list found where not expected"],
    ["5", "Unexpected field type"],
  ] as const)
    assert.throws(() => read("dynamodb", "Query", text), { name: "MalformedInput", message }, text);
});

test("base64 is read strictly", () => {
  const item = (bytes: string) => read("dynamodb", "PutItem", `{"Item":{"a":{"B":"${bytes}"}}}`);
  assert.deepEqual(item("AP8="), { Item: { a: { B: Buffer.from([0, 255]) } } });
  assert.throws(() => item("AP8"), {
    message: "Base64 encoded length is expected a multiple of 4 bytes but found: 3",
  });
  assert.throws(() => item("A*8="), { message: "Invalid base64 character found" });
});

test("recursion is bounded", () => {
  const nested = `${'{"M":{"a":'.repeat(300)}{"S":"x"}${"}}".repeat(300)}`;
  assert.throws(() => read("dynamodb", "PutItem", `{"Item":{"a":${nested}}}`), {
    message: "The request is nested too deeply",
  });
  // What was half read before does not count for the next request.
  assert.deepEqual(read("dynamodb", "PutItem", '{"Item":{"a":{"S":"x"}}}'), { Item: { a: { S: "x" } } });
});

test("names on the wire may differ from the members' (API Gateway v2)", () => {
  assert.deepEqual(read("apigatewayv2", "CreateApi", '{"name":"n","protocolType":"HTTP","unknown":1}'), {
    Name: "n",
    ProtocolType: "HTTP",
  });
});

test("integers beyond a double keep their digits both ways", () => {
  const shape = catalogue.model("lambda").operation("CreateEventSourceMapping")?.input;
  assert.ok(shape);
  const output = catalogue.model("dynamodb").operation("DescribeTable")?.output;
  assert.ok(output);
  assert.equal(
    codec.write(output, { Table: { TableSizeBytes: 9_223_372_036_854_775_807n } }),
    '{"Table":{"TableSizeBytes":9223372036854775807}}',
  );
});

test("only modelled members are written, in their forms", () => {
  const output = catalogue.model("lambda").operation("GetFunctionConfiguration")?.output;
  assert.ok(output);
  assert.equal(
    codec.write(output, { FunctionName: "f", Internal: 1, Timeout: undefined, Description: null }),
    '{"FunctionName":"f"}',
  );
});
