/** `start()` as the author of a test uses it, and what every server promises whatever the service. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { CloudFormationClient, ListStacksCommand } from "@aws-sdk/client-cloudformation";
import { CreateTableCommand, DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { ListDocumentsCommand, SSMClient } from "@aws-sdk/client-ssm";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { start } from "../../src/index.ts";
import { clientOptions } from "../harness/server.ts";

test("two servers at once know nothing of each other; stop leaves nothing behind and may be called twice", async () => {
  const [one, two] = await Promise.all([start(), start()]);
  assert.notEqual(one.endpoint, two.endpoint);
  await new DynamoDBClient(clientOptions(one.endpoint)).send(table("only-here"));
  const other = await new DynamoDBClient(clientOptions(two.endpoint)).send(new ListTablesCommand({}));
  assert.deepEqual(other.TableNames, []);
  await Promise.all([one.stop(), two.stop(), one.stop()]);
  assert.equal(existsSync(one.dataDir), false);
  await assert.rejects(fetch(one.endpoint), "the port is closed");
});

test("state is kept by account and region, both from the credential scope", async () => {
  const server = await start();
  try {
    const at = (account: string, region: string) =>
      new DynamoDBClient(clientOptions(server.endpoint, { account, region }));
    await at("111111111111", "eu-west-1").send(table("mine"));
    const names = async (account: string, region: string) =>
      (await at(account, region).send(new ListTablesCommand({}))).TableNames;
    assert.deepEqual(await names("111111111111", "eu-west-1"), ["mine"]);
    assert.deepEqual(await names("111111111111", "us-east-1"), []);
    assert.deepEqual(await names("222222222222", "eu-west-1"), []);
    const sts = new STSClient(clientOptions(server.endpoint, { account: "111111111111" }));
    assert.equal((await sts.send(new GetCallerIdentityCommand({}))).Arn, "arn:aws:iam::111111111111:root");
  } finally {
    await server.stop();
  }
});

test("a known service that is not built answers 501 by name, in the caller's protocol", async () => {
  const server = await start();
  try {
    const options = clientOptions(server.endpoint);
    const refusals = [
      ["CloudFormation", "ListStacks", new CloudFormationClient(options).send(new ListStacksCommand({}))],
      ["SSM", "ListDocuments", new SSMClient(options).send(new ListDocumentsCommand({}))],
    ] as const;
    for (const [service, operation, answer] of refusals)
      await assert.rejects(answer, (error: Error & { $metadata: { httpStatusCode: number } }) => {
        assert.equal(error.$metadata.httpStatusCode, 501);
        assert.match(error.message, new RegExp(`${service}.*${operation}`, "is"));
        return true;
      });
  } finally {
    await server.stop();
  }
});

test("without authentication, a web page of another host is refused; one of this machine is not", async () => {
  const server = await start();
  try {
    const call = (origin: string) =>
      fetch(server.endpoint, {
        method: "POST",
        headers: { origin },
        body: "Action=GetCallerIdentity&Version=2011-06-15",
      });
    const foreign = await call("https://evil.example");
    assert.equal(foreign.status, 403);
    assert.match(await foreign.text(), /does not serve web pages of https:\/\/evil\.example/);
    assert.notEqual((await call("http://localhost:3000")).status, 403);
  } finally {
    await server.stop();
  }
});

test("state stays on a data directory from one server to the next", async () => {
  const first = await start();
  const dataDir = `${first.dataDir}-kept`;
  await first.stop();
  for (const expected of [[], ["kept"]]) {
    const server = await start({ dataDir });
    const client = new DynamoDBClient(clientOptions(server.endpoint));
    assert.deepEqual((await client.send(new ListTablesCommand({}))).TableNames, expected);
    if (expected.length === 0) await client.send(table("kept"));
    await server.stop();
  }
  const { rm } = await import("node:fs/promises");
  await rm(dataDir, { recursive: true });
});

function table(TableName: string) {
  return new CreateTableCommand({
    TableName,
    AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
    KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
    BillingMode: "PAY_PER_REQUEST",
  });
}
