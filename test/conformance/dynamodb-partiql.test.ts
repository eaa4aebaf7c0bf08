/** PartiQL: statements alone, in batches and in transactions. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  BatchExecuteStatementCommand,
  DynamoDBClient,
  ExecuteStatementCommand,
  ExecuteTransactionCommand,
  GetItemCommand,
  PutItemCommand,
  TransactionCanceledException,
} from "@aws-sdk/client-dynamodb";
import type {
  AttributeValue,
  BatchStatementRequest,
  DynamoDBServiceException,
  ExecuteStatementCommandInput,
} from "@aws-sdk/client-dynamodb";
import { N, S, createTable, keySchema, refusal, startDynamoDb } from "../harness/dynamodb.ts";
import type { DynamoDbSetting } from "../harness/dynamodb.ts";
import { makeUser } from "../harness/principals.ts";

let setting: DynamoDbSetting;
let client: DynamoDBClient;

before(async () => {
  setting = await startDynamoDb();
  ({ client } = setting);
  await createTable(client, "Music", ["Artist", "Song"], {
    attributes: ["Genre"],
    GlobalSecondaryIndexes: [
      {
        IndexName: "by-genre",
        KeySchema: keySchema(["Genre", "Song"]),
        Projection: { ProjectionType: "KEYS_ONLY" },
      },
    ],
  });
  await createTable(client, "plain", ["pk"]);
  for (const [Artist, Song, more] of [
    ["Acme", "Alpha", { Genre: S("rock"), Awards: N(1), tags: { SS: ["x", "y"] } }],
    ["Acme", "Beta", { Genre: S("rock"), Awards: N(5), detail: { M: { a: { L: [N(1), N(2)] } } } }],
    ["Acme", "Gamma", { Genre: S("folk"), title: S("It's") }],
    ["Bolt", "Alpha", { Genre: S("rock"), nothing: { NULL: true } }],
    ["Cove", "Delta", { Awards: N("2.5"), flag: { BOOL: true }, bytes: { B: new Uint8Array([1]) } }],
  ] as [string, string, Record<string, AttributeValue>][])
    await client.send(
      new PutItemCommand({ TableName: "Music", Item: { Artist: S(Artist), Song: S(Song), ...more } }),
    );
});
after(async () => setting.stop());

function run(
  Statement: string,
  Parameters?: AttributeValue[],
  more: Partial<ExecuteStatementCommandInput> = {},
) {
  return client.send(new ExecuteStatementCommand({ Statement, Parameters, ...more }));
}

/** `Artist Song` of what a SELECT finds, first letters alone. */
async function found(where: string, parameters?: AttributeValue[]): Promise<string> {
  const { Items: items = [] } = await run(`SELECT * FROM Music ${where}`, parameters);
  return items.map(({ Artist, Song }) => `${Artist?.S?.[0]}${Song?.S?.[0]}`).join(" ");
}

async function item(pk: string): Promise<Record<string, AttributeValue> | undefined> {
  const { Item } = await client.send(new GetItemCommand({ TableName: "plain", Key: { pk: S(pk) } }));
  return Item;
}

const selections: readonly [where: string, expected: string, parameters?: AttributeValue[]][] = [
  ["WHERE Artist = 'Acme'", "AA AB AG"],
  ["WHERE 'Acme' = \"Artist\"", "AA AB AG"],
  ["WHERE Artist = ? AND Song > ?", "AB AG", [S("Acme"), S("Alpha")]],
  ["WHERE Artist = 'Acme' AND Song BETWEEN 'B' AND 'C'", "AB"],
  ["WHERE Artist = 'Acme' AND begins_with(Song, 'G')", "AG"],
  ["WHERE Artist = 'Acme' AND Song = 'Beta' AND Awards = 5", "AB"],
  ["WHERE Artist = 'Acme' ORDER BY Song DESC", "AG AB AA"],
  ["WHERE Artist IN ['Bolt', 'Acme'] ORDER BY Artist ASC, Song DESC", "AG AB AA BA"],
  ["WHERE Artist IN ('Cove', 'Bolt')", "CD BA"],
  ["WHERE Artist = 'Acme' AND Awards IS MISSING", "AG"],
  ["WHERE Artist = 'Acme' AND Awards IS NOT MISSING", "AA AB"],
  ["WHERE Artist = 'Acme' AND NOT Awards > 1", "AA AG"],
  ["WHERE Artist = 'Acme' AND (Awards = 1 OR title = 'It''s')", "AA AG"],
  ["WHERE Artist = 'Acme' AND Awards NOT BETWEEN 0 AND 2", "AB AG"],
  ["WHERE Artist = 'Acme' AND contains(tags, 'x')", "AA"],
  ["WHERE Artist = 'Acme' AND SIZE(tags) = 2", "AA"],
  ["WHERE Artist = 'Acme' AND detail.a[1] = 2", "AB"],
  ["WHERE Artist = 'Acme' AND attribute_type(title, 'S')", "AG"],
  ["WHERE Artist = 'Cove' AND flag = TRUE AND flag IS BOOLEAN AND Awards < 1e1", "CD"],
  ["WHERE Artist = 'Cove' AND bytes = ?", "CD", [{ B: new Uint8Array([1]) }]],
  ["WHERE Artist = 'Bolt' AND nothing IS NULL -- a comment", "BA"],
  ["WHERE Artist <> 'Acme' AND Song <= 'Alpha' /* all */;", "BA"],
];

for (const [where, expected, parameters] of selections)
  test(`ExecuteStatement finds ${where}`, async () => assert.equal(await found(where, parameters), expected));

test("ExecuteStatement scans without WHERE, in pages by Limit and NextToken, which is good for its statement alone", async () => {
  const seen: string[] = [];
  let token: string | undefined;
  do {
    const page: Awaited<ReturnType<typeof run>> = await run("SELECT Song FROM Music", undefined, {
      Limit: 2,
      NextToken: token,
    });
    seen.push(...(page.Items ?? []).map((one) => one["Song"]?.S ?? ""));
    token = page.NextToken;
  } while (token);
  assert.equal(seen.length, 5);
  const statement = "SELECT * FROM Music WHERE Artist IN ['Acme', 'Bolt']";
  const first = await run(statement, undefined, { Limit: 3 });
  assert.equal(first.Items?.length, 3);
  const second = await run(statement, undefined, { NextToken: first.NextToken });
  assert.deepEqual(
    second.Items?.map((one) => one["Artist"]?.S),
    ["Bolt"],
  );
  const invalid = (words: string) => `ValidationException: ${words}`;
  assert.equal(
    await refusal(run("SELECT * FROM Music", undefined, { NextToken: first.NextToken })),
    invalid("NextToken does not match request"),
  );
  assert.equal(
    await refusal(run(statement, undefined, { NextToken: "nonsense" })),
    invalid("Invalid NextToken"),
  );
});

test("ExecuteStatement selects paths, reads indexes, and counts capacity", async () => {
  const paths = await run(
    "SELECT Song, detail.a, detail.a[1] FROM Music WHERE Artist='Acme' AND Song='Beta'",
  );
  assert.deepEqual(paths.Items, [{ Song: S("Beta"), a: { L: [N(1), N(2)] }, "a[1]": N(2) }]);
  const index = await run(
    'SELECT * FROM "Music"."by-genre" WHERE Genre = \'rock\' ORDER BY Song DESC',
    undefined,
    { ReturnConsumedCapacity: "INDEXES" },
  );
  assert.deepEqual(
    index.Items?.map((one) => one["Song"]?.S),
    ["Beta", "Alpha", "Alpha"],
  );
  assert.equal(index.ConsumedCapacity?.GlobalSecondaryIndexes?.["by-genre"]?.CapacityUnits, 0.5);
  const consistent = await run("SELECT * FROM Music WHERE Artist = 'Acme'", undefined, {
    ConsistentRead: true,
    ReturnConsumedCapacity: "TOTAL",
  });
  assert.equal(consistent.ConsumedCapacity?.CapacityUnits, 1);
});

test("ExecuteStatement inserts, updates and deletes one item, with what RETURNING asks for", async () => {
  const inserted = await run(
    "INSERT INTO plain VALUE {'pk': 'w', 'n': 1, 'l': [1, 'a', {'m': -2.50}], 's': <<'x', 'y'>>, 'p': ?}",
    [{ M: { deep: { BOOL: false } } }],
  );
  assert.deepEqual(inserted.Items, []);
  assert.deepEqual(await item("w"), {
    pk: S("w"),
    n: N(1),
    l: { L: [N(1), S("a"), { M: { m: N("-2.5") } }] },
    s: { SS: ["x", "y"] },
    p: { M: { deep: { BOOL: false } } },
  });
  assert.equal(
    await refusal(run("INSERT INTO plain VALUE {'pk': 'w'}")),
    "DuplicateItemException: Duplicate primary key exists in table",
  );
  await run("INSERT INTO plain VALUE {'pk': 'w'} ON CONFLICT DO NOTHING");
  const update = (text: string) => run(`UPDATE plain ${text}`);
  const modified = await update(
    "SET n = n + 2 SET l = list_append(l, [9]), s = set_add(s, <<'z'>>) REMOVE p WHERE pk = 'w' RETURNING MODIFIED NEW *",
  );
  assert.deepEqual(Object.keys(modified.Items?.[0] ?? {}).toSorted(), ["l", "n", "s"]);
  assert.deepEqual(modified.Items?.[0]?.["n"], N(3));
  const old = await update("SET s = set_delete(s, <<'x'>>) WHERE pk = 'w' AND n = 3 RETURNING ALL OLD *");
  assert.deepEqual(old.Items?.[0]?.["s"], { SS: ["x", "y", "z"] });
  assert.deepEqual((await update("REMOVE l WHERE pk = 'w' RETURNING MODIFIED NEW *")).Items, []);
  const refused = "ConditionalCheckFailedException: The conditional request failed";
  assert.equal(await refusal(update("SET n = 0 WHERE pk = 'w' AND n = 4")), refused);
  assert.equal(await refusal(update("SET n = 0 WHERE pk = 'nowhere'")), refused);
  const present = await item("w");
  const failing = run("DELETE FROM plain WHERE pk = 'w' AND n <> 3", undefined, {
    ReturnValuesOnConditionCheckFailure: "ALL_OLD",
  });
  await assert.rejects(failing, { name: "ConditionalCheckFailedException", Item: present });
  assert.deepEqual((await run("DELETE FROM plain WHERE pk = 'nowhere' AND n = 1")).Items, []);
  const deleted = await run("DELETE FROM plain WHERE pk = 'w' RETURNING ALL OLD *");
  assert.deepEqual(deleted.Items?.[0]?.["n"], N(3));
  assert.equal(await item("w"), undefined);
});

const MALFORMED = "Statement wasn't well formed, can't be processed: ";
const INCOMPLETE = "Where clause does not contain a mandatory equality on all key attributes";
const refusals: readonly [statement: string, message: string, parameters?: AttributeValue[]][] = [
  ["SELECTT * FROM plain", `${MALFORMED}Expected data manipulation`],
  [
    "SELECT * FROM plain WHERE pk = 1",
    "Key attribute's data type should match its data type in table's schema: Key pk",
  ],
  ["SELECT * FROM plain WHERE pk = 'a' foo", `${MALFORMED}Unexpected token after expression`],
  ["SELECT * FROM plain WHERE pk = 'a')", `${MALFORMED}Unexpected token after expression`],
  ["SELECT * FROM plain WHERE pk = 'a' # note", MALFORMED],
  ["SELECT * FROM plain WHERE", `${MALFORMED}Unexpected term`],
  [
    "SELECT * FROM plain WHERE pk = 'a' AND",
    `${MALFORMED}Missing right-hand side expression of infix operator`,
  ],
  ["SELECT * FROM plain WHERE ORDER BY pk", `${MALFORMED}Unexpected keyword`],
  ["SELECT * FROM plain WHERE pk = 'a' AND x IS FOO", `${MALFORMED}Expected type name`],
  ["SELECT * FROM plain WHERE pk = LIKE", `${MALFORMED}Unexpected operator`],
  ["SELECT * FROM", `${MALFORMED}Unexpected term`],
  ["DELETE FROM", `${MALFORMED}Expected identifier for simple path`],
  ["SELECT * FROM plain t WHERE pk = 'x'", "Aliasing is not supported"],
  ["SELECT COUNT(*) FROM plain", "Unrecognized function: COUNT"],
  ["SELECT *, pk FROM plain", "Other attributes should not be present in the projection when '*' is used."],
  ["SELECT pk, pk FROM plain", "Duplicate identifiers in select clause: pk"],
  [
    "SELECT * FROM plain WHERE x IN []",
    "IN operator must have a left hand argument of type Variable Reference and right hand argument of type Seq with at least one member",
  ],
  ["SELECT * FROM plain ORDER BY pk", "Must have WHERE clause in the statement when using ORDER BY clause."],
  [
    "SELECT * FROM plain WHERE pk = 'a' ORDER BY n",
    "Attribute n in ORDER BY clause must be part of the primary key",
  ],
  [
    "SELECT * FROM Music WHERE Artist > 'a' ORDER BY Song",
    "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.",
  ],
  [
    "SELECT * FROM Music WHERE Artist IN ['a', 'b'] ORDER BY Song",
    "Must have hash key in ORDER BY clause when more than one hash key condition specified in WHERE clause.",
  ],
  ["SELECT * FROM Music.nowhere", "The table does not have the specified index: nowhere"],
  ["SELECT * FROM plain WHERE pk = ?", "Number of parameters in request and statement don't match."],
  [
    "SELECT * FROM plain WHERE pk = 'a'",
    "Number of parameters in request and statement don't match.",
    [S("a")],
  ],
  [
    "INSERT INTO plain VALUE 'a'",
    "Unsupported format in item expression. Please use struct format {...} to express item values for insert statement.",
  ],
  [
    "INSERT INTO plain VALUE {'n': 1}",
    "One or more parameter values were invalid: Missing the key pk in the item",
  ],
  ["INSERT INTO plain VALUE {'pk': 'a', 'pk': 'b'}", "Duplicate keys in tuple. Key: pk under root"],
  ["INSERT INTO plain VALUE {'pk': 'a', 's': <<>>}", "Empty bags are not supported"],
  ["INSERT INTO plain VALUE {'pk': 'a'} RETURNING ALL OLD *", "RETURNING is not supported in INSERT"],
  ["UPDATE plain SET n = 1 WHERE n = 1", INCOMPLETE],
  ["UPDATE plain SET n = 1", INCOMPLETE],
  [
    "UPDATE plain SET pk = 'b' WHERE pk = 'a'",
    "One or more parameter values were invalid: Cannot update attribute pk. This attribute is part of the key",
  ],
  ["DELETE FROM Music WHERE Artist = 'Acme'", INCOMPLETE],
  [
    "DELETE FROM plain WHERE pk = 'a' RETURNING ALL NEW *",
    "Invalid returning clause: RETURNING ALL NEW *. Only RETURNING ALL OLD * is allowed in DELETE statements.",
  ],
  [
    "EXISTS(SELECT * FROM plain WHERE pk = 'a' AND n = 1)",
    "EXISTS can only be used in ExecuteTransaction write requests.",
  ],
];

for (const [statement, message, parameters] of refusals)
  test(`ExecuteStatement refuses ${statement}`, async () =>
    assert.equal(await refusal(run(statement, parameters)), `ValidationException: ${message}`));

test("ExecuteStatement refuses tables that are not there, a consistent read of a global index, and what Lambent has not", async () => {
  assert.equal(
    await refusal(run("SELECT * FROM nowhere")),
    "ResourceNotFoundException: Requested resource not found",
  );
  assert.equal(
    await refusal(run('SELECT * FROM Music."by-genre"', undefined, { ConsistentRead: true })),
    "ValidationException: Strongly consistent read is not supported on Global Secondary Indexes",
  );
  assert.match(await refusal(run("FROM plain WHERE pk = 'a' SET n = 1")), /^NotImplemented/);
});

test("BatchExecuteStatement answers for each statement by itself", async () => {
  const batch = async (...statements: (string | BatchStatementRequest)[]) => {
    const { Responses: responses = [] } = await client.send(
      new BatchExecuteStatementCommand({
        Statements: statements.map((one) => (typeof one === "string" ? { Statement: one } : one)),
      }),
    );
    return responses.map(({ Error: error, Item: got, TableName }) =>
      error
        ? `${error.Code}: ${error.Message}`
        : `${TableName} ${got ? Object.keys(got).toSorted().join() : "-"}`,
    );
  };
  assert.deepEqual(
    await batch(
      "INSERT INTO plain VALUE {'pk': 'b1', 'n': 1}",
      { Statement: "INSERT INTO plain VALUE {'pk': ?}", Parameters: [S("b2")] },
      "INSERT INTO plain VALUE {'pk': 'b1'}",
      "UPDATE plain SET n = 2 WHERE pk = 'b1' AND n = 9",
      "UPDATE plain SET n = 2 WHERE pk = 'b1' RETURNING MODIFIED NEW *",
      "DELETE FROM plain WHERE pk = 'b2' RETURNING ALL OLD *",
      "DELETE FROM nowhere WHERE pk = 'b2'",
      "SLECT",
    ),
    [
      "plain -",
      "plain -",
      "DuplicateItem: Duplicate primary key exists in table",
      "ConditionalCheckFailed: The conditional request failed",
      "plain n",
      "plain pk",
      "ResourceNotFound: Requested resource not found",
      `ValidationError: ${MALFORMED}Expected data manipulation`,
    ],
  );
  assert.deepEqual(
    await batch(
      "SELECT n FROM plain WHERE pk = 'b1'",
      "SELECT * FROM plain WHERE pk = 'nowhere'",
      "SELECT * FROM Music WHERE Artist = 'Acme'",
    ),
    [
      "plain n",
      "plain -",
      "ValidationError: Select statements within BatchExecuteStatement must specify the primary key in the where clause.",
    ],
  );
  const mixed = batch("SELECT n FROM plain WHERE pk = 'b1'", "DELETE FROM plain WHERE pk = 'b1'");
  assert.match(await refusal(mixed), /^ValidationException/);
  assert.match(
    await refusal(batch(...Array.from({ length: 26 }, () => "SELECT * FROM plain WHERE pk = 'a'"))),
    /length less than or equal to 25/,
  );
});

test("ExecuteTransaction writes all or nothing, checks with EXISTS, reads at one moment, and repeats nothing", async () => {
  const transact = (statements: readonly string[], ClientRequestToken?: string) =>
    client.send(
      new ExecuteTransactionCommand({
        TransactStatements: statements.map((Statement) => ({ Statement })),
        ClientRequestToken,
      }),
    );
  const writes = [
    "INSERT INTO plain VALUE {'pk': 't1', 'n': 1}",
    "EXISTS(SELECT * FROM Music WHERE Artist = 'Acme' AND Song = 'Beta' AND Awards = 5)",
  ];
  await transact(writes, "token");
  await transact(writes, "token");
  const codes = async (statements: readonly string[]) => {
    const error: unknown = await transact(statements).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof TransactionCanceledException, String(error));
    return error.CancellationReasons?.map(({ Code }) => Code).join();
  };
  assert.equal(
    await codes([
      "UPDATE plain SET n = 9 WHERE pk = 't1'",
      "INSERT INTO plain VALUE {'pk': 't1b'}",
      "EXISTS(SELECT * FROM Music WHERE Artist = 'Acme' AND Song = 'Beta' AND Awards = 6)",
    ]),
    "None,None,ConditionalCheckFailed",
  );
  assert.equal(
    await codes(["INSERT INTO plain VALUE {'pk': 't1'}", "DELETE FROM plain WHERE pk = 'x' AND n = 1"]),
    "DuplicateItem,None",
  );
  assert.deepEqual((await item("t1"))?.["n"], N(1));
  assert.equal(await item("t1b"), undefined);
  const { Responses: read } = await transact([
    "SELECT n FROM plain WHERE pk = 't1'",
    "SELECT * FROM plain WHERE pk = 'nowhere'",
  ]);
  assert.deepEqual(read, [{ Item: { n: N(1) } }, {}]);
  const refused = (statements: readonly string[]) => refusal(transact(statements));
  assert.match(
    await refused(["SELECT * FROM plain WHERE"]),
    /^ValidationException: Validation failed in TransactStatements\[0\]: .*Unexpected term$/,
  );
  assert.match(await refused(["SELECT * FROM Music WHERE Artist = 'Acme'"]), /must specify the primary key/);
  assert.match(
    await refused(["SELECT * FROM plain WHERE pk = 'a'", "DELETE FROM plain WHERE pk = 'a'"]),
    /Unsupported operation in transaction/,
  );
  assert.match(
    await refused(["DELETE FROM plain WHERE pk = 'a'", "INSERT INTO plain VALUE {'pk': 'a'}"]),
    /multiple operations on one item/,
  );
  assert.match(
    await refused(["EXISTS(SELECT * FROM plain WHERE pk = 'a')", "DELETE FROM plain WHERE pk = 'b'"]),
    /EXISTS\(\) must contain a single item read with additional condition/,
  );
});

test("ExecuteStatement, BatchExecuteStatement and ExecuteTransaction need PartiQL's actions, with leading keys and full scans told", async () => {
  const table = "arn:aws:dynamodb:us-east-1:000000000000:table";
  const user = await makeUser(setting.server.client(), "partiql", {
    Action: ["dynamodb:PartiQLSelect", "dynamodb:PartiQLUpdate"],
    Resource: [`${table}/Music`, `${table}/Music/index/by-genre`],
    Condition: { Bool: { "dynamodb:FullTableScan": ["false"] } },
  });
  const theirs = new DynamoDBClient(user.options);
  const may = async (Statement: string) => {
    const answer = theirs.send(new ExecuteStatementCommand({ Statement }));
    return answer.then(
      () => true,
      (error: DynamoDBServiceException) => error.name !== "AccessDeniedException",
    );
  };
  assert.equal(await may("SELECT * FROM Music WHERE Artist = 'Acme'"), true);
  assert.equal(await may("SELECT * FROM Music.\"by-genre\" WHERE Genre = 'rock'"), true);
  assert.equal(await may("SELECT * FROM Music"), false);
  assert.equal(await may("SELECT * FROM plain WHERE pk = 'a'"), false);
  assert.equal(await may("DELETE FROM Music WHERE Artist = 'Acme' AND Song = 'x'"), false);
  await user.may({
    Action: "dynamodb:PartiQL*",
    Condition: {
      "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": ["Acme"] },
      Null: { "dynamodb:LeadingKeys": "false" },
    },
  });
  assert.equal(await may("SELECT * FROM Music WHERE Artist = 'Acme'"), true);
  assert.equal(await may("SELECT * FROM Music WHERE Artist IN ['Acme', 'Bolt']"), false);
  assert.equal(await may("SELECT * FROM Music"), false);
  assert.equal(await may("INSERT INTO Music VALUE {'Artist': 'Bolt', 'Song': 'x'}"), false);
  const { Responses: batch } = await theirs.send(
    new BatchExecuteStatementCommand({
      Statements: ["Acme", "Bolt"].map((artist) => ({
        Statement: `SELECT * FROM Music WHERE Artist = '${artist}' AND Song = 'Alpha'`,
      })),
    }),
  );
  assert.deepEqual(
    batch?.map((one) => one.Error?.Code ?? "ok"),
    ["ok", "AccessDenied"],
  );
  const transaction = new ExecuteTransactionCommand({
    TransactStatements: [{ Statement: "DELETE FROM Music WHERE Artist = 'Bolt' AND Song = 'x'" }],
  });
  assert.match(
    await refusal(theirs.send(transaction)),
    /^AccessDeniedException: .*dynamodb:PartiQLDelete on/,
  );
  theirs.destroy();
});
