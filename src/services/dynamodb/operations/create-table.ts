/** CreateTable: makes a table with its indexes. */
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Transaction } from "../../../store/database.ts";
import type { OperationDeps } from "../deps.ts";
import { invalid } from "../errors.ts";
import { addTable, countTablesIn, findTable, setTag } from "../store.ts";
import { defineTable } from "../tables/create.ts";
import { describeTable } from "../tables/describe.ts";
import { requiredTableName, validateTableName } from "../tables/registry.ts";
import { readStream } from "../tables/stream-specification.ts";
import { checkTags } from "../tables/tags.ts";
import type { Client } from "./client.ts";
import { checkPolicyText } from "./resource-policies.ts";

/** Tables of one account in one region. */
const TABLES_MAX = 2500;

export async function createTable(
  deps: OperationDeps,
  input: Input<Client, "CreateTable">,
  context: RequestContext,
): Promise<Output<Client, "CreateTable">> {
  const name = requiredTableName(input.TableName);
  if (name.startsWith("arn:")) throw invalid(`Invalid table name: ${name}`);
  validateTableName(name);
  const { account, region } = context;
  const place = { account, region, name };
  const table = defineTable(input, place, { ids: deps.ids, now: deps.clock.now() });
  const tags = checkTags(input.Tags);
  if (input.ResourcePolicy !== undefined) await checkPolicyText(deps, input.ResourcePolicy, context);
  const viewType = readStream(input.StreamSpecification);
  const created = await deps.database.tx(async (transaction) => {
    if (await findTable(transaction, place))
      throw new AwsError("ResourceInUseException", `Table already exists: ${name}`);
    await refuseTooMany(transaction, place);
    const stream = viewType && (await deps.streams.begin(transaction, table, viewType));
    const policy = input.ResourcePolicy && { text: input.ResourcePolicy, revision: String(table.createdAt) };
    const streamed = { ...table, ...(stream && { stream }), ...(policy && { policy }) };
    await addTable(transaction, streamed);
    for (const tag of tags) await setTag(transaction, table.id, tag);
    return streamed;
  });
  if (input.ResourcePolicy !== undefined) deps.tables.expectPolicies();
  deps.tables.forget(place);
  // The table is there at once; that it is being made is what AWS says first, and what clients wait to be over.
  return { TableDescription: describeTable(created, "CREATING", new Map(), created.createdAt) };
}

/** @throws AwsError LimitExceededException where the account has no room for another table in the region */
export async function refuseTooMany(
  transaction: Transaction,
  place: { readonly account: string; readonly region: string },
): Promise<void> {
  if ((await countTablesIn(transaction, place)) >= TABLES_MAX)
    throw new AwsError(
      "LimitExceededException",
      `Subscriber limit exceeded: There is a limit of ${TABLES_MAX} tables per subscriber`,
    );
}
