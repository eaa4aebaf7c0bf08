/** DynamoDB's indexes against a model: after many random writes they hold what the items say. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  BatchWriteItemCommand,
  DeleteItemCommand,
  PutItemCommand,
  QueryCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  paginateScan,
} from "@aws-sdk/client-dynamodb";
import type { AttributeValue, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { DynamoDbSetting } from "../harness/dynamodb.ts";
import { N, S, createTable, keySchema, startDynamoDb } from "../harness/dynamodb.ts";

const WRITES = 600;
const PARTITIONS = 4;
const SORTS = 6;

type Item = Record<string, AttributeValue>;

const INDEXES: Record<string, { keys: string[]; holds: string[] | undefined }> = {
  all: { keys: ["g", "n"], holds: undefined },
  keys: { keys: ["g"], holds: ["pk", "sk", "g"] },
  some: { keys: ["n", "g"], holds: ["pk", "sk", "g", "n", "extra"] },
  local: { keys: ["pk", "n"], holds: ["pk", "sk", "n"] },
};

let setting: DynamoDbSetting;
let client: DynamoDBClient;

before(async () => {
  setting = await startDynamoDb();
  ({ client } = setting);
  const projection = (name: string) => {
    if (name === "all") return { ProjectionType: "ALL" as const };
    if (name === "some") return { ProjectionType: "INCLUDE" as const, NonKeyAttributes: ["extra"] };
    return { ProjectionType: "KEYS_ONLY" as const };
  };
  const index = (name: string) => ({
    IndexName: name,
    KeySchema: keySchema(INDEXES[name]?.keys ?? []),
    Projection: projection(name),
  });
  await createTable(client, "modelled", ["pk", "sk:N"], {
    attributes: ["g", "n:N"],
    GlobalSecondaryIndexes: [index("all"), index("keys"), index("some")],
    LocalSecondaryIndexes: [index("local")],
  });
});
after(async () => setting.stop());

/** Numbers in [0, 1) from a seed, so that a failure can be repeated. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function text(item: Item): string {
  return JSON.stringify(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

test("PutItem, UpdateItem, DeleteItem, BatchWriteItem and TransactWriteItems keep the indexes true", async () => {
  const random = generator(20_261_123);
  const below = (count: number) => Math.floor(random() * count);
  const model = new Map<string, Item>();
  const key = (): Item => ({ pk: S(`p${below(PARTITIONS)}`), sk: N(below(SORTS) - 2) });
  const id = (item: Item) => `${item["pk"]?.S}/${item["sk"]?.N}`;
  const item = (): Item => ({
    ...key(),
    ...(random() < 0.7 && { g: S(`g${below(3)}`) }),
    ...(random() < 0.7 && { n: N(below(40) / 4 - 5) }),
    ...(random() < 0.5 && { extra: S(`e${below(3)}`) }),
    ...(random() < 0.5 && { more: S(`m${below(3)}`) }),
  });
  const TableName = "modelled";
  const writers = [
    async () => {
      const Item = item();
      await client.send(new PutItemCommand({ TableName, Item }));
      model.set(id(Item), Item);
    },
    async () => {
      const Key = key();
      await client.send(new DeleteItemCommand({ TableName, Key }));
      model.delete(id(Key));
    },
    async () => {
      const Key = key();
      const name = ["g", "n", "extra", "more"][below(4)] ?? "g";
      const present = model.get(id(Key)) ?? Key;
      if (random() < 0.4) {
        await client.send(new UpdateItemCommand({ TableName, Key, UpdateExpression: `REMOVE ${name}` }));
        const { [name]: _, ...rest } = present;
        model.set(id(Key), rest);
        return;
      }
      const value = name === "n" ? N(below(40)) : S(`${name}${below(3)}`);
      const expression = { UpdateExpression: `SET ${name} = :v`, ExpressionAttributeValues: { ":v": value } };
      await client.send(new UpdateItemCommand({ TableName, Key, ...expression }));
      model.set(id(Key), { ...present, [name]: value });
    },
    async () => {
      const [put, gone] = [item(), key()];
      if (id(put) === id(gone)) return;
      await client.send(
        new BatchWriteItemCommand({
          RequestItems: { modelled: [{ PutRequest: { Item: put } }, { DeleteRequest: { Key: gone } }] },
        }),
      );
      model.set(id(put), put);
      model.delete(id(gone));
    },
    async () => {
      const [put, gone] = [item(), key()];
      if (id(put) === id(gone)) return;
      const actions = [{ Put: { TableName, Item: put } }, { Delete: { TableName, Key: gone } }];
      await client.send(new TransactWriteItemsCommand({ TransactItems: actions }));
      model.set(id(put), put);
      model.delete(id(gone));
    },
  ];
  for (let i = 0; i < WRITES; i += 1) await writers[below(writers.length)]?.();

  const scanned = async (IndexName?: string) => {
    const found: string[] = [];
    for await (const page of paginateScan({ client, pageSize: 7 }, { TableName, IndexName }))
      found.push(...(page.Items ?? []).map(text));
    return found.toSorted();
  };
  assert.deepEqual(await scanned(), [...model.values()].map(text).toSorted());
  for (const [name, { keys, holds }] of Object.entries(INDEXES)) {
    const held = [...model.values()].filter((one) => keys.every((attribute) => one[attribute]));
    const projected = held.map((one) =>
      Object.fromEntries(Object.entries(one).filter(([attribute]) => !holds || holds.includes(attribute))),
    );
    assert.deepEqual(await scanned(name), projected.map(text).toSorted(), name);
  }
  for (const g of ["g0", "g1", "g2"]) {
    const { Items: items = [] } = await client.send(
      new QueryCommand({
        TableName,
        IndexName: "all",
        KeyConditionExpression: "g = :g AND n >= :n",
        ExpressionAttributeValues: { ":g": S(g), ":n": N(-2) },
      }),
    );
    const expected = [...model.values()].filter((one) => one["g"]?.S === g && Number(one["n"]?.N) >= -2);
    const numbers = items.map((one) => Number(one["n"]?.N));
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
    );
    assert.deepEqual(items.map(text).toSorted(), expected.map(text).toSorted());
  }
});
