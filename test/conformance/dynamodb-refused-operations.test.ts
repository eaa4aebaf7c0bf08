/** What DynamoDB has and Lambent has not is refused by its name. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import type { DynamoDBServiceException, ExportTableToPointInTimeCommand } from "@aws-sdk/client-dynamodb";
import { operationTable } from "../../src/services/dynamodb/operation-table.ts";
import { startDynamoDb } from "../harness/dynamodb.ts";
import type { DynamoDbSetting } from "../harness/dynamodb.ts";

const MODEL = new URL("../../src/aws/models/dynamodb.gen.json", import.meta.url);

let setting: DynamoDbSetting;
before(async () => {
  setting = await startDynamoDb();
});
after(async () => setting.stop());

test("imports, exports, global tables, Kinesis destinations and insights are refused by name", async () => {
  const { operations } = JSON.parse(readFileSync(MODEL, "utf8")) as { operations: object };
  const refused = Object.keys(operations).filter((name) => !(name in operationTable));
  for (const name of ["ExportTableToPointInTime", "ImportTable", "CreateGlobalTable"])
    assert.ok(refused.includes(name), name);
  const { client } = setting;
  const commands = (await import("@aws-sdk/client-dynamodb")) as unknown as Readonly<
    Record<string, typeof ExportTableToPointInTimeCommand>
  >;
  for (const name of refused) {
    const Command = commands[`${name}Command`] as typeof ExportTableToPointInTimeCommand;
    const error = await client.send(new Command({} as never)).then(
      () => assert.fail(`${name} was answered`),
      (reason: DynamoDBServiceException) => reason,
    );
    assert.deepEqual(
      [error.name, error.message, error.$metadata.httpStatusCode],
      ["NotImplemented", `Lambent does not implement DynamoDB ${name}`, 501],
    );
  }
});
