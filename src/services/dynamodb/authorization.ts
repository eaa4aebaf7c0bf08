/** What DynamoDB's requests need of the caller's policies, with the partition keys of the items they touch. */
import type {
  ConditionValues,
  RequestContext,
  Requirement,
  ServiceAuthorization,
} from "../../aws/service.ts";
import { tagConditions, tagKeyConditions } from "../../aws/tag-conditions.ts";
import type { Input, OperationName } from "../../aws/service.ts";
import { readExpressions } from "./items/expressions.ts";
import { comparisonsOf } from "./items/key-condition.ts";
import type { Client } from "./operations/client.ts";
import { readStatement, readTransactStatement } from "./partiql/parser.ts";
import { statementRequirement } from "./partiql/requirement.ts";
import type { Statement } from "./partiql/statement.ts";
import type { TableDefinition } from "./tables/definition.ts";
import { tableArn } from "./tables/definition.ts";
import { whatPolicySays } from "./tables/access.ts";
import { placeAnywhere } from "./tables/registry.ts";
import type { ResourcePolicies } from "./ports.ts";
import { readStreamArn } from "./streams/names.ts";
import type { TableRegistry } from "./tables/registry.ts";

type Attributes = Readonly<Record<string, unknown>>;

/** A requirement, and where its items' partition keys are to be found. */
interface Access {
  readonly action: string;
  readonly resource: string;
  readonly conditions?: ConditionValues;
  /** By name or ARN. */
  readonly table?: string | undefined;
  readonly index?: string | undefined;
  /** Items or their keys; the partition key is among the attributes of each. */
  readonly items?: readonly (Attributes | undefined)[];
}

type AccessTable = {
  readonly [N in OperationName<Client>]?: (
    input: Input<Client, N>,
    context: RequestContext,
  ) => readonly Access[];
};

interface OnTable {
  readonly TableName?: string | undefined;
}

const onTable = ({ TableName }: OnTable, context: RequestContext): Access[] => [
  { action: context.operation, resource: resourceOf(TableName, context) },
];
const onItem =
  (member: "Item" | "Key") =>
  (input: OnTable, context: RequestContext): Access[] => [
    itemAccess(
      context.operation,
      input,
      [(input as Record<string, Attributes | undefined>)[member]],
      context,
    ),
  ];
const anywhere = (_input: object, { operation }: RequestContext): Access[] => [
  { action: operation, resource: "*" },
];
const onTagged = (
  arn: string | undefined,
  context: RequestContext,
  conditions: ConditionValues,
): Access[] => [{ action: context.operation, resource: resourceOf(arn, context), conditions }];

/** The table, or the stream, whose policy it is. */
const onPolicy = (
  { ResourceArn }: { readonly ResourceArn: string | undefined },
  context: RequestContext,
): Access[] => [
  {
    action: context.operation,
    resource: readStreamArn(ResourceArn ?? "") ? (ResourceArn ?? "") : resourceOf(ResourceArn, context),
  },
];

/** A backup, by its ARN. */
const onBackup = (
  { BackupArn }: { readonly BackupArn: string | undefined },
  { operation }: RequestContext,
): Access[] => [{ action: operation, resource: BackupArn ?? "" }];

/** What AWS asks for besides, of the table that is made. */
const RESTORING = [
  "BatchWriteItem",
  "DeleteItem",
  "GetItem",
  "PutItem",
  "Query",
  "Scan",
  "UpdateItem",
] as const;

/** The source, and the table that is made of it. */
const restoring = (source: string, target: string | undefined, context: RequestContext): Access[] => {
  const made = resourceOf(target, context);
  const { operation } = context;
  return [
    { action: operation, resource: source },
    { action: operation, resource: made },
    ...RESTORING.map((action) => ({ action, resource: made })),
  ];
};

/** @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html */
const table: AccessTable = {
  // Each of its statements needs what ExecuteStatement would: the operation asks.
  BatchExecuteStatement: () => [],
  BatchGetItem: ({ RequestItems = {} }, context) =>
    Object.entries(RequestItems).map(([TableName, one]) =>
      itemAccess("BatchGetItem", { ...one, TableName }, one.Keys ?? [], context),
    ),
  BatchWriteItem: ({ RequestItems = {} }, context) =>
    Object.entries(RequestItems).map(([TableName, writes]) => {
      const items = writes.map((write) => write.PutRequest?.Item ?? write.DeleteRequest?.Key);
      return itemAccess("BatchWriteItem", { TableName }, items, context);
    }),
  CreateBackup: onTable,
  CreateTable: (input, context) => {
    const created = { ...onTable(input, context)[0], conditions: tagConditions(input.Tags) } as Access;
    const more = [
      ...(input.Tags?.length ? ["TagResource"] : []),
      ...(input.ResourcePolicy === undefined ? [] : ["PutResourcePolicy"]),
    ];
    return [created, ...more.map((action) => ({ ...created, action }))];
  },
  DeleteBackup: onBackup,
  DeleteItem: onItem("Key"),
  DeleteResourcePolicy: onPolicy,
  DeleteTable: onTable,
  DescribeBackup: onBackup,
  DescribeContinuousBackups: onTable,
  DescribeContributorInsights: (input, context) => [
    { action: context.operation, resource: indexOf(input, context) },
  ],
  DescribeEndpoints: anywhere,
  DescribeKinesisStreamingDestination: onTable,
  DescribeLimits: anywhere,
  DescribeTable: onTable,
  DescribeTimeToLive: onTable,
  // See statementsOf.
  ExecuteStatement: () => [],
  ExecuteTransaction: () => [],
  GetItem: onItem("Key"),
  GetResourcePolicy: onPolicy,
  ListBackups: anywhere,
  ListContributorInsights: anywhere,
  ListExports: anywhere,
  ListGlobalTables: anywhere,
  ListImports: anywhere,
  ListTables: (_input, context) => onTable({ TableName: "*" }, context),
  ListTagsOfResource: (input, context) => onTagged(input.ResourceArn, context, {}),
  PutItem: onItem("Item"),
  PutResourcePolicy: onPolicy,
  Query: (input, context) => [
    { ...onIndex(input, context), table: input.TableName, index: input.IndexName, items: [queried(input)] },
  ],
  RestoreTableFromBackup: ({ BackupArn, TargetTableName }, context) =>
    restoring(BackupArn ?? "", TargetTableName, context),
  RestoreTableToPointInTime: ({ SourceTableArn, SourceTableName, TargetTableName }, context) =>
    restoring(resourceOf(SourceTableArn ?? SourceTableName, context), TargetTableName, context),
  Scan: (input, context) => [onIndex(input, context)],
  TagResource: (input, context) => onTagged(input.ResourceArn, context, tagConditions(input.Tags)),
  TransactGetItems: ({ TransactItems = [] }, context) =>
    TransactItems.map(({ Get = {} }) => enclosed("GetItem", Get, Get.Key, context)),
  TransactWriteItems: ({ TransactItems = [] }, context) =>
    TransactItems.flatMap(({ ConditionCheck, Put, Update, Delete }) => [
      ...(ConditionCheck
        ? [enclosed("ConditionCheckItem", ConditionCheck, ConditionCheck.Key, context)]
        : []),
      ...(Put ? [enclosed("PutItem", Put, Put.Item, context)] : []),
      ...(Update ? [enclosed("UpdateItem", Update, Update.Key, context)] : []),
      ...(Delete ? [enclosed("DeleteItem", Delete, Delete.Key, context)] : []),
    ]),
  UntagResource: (input, context) => onTagged(input.ResourceArn, context, tagKeyConditions(input.TagKeys)),
  UpdateContinuousBackups: onTable,
  UpdateItem: onItem("Key"),
  UpdateTable: onTable,
  UpdateTimeToLive: onTable,
};

/** What an account may do with its policies whatever they say, or nobody could ever undo one that denies everyone everything. */
const ROOT_MAY: ReadonlySet<string> = new Set([
  "DeleteResourcePolicy",
  "GetResourcePolicy",
  "PutResourcePolicy",
]);
/** The table's ARN within its own, an index's or a stream's. */
const TABLE_ARN = /^arn:[^:]+:dynamodb:[^:]+:\d{12}:table\/[^/]+/;

type Tables = Pick<TableRegistry, "find" | "hasPolicies">;

/** DynamoDB's part in deciding who may do what. */
export function authorization(tables: Tables, policies: ResourcePolicies): ServiceAuthorization {
  type Loose = (input: unknown, context: RequestContext) => readonly Access[];
  const byName = new Map(Object.entries(table) as [string, Loose][]);
  return {
    operations: new Set(byName.keys()),
    bindsRoot: true,
    async requirements(operation, input, context) {
      // Nothing but a table's policy keeps root from anything.
      const isRoot = context.principal.type === "root";
      if (isRoot && (!tables.hasPolicies || ROOT_MAY.has(operation))) return [];
      const statements = statementsOf(operation, input, isRoot);
      if (statements)
        return Promise.all(statements.map((statement) => statementRequirement(tables, statement, context)));
      const accesses = byName.get(operation)?.(input, context) ?? [];
      return Promise.all(accesses.map((access) => requirementOf(tables, access, context)));
    },
    async resourceGrant({ action, resource, conditions }, context) {
      const arn = tables.hasPolicies ? TABLE_ARN.exec(resource)?.[0] : undefined;
      // A stream's policy is its own, and asked for where streams are read.
      if (arn === undefined || readStreamArn(resource)) return "none";
      const found = await tables.find(placeAnywhere(arn, context));
      if (!found) return "none";
      const said = await whatPolicySays(policies, found, { action, resource, conditions }, context);
      return said === "account" ? "none" : said;
    },
  };
}

/** The statements of requests of PartiQL that are refused as a whole; those of a batch are each refused by themselves. */
function statementsOf(
  operation: string,
  input: Readonly<Record<string, unknown>>,
  isRoot: boolean,
): Statement[] | undefined {
  if (operation === "ExecuteStatement") {
    const { Statement: text, Parameters: parameters } = input as Partial<Input<Client, "ExecuteStatement">>;
    return [readStatement(text as string, parameters)];
  }
  if (operation === "BatchExecuteStatement" && isRoot) return batchStatements(input);
  if (operation !== "ExecuteTransaction") return undefined;
  const { TransactStatements: statements = [] } = input as Partial<Input<Client, "ExecuteTransaction">>;
  return statements.map((one, i) => readTransactStatement(one, i));
}

/** Root is refused the whole batch, of which what cannot be read is answered for by itself. */
function batchStatements(input: Partial<Input<Client, "BatchExecuteStatement">>): Statement[] {
  return (input.Statements ?? []).flatMap(({ Statement: text, Parameters: parameters }) => {
    try {
      return [readStatement(text as string, parameters)];
    } catch {
      return [];
    }
  });
}

async function requirementOf(
  tables: Pick<TableRegistry, "find">,
  access: Access,
  context: RequestContext,
): Promise<Requirement> {
  const { action, resource, conditions = {} } = access;
  return {
    action: `dynamodb:${action}`,
    resource,
    conditions: { ...conditions, ...(await leadingKeys(tables, access, context)) },
  };
}

/** The partition keys' values. Not told where one is not to be found: what asks for them is then not allowed. */
async function leadingKeys(
  tables: Pick<TableRegistry, "find">,
  { table: name, index, items }: Access,
  context: RequestContext,
): Promise<ConditionValues> {
  if (!items || name === undefined) return {};
  const found = await tables.find(placeAnywhere(name, context));
  const key = found && partitionKey(found, index);
  if (key === undefined) return {};
  const values = items.map((item) => textOf(item?.[key]));
  return values.every((value) => value !== undefined) ? { "dynamodb:leadingkeys": values } : {};
}

function partitionKey(found: TableDefinition, index: string | undefined): string | undefined {
  const owner = index === undefined ? found : found.indexes.find((one) => one.name === index);
  return owner?.key.partition.name;
}

/** A key's value as policies compare it. */
function textOf(value: unknown): string | undefined {
  const { S, N, B } = (value ?? {}) as { S?: unknown; N?: unknown; B?: unknown };
  if (typeof S === "string") return S;
  if (typeof N === "string") return N;
  return B instanceof Uint8Array ? Buffer.from(B).toString("base64") : undefined;
}

/** The attributes that a query holds equal to a value; none where its conditions cannot be read. */
function queried(input: Input<Client, "Query">): Attributes {
  const equal: Record<string, unknown> = {};
  for (const [name, condition] of Object.entries(input.KeyConditions ?? {}))
    if (condition.ComparisonOperator === "EQ") equal[name] = condition.AttributeValueList?.[0];
  try {
    const { keyCondition } = readExpressions(input, "current");
    for (const [name, { operator, values }] of keyCondition ? comparisonsOf(keyCondition) : [])
      if (operator === "EQ") equal[name] = values[0];
  } catch {
    // The operation says what is wrong with it.
  }
  return equal;
}

interface OnIndex extends OnTable {
  readonly IndexName?: string | undefined;
}

function onIndex(input: OnIndex, context: RequestContext): Access {
  return {
    action: context.operation,
    resource: indexOf(input, context),
    conditions: memberConditions(input),
  };
}

/** The ARN of an index, or of the table where none is named. */
function indexOf({ TableName, IndexName }: OnIndex, context: RequestContext): string {
  const resource = resourceOf(TableName, context);
  return IndexName === undefined ? resource : `${resource}/index/${IndexName}`;
}

function itemAccess(action: string, input: OnTable, items: Access["items"], context: RequestContext): Access {
  const { TableName } = input;
  return {
    action,
    resource: resourceOf(TableName, context),
    conditions: memberConditions(input),
    table: TableName,
    ...(items && { items }),
  };
}

/** One action of a transaction, which has the permission of the action alone. */
function enclosed(
  action: string,
  input: OnTable,
  item: Attributes | undefined,
  context: RequestContext,
): Access {
  const access = itemAccess(action, input, [item], context);
  return {
    ...access,
    conditions: { ...access.conditions, "dynamodb:enclosingoperation": context.operation },
  };
}

const MEMBER_KEYS = {
  Select: "dynamodb:select",
  ReturnValues: "dynamodb:returnvalues",
  ReturnConsumedCapacity: "dynamodb:returnconsumedcapacity",
} as const;

function memberConditions(input: object): ConditionValues {
  const members = input as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(MEMBER_KEYS).flatMap(([member, key]) => {
      const value = members[member];
      return typeof value === "string" ? [[key, value] as const] : [];
    }),
  );
}

/** A table's ARN, of a name or an ARN: always in one form, since policies compare text. */
function resourceOf(nameOrArn: string | undefined, context: RequestContext): string {
  const { account, region } = context;
  if (nameOrArn?.startsWith("arn:")) return tableArn(placeAnywhere(nameOrArn, context));
  return tableArn({ account, region, name: nameOrArn ?? "" });
}
