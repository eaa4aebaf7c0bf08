/** UpdateTable: what it changes, and what it refuses. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { UpdateTableCommand } from "@aws-sdk/client-dynamodb";
import type { DynamoDBClient, UpdateTableCommandInput } from "@aws-sdk/client-dynamodb";
import { createTable, refusal, startDynamoDb } from "../harness/dynamodb.ts";
import type { DynamoDbSetting } from "../harness/dynamodb.ts";

let setting: DynamoDbSetting;
let client: DynamoDBClient;

before(async () => {
  setting = await startDynamoDb();
  ({ client } = setting);
});
after(async () => setting.stop());

const update = (TableName: string, more: Partial<UpdateTableCommandInput>) =>
  client.send(new UpdateTableCommand({ TableName, ...more }));

test("UpdateTable refuses a table that is not there", async () => {
  await createTable(client, "there", ["pk"]);
  assert.equal(
    await refusal(update("nowhere", { StreamSpecification: { StreamEnabled: false } })),
    "ResourceNotFoundException: Requested resource not found: Table: nowhere not found",
  );
});
