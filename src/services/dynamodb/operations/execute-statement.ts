/** ExecuteStatement: one PartiQL statement. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { OperationDeps } from "../deps.ts";
import { invalid } from "../errors.ts";
import { readIdentity, readNextToken, writeNextToken } from "../partiql/next-token.ts";
import { readStatement } from "../partiql/parser.ts";
import { runWrite } from "../partiql/run-write.ts";
import { runSelect } from "../partiql/select.ts";
import { statementAccess } from "../partiql/statement.ts";
import type { Select } from "../partiql/statement.ts";
import type { Client } from "./client.ts";

type ExecuteStatementInput = Input<Client, "ExecuteStatement">;
type ExecuteStatementOutput = Output<Client, "ExecuteStatement">;

export async function executeStatement(
  deps: OperationDeps,
  input: ExecuteStatementInput,
  context: RequestContext,
): Promise<ExecuteStatementOutput> {
  const statement = readStatement(input.Statement as string, input.Parameters);
  if (statement.kind === "EXISTS")
    throw invalid("EXISTS can only be used in ExecuteTransaction write requests.");
  if (statement.kind === "SELECT") return executeSelect(deps, statement, input, context);
  if (input.NextToken !== undefined) throw invalid("NextToken does not match request");
  const table = await deps.tables.active(statement.table, context, statementAccess(statement));
  const { item, consumption } = await runWrite(
    deps,
    table,
    statement,
    input.ReturnValuesOnConditionCheckFailure,
  );
  return {
    Items: item ? [item] : [],
    ConsumedCapacity: consumption.report(input.ReturnConsumedCapacity, statement.table),
  };
}

async function executeSelect(
  deps: OperationDeps,
  statement: Select,
  input: ExecuteStatementInput,
  context: RequestContext,
): Promise<ExecuteStatementOutput> {
  const identity = readIdentity(input.Statement, input.Parameters);
  const from = input.NextToken === undefined ? undefined : readNextToken(input.NextToken, identity);
  const table = await deps.tables.active(statement.table, context, statementAccess(statement));
  const { items, next, last, consumption } = await runSelect(deps, table, statement, {
    isConsistent: input.ConsistentRead ?? false,
    limit: input.Limit,
    from,
  });
  return {
    Items: items,
    NextToken: next && writeNextToken(identity, next),
    LastEvaluatedKey: last,
    ConsumedCapacity: consumption.report(input.ReturnConsumedCapacity, statement.table),
  };
}
