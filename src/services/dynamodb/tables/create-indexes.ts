/** Checks the secondary indexes of a CreateTable request. */
import type {
  CreateTableInput,
  GlobalSecondaryIndex,
  Projection as WireProjection,
} from "@aws-sdk/client-dynamodb";
import { notImplemented } from "../../../aws/errors.ts";
import { invalidParameters } from "../errors.ts";
import type { IndexDefinition, Key, KeyAttribute, Projection } from "./definition.ts";
import { NO_THROUGHPUT, readKeySchema, readUnits } from "./key-schema.ts";

export const GLOBAL_INDEXES_MAX = 20;
export const LOCAL_INDEXES_MAX = 5;
/** Attributes named by the projections of all indexes of a table. */
const PROJECTED_ATTRIBUTES_MAX = 100;

/** The members of a global index that are read. */
const GLOBAL_MEMBERS: ReadonlySet<string> = new Set<keyof GlobalSecondaryIndex>([
  "IndexName",
  "KeySchema",
  "Projection",
  "ProvisionedThroughput",
]);

interface TableFacts {
  readonly key: Key;
  readonly attributes: readonly KeyAttribute[];
  readonly newId: () => number;
}

/** The indexes of a table, local ones first. */
export function readIndexes(input: CreateTableInput, facts: TableFacts): IndexDefinition[] {
  const { LocalSecondaryIndexes: locals, GlobalSecondaryIndexes: globals } = input;
  const names = new Set<string>();
  const indexes = [...readLocals(locals, facts, names), ...readGlobals(input, globals, facts, names)];
  checkProjectedCount(indexes);
  return indexes;
}

/** Refuses indexes that name too many attributes together. */
export function checkProjectedCount(indexes: readonly Pick<IndexDefinition, "projection">[]): void {
  const projected = indexes.reduce(
    (sum, { projection }) => sum + (projection.type === "INCLUDE" ? projection.attributes.length : 0),
    0,
  );
  if (projected > PROJECTED_ATTRIBUTES_MAX)
    throw invalidParameters(
      `The total number of projected attributes across all secondary indexes exceeds the limit of ${PROJECTED_ATTRIBUTES_MAX}`,
    );
}

function readLocals(
  locals: CreateTableInput["LocalSecondaryIndexes"],
  { key, attributes, newId }: TableFacts,
  names: Set<string>,
): IndexDefinition[] {
  if (!locals) return [];
  if (locals.length === 0) throw invalidParameters("List of LocalSecondaryIndexes is empty");
  if (!key.sort)
    throw invalidParameters(
      "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex",
    );
  const indexes = locals.map((local): IndexDefinition => {
    const name = local.IndexName as string;
    const indexKey = readKeySchema(local.KeySchema ?? [], attributes);
    if (!indexKey.sort)
      throw invalidParameters(`Index KeySchema does not have a range key for index: ${name}`);
    if (indexKey.partition.name !== key.partition.name)
      throw invalidParameters(
        `Index KeySchema does not have the same leading hash key as table KeySchema for index: ${name}. ` +
          `index hash key: ${indexKey.partition.name}, table hash key: ${key.partition.name}`,
      );
    const projection = readProjection(local.Projection);
    refuseDuplicateName(names, name);
    return { id: newId(), name, isGlobal: false, key: indexKey, projection, throughput: NO_THROUGHPUT };
  });
  if (locals.length > LOCAL_INDEXES_MAX)
    throw invalidParameters(
      `Number of LocalSecondaryIndexes exceeds per-table limit of ${LOCAL_INDEXES_MAX}`,
    );
  return indexes;
}

function readGlobals(
  input: CreateTableInput,
  globals: CreateTableInput["GlobalSecondaryIndexes"],
  { attributes, newId }: TableFacts,
  names: Set<string>,
): IndexDefinition[] {
  if (!globals) return [];
  if (globals.length === 0) throw invalidParameters("List of GlobalSecondaryIndexes is empty");
  const billing = input.BillingMode ?? "PROVISIONED";
  const indexes = globals.map((global) => readGlobal(billing, global, { attributes, newId }, names));
  if (globals.length > GLOBAL_INDEXES_MAX)
    throw invalidParameters(
      `GlobalSecondaryIndex count exceeds the per-table limit of ${GLOBAL_INDEXES_MAX}`,
    );
  return indexes;
}

/** One global index, of CreateTable or UpdateTable; its name is added to those that are taken. */
export function readGlobal(
  billing: string,
  global: GlobalSecondaryIndex,
  { attributes, newId }: Omit<TableFacts, "key">,
  names: Set<string>,
): IndexDefinition {
  const name = global.IndexName as string;
  refuseWhatIsNotThere(global);
  const key = readKeySchema(global.KeySchema ?? [], attributes);
  const projection = readProjection(global.Projection);
  const throughput = readThroughput(billing, global);
  refuseDuplicateName(names, name);
  return { id: newId(), name, isGlobal: true, key, projection, throughput };
}

/** The units of a global index, which on-demand tables do not have. */
export function readThroughput(
  billing: string,
  global: Pick<GlobalSecondaryIndex, "IndexName" | "ProvisionedThroughput">,
): IndexDefinition["throughput"] {
  const { ProvisionedThroughput: units, IndexName: name } = global;
  if (billing === "PAY_PER_REQUEST") {
    if (units)
      throw invalidParameters(
        `ProvisionedThroughput should not be specified for index: ${name} when BillingMode is PAY_PER_REQUEST`,
      );
    return NO_THROUGHPUT;
  }
  if (!units) throw invalidParameters(`ProvisionedThroughput must be specified for index: ${name}`);
  return readUnits(units);
}

function readProjection(projection: WireProjection | undefined): Projection {
  const { ProjectionType: type, NonKeyAttributes: names } = projection ?? {};
  if (!type) throw invalidParameters("Unknown ProjectionType: null");
  if (type !== "INCLUDE") {
    if (names) throw invalidParameters(`ProjectionType is ${type}, but NonKeyAttributes is specified`);
    return { type };
  }
  if (!names) throw invalidParameters("ProjectionType is INCLUDE, but NonKeyAttributes is not specified");
  return { type, attributes: names };
}

function refuseDuplicateName(names: Set<string>, name: string): void {
  if (names.has(name)) throw invalidParameters(`Duplicate index name: ${name}`);
  names.add(name);
}

/** Refuses by name the members of a part of a request that are not read. @param what `a global secondary index` */
export function refuseOtherMembers(part: object, members: ReadonlySet<string>, what: string): void {
  for (const [member, value] of Object.entries(part))
    if (value !== undefined && !members.has(member)) throw notImplemented(`${member} of ${what}`);
}

/** Refuses what global indexes here do not have. @throws AwsError NotImplemented */
export function refuseWhatIsNotThere(global: GlobalSecondaryIndex): void {
  refuseOtherMembers(global, GLOBAL_MEMBERS, "a global secondary index");
  if ((global.KeySchema?.length ?? 0) > 2)
    throw notImplemented("more than two attributes in the KeySchema of a global secondary index");
}
