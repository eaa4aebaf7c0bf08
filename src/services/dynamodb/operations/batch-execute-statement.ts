/** BatchExecuteStatement: up to 25 PartiQL statements on one item each, every one by itself. */
import type {
  BatchStatementError,
  BatchStatementErrorCodeEnum,
  BatchStatementRequest,
  BatchStatementResponse,
  ConsumedCapacity,
} from "@aws-sdk/client-dynamodb";
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { OperationDeps } from "../deps.ts";
import { invalid } from "../errors.ts";
import { Consumption } from "../items/capacity.ts";
import { itemInWhere } from "../partiql/keys-in-where.ts";
import { readStatement } from "../partiql/parser.ts";
import { runWrite } from "../partiql/run-write.ts";
import { statementRequirement } from "../partiql/requirement.ts";
import { runSelect } from "../partiql/select.ts";
import { statementAccess } from "../partiql/statement.ts";
import type { Statement } from "../partiql/statement.ts";
import type { Attributes } from "../values/value.ts";
import type { Client } from "./client.ts";

/** The codes of single statements' errors. */
const CODES: Readonly<Record<string, BatchStatementErrorCodeEnum>> = {
  AccessDeniedException: "AccessDenied",
  ConditionalCheckFailedException: "ConditionalCheckFailed",
  DuplicateItemException: "DuplicateItem",
  ProvisionedThroughputExceededException: "ProvisionedThroughputExceeded",
  ResourceNotFoundException: "ResourceNotFound",
  ValidationException: "ValidationError",
};

/** A statement, or why it cannot be read. */
type Read = { readonly statement: Statement } | { readonly error: AwsError };

export async function batchExecuteStatement(
  deps: OperationDeps,
  input: Input<Client, "BatchExecuteStatement">,
  context: RequestContext,
): Promise<Output<Client, "BatchExecuteStatement">> {
  const requests = input.Statements ?? [];
  const reads = requests.map(read);
  const kinds = new Set(
    reads.flatMap((one) => ("statement" in one ? [one.statement.kind === "SELECT"] : [])),
  );
  if (kinds.size > 1) throw invalid("A batch of statements must be either all reads or all writes");
  const perTable = new Map<string, Consumption>();
  const responses: BatchStatementResponse[] = [];
  for (const [i, one] of reads.entries())
    responses.push(await respond(deps, one, requests[i] as BatchStatementRequest, context, perTable));
  const reports = [...perTable].map(([name, total]) => total.report(input.ReturnConsumedCapacity, name));
  return {
    Responses: responses,
    ConsumedCapacity: reports.some(Boolean) ? (reports as ConsumedCapacity[]) : undefined,
  };
}

function read({ Statement: text, Parameters: parameters }: BatchStatementRequest): Read {
  try {
    return { statement: readStatement(text as string, parameters) };
  } catch (error) {
    if (error instanceof AwsError && CODES[error.code]) return { error };
    throw error;
  }
}

async function respond(
  deps: OperationDeps,
  one: Read,
  request: BatchStatementRequest,
  context: RequestContext,
  perTable: Map<string, Consumption>,
): Promise<BatchStatementResponse> {
  if ("error" in one) return { Error: errorOf(one.error) };
  const { table: TableName } = one.statement;
  try {
    const { item, consumption } = await run(deps, one.statement, request, context);
    const total = perTable.get(TableName) ?? new Consumption();
    total.add(consumption);
    perTable.set(TableName, total);
    return { TableName, ...(item && { Item: item }) };
  } catch (error) {
    if (error instanceof AwsError && CODES[error.code]) return { TableName, Error: errorOf(error) };
    throw error;
  }
}

async function run(
  deps: OperationDeps,
  statement: Statement,
  request: BatchStatementRequest,
  context: RequestContext,
): Promise<{ item: Attributes | undefined; consumption: Consumption }> {
  if (statement.kind === "EXISTS")
    throw invalid("EXISTS can only be used in ExecuteTransaction write requests.");
  if (context.authorize) await context.authorize(await statementRequirement(deps.tables, statement, context));
  const table = await deps.tables.active(statement.table, context, statementAccess(statement));
  if (statement.kind !== "SELECT")
    return runWrite(deps, table, statement, request.ReturnValuesOnConditionCheckFailure);
  try {
    itemInWhere(statement.where, table.key);
  } catch {
    throw invalid(
      "Select statements within BatchExecuteStatement must specify the primary key in the where clause.",
    );
  }
  const isConsistent = request.ConsistentRead ?? false;
  const options = { isConsistent, limit: undefined, from: undefined };
  const { items, consumption } = await runSelect(deps, table, statement, options);
  return { item: items[0], consumption };
}

function errorOf(error: AwsError): BatchStatementError {
  const item = error.members["Item"] as Attributes | undefined;
  return { Code: CODES[error.code], Message: error.message, ...(item && { Item: item }) };
}
