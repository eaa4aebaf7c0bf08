/** DynamoDB as the AWS CLI and boto3 speak to it. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { missingClient, runClient } from "../harness/client-programs.ts";
import type { DynamoDbSetting } from "../harness/dynamodb.ts";
import { startDynamoDb } from "../harness/dynamodb.ts";

let setting: DynamoDbSetting;

before(async () => {
  setting = await startDynamoDb();
});
after(async () => setting.stop());

test(
  "the AWS CLI creates a table, puts and queries",
  { skip: await missingClient("aws", ["--version"]) },
  async () => {
    const endpoint = ["--endpoint-url", setting.server.endpoint];
    const aws = async (...parameters: string[]) => {
      const printed = await runClient(setting.server, "aws", [
        ...endpoint,
        "--output",
        "json",
        "dynamodb",
        ...parameters,
      ]);
      return printed === "" ? {} : (JSON.parse(printed) as Record<string, never>);
    };
    await aws(
      "create-table",
      "--table-name",
      "cli-table",
      "--attribute-definitions",
      "AttributeName=pk,AttributeType=S",
      "AttributeName=sk,AttributeType=N",
      "--key-schema",
      "AttributeName=pk,KeyType=HASH",
      "AttributeName=sk,KeyType=RANGE",
      "--billing-mode",
      "PAY_PER_REQUEST",
    );
    await runClient(setting.server, "aws", [
      ...endpoint,
      "dynamodb",
      "wait",
      "table-exists",
      "--table-name",
      "cli-table",
    ]);
    const item = { pk: { S: "a" }, sk: { N: "1.50" }, yes: { BOOL: true } };
    await aws("put-item", "--table-name", "cli-table", "--item", JSON.stringify(item));
    const found = await aws(
      "query",
      "--table-name",
      "cli-table",
      "--key-condition-expression",
      "pk = :p",
      "--expression-attribute-values",
      '{":p":{"S":"a"}}',
    );
    assert.deepEqual(found["Items"], [{ pk: { S: "a" }, sk: { N: "1.5" }, yes: { BOOL: true } }]);
  },
);

const PYTHON = `
import boto3
from decimal import Decimal
from boto3.dynamodb.conditions import Key, Attr
from botocore.exceptions import ClientError
import os
resource = boto3.resource("dynamodb", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
table = resource.create_table(
    TableName="boto-table",
    KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "N"}],
    BillingMode="PAY_PER_REQUEST",
)
table.wait_until_exists()
with table.batch_writer() as batch:
    for i in range(60):
        batch.put_item(Item={"pk": "a", "sk": i, "half": Decimal(i) / 2, "tags": {"x", str(i)}, "raw": b"\\x00\\xff"})
found = table.query(KeyConditionExpression=Key("pk").eq("a") & Key("sk").between(10, 20), FilterExpression=Attr("half").gte(Decimal("7.5")))
assert [int(item["sk"]) for item in found["Items"]] == list(range(15, 21)), found
assert found["Items"][0]["raw"].value == b"\\x00\\xff"
table.update_item(Key={"pk": "a", "sk": 1}, UpdateExpression="SET #s = :s ADD hits :one", ExpressionAttributeNames={"#s": "status"}, ExpressionAttributeValues={":s": "new", ":one": 1})
assert table.get_item(Key={"pk": "a", "sk": 1})["Item"]["hits"] == 1
assert table.scan(Select="COUNT")["Count"] == 60
try:
    table.put_item(Item={"pk": "a", "sk": 1}, ConditionExpression=Attr("pk").not_exists())
    raise AssertionError("the condition held")
except ClientError as error:
    assert error.response["Error"] == {"Message": "The conditional request failed", "Code": "ConditionalCheckFailedException"}, error.response
client = resource.meta.client
try:
    client.transact_write_items(TransactItems=[{"ConditionCheck": {"TableName": "boto-table", "Key": {"pk": "a", "sk": 99}, "ConditionExpression": "attribute_exists(pk)"}}])
    raise AssertionError("the transaction was carried out")
except client.exceptions.TransactionCanceledException as error:
    assert error.response["CancellationReasons"] == [{"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}], error.response
try:
    table.put_item(Item={"sk": 1})
    raise AssertionError("an item without key was kept")
except ClientError as error:
    assert error.response["Error"]["Code"] == "ValidationException", error.response
rows = client.execute_statement(Statement="SELECT sk, half FROM \\"boto-table\\" WHERE pk = ? AND sk < ?", Parameters=["a", 2])["Items"]
assert [int(row["sk"]) for row in rows] == [0, 1], rows
client.execute_statement(Statement="UPDATE \\"boto-table\\" SET tags = set_add(tags, ?) WHERE pk = 'a' AND sk = 1", Parameters=[{"new"}])
client.update_table(TableName="boto-table", StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})
client.update_time_to_live(TableName="boto-table", TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"})
assert client.describe_time_to_live(TableName="boto-table")["TimeToLiveDescription"]["AttributeName"] == "ttl"
table.put_item(Item={"pk": "b", "sk": 1, "raw": b"\\x01"})
table.delete_item(Key={"pk": "b", "sk": 1})
streams = boto3.client("dynamodbstreams", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
arn = streams.list_streams(TableName="boto-table")["Streams"][0]["StreamArn"]
records = []
for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    records += streams.get_records(ShardIterator=iterator)["Records"]
assert [record["eventName"] for record in records] == ["INSERT", "REMOVE"], records
assert records[0]["dynamodb"]["NewImage"]["raw"] == {"B": b"\\x01"}, records
assert records[0]["dynamodb"]["ApproximateCreationDateTime"].year > 2000, records
table.delete()
table.wait_until_not_exists()
print("done")
`;

test(
  "boto3's resource writes, queries and sees its errors; its clients read streams and run PartiQL",
  { skip: await missingClient("python3", ["-c", "import boto3"]) },
  async () => {
    assert.equal((await runClient(setting.server, "python3", ["-c", PYTHON])).trim(), "done");
  },
);
