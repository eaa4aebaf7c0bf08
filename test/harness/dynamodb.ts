/** A server with a DynamoDB client and tables, and the words a request is refused in. */
import { after } from "node:test";
import {
  CreateTableCommand,
  DynamoDBClient,
  DynamoDBServiceException,
  waitUntilTableExists,
} from "@aws-sdk/client-dynamodb";
import type { AttributeValue, CreateTableCommandInput } from "@aws-sdk/client-dynamodb";
import { MovableClock } from "../../src/index.ts";
import type { StartInput } from "../../src/index.ts";
import { startServer } from "./server.ts";
import type { TestServer } from "./server.ts";

export interface DynamoDbSetting {
  readonly server: TestServer;
  readonly client: DynamoDBClient;
  stop(): Promise<void>;
}

/** Starts a server for DynamoDB alone. */
export async function startDynamoDb(config: StartInput = {}): Promise<DynamoDbSetting> {
  const server = await startServer({ sandbox: "process", logLevel: "error", ...config });
  const client = new DynamoDBClient(server.client());
  return {
    server,
    client,
    async stop() {
      client.destroy();
      await server.stop();
    },
  };
}

/** The server of a whole test file, whose time the tests move; it is stopped after the last of them. */
export async function startDynamoDbOfFile(): Promise<DynamoDbSetting & { readonly clock: MovableClock }> {
  const clock = new MovableClock();
  const setting = await startDynamoDb({ clock });
  after(() => setting.stop());
  return { ...setting, clock };
}

/** Creates an on-demand table and waits until it is there; `keys` are `name:TYPE`, the partition key first. */
export async function createTable(
  client: DynamoDBClient,
  name: string,
  keys: readonly string[],
  more: Partial<CreateTableCommandInput> & { readonly attributes?: readonly string[] } = {},
): Promise<void> {
  const { attributes = [], ...input } = more;
  await client.send(
    new CreateTableCommand({
      TableName: name,
      AttributeDefinitions: [...keys, ...attributes].map((text) => {
        const [attribute = "", type = "S"] = text.split(":");
        return { AttributeName: attribute, AttributeType: type as "S" | "N" | "B" };
      }),
      KeySchema: keySchema(keys),
      BillingMode: "PAY_PER_REQUEST",
      ...input,
    }),
  );
  await waitUntilTableExists({ client, maxWaitTime: 20, minDelay: 1 }, { TableName: name });
}

/** A key schema of `name` or `name:TYPE`. */
export function keySchema(keys: readonly string[]): { AttributeName: string; KeyType: "HASH" | "RANGE" }[] {
  return keys.map((text, i) => ({
    AttributeName: text.split(":")[0] ?? "",
    KeyType: i === 0 ? "HASH" : "RANGE",
  }));
}

/** `Code: message` of the error a request ends with. */
export async function refusal(request: Promise<unknown>): Promise<string> {
  try {
    await request;
  } catch (error) {
    if (error instanceof DynamoDBServiceException) return `${error.name}: ${error.message}`;
    throw error;
  }
  return "(accepted)";
}

export const S = (text: string): AttributeValue => ({ S: text });
export const N = (number: number | string): AttributeValue => ({ N: String(number) });
