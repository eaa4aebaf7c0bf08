/** ExecuteTransaction: up to 100 PartiQL statements on one item each, all or none. */
import type { CancellationReason, TransactWriteItemsOutput } from "@aws-sdk/client-dynamodb";
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { OperationDeps } from "../deps.ts";
import { invalid } from "../errors.ts";
import { fingerprint } from "../items/fingerprint.ts";
import type { TransactAction } from "../items/transact-action.ts";
import { DUPLICATE_ITEM } from "../partiql/faults.ts";
import { itemInWhere } from "../partiql/keys-in-where.ts";
import { readTransactStatement } from "../partiql/parser.ts";
import { projected } from "../partiql/select.ts";
import { statementAccess } from "../partiql/statement.ts";
import type { Select } from "../partiql/statement.ts";
import { writeAction } from "../partiql/write-action.ts";
import type { WriteStatement } from "../partiql/write-action.ts";
import type { Client } from "./client.ts";
import { readTogether } from "./transact-get-items.ts";
import { writeActions } from "./transact-write-items.ts";

type TransactionInput = Input<Client, "ExecuteTransaction">;
type TransactionOutput = Output<Client, "ExecuteTransaction">;

export async function executeTransaction(
  deps: OperationDeps,
  input: TransactionInput,
  context: RequestContext,
): Promise<TransactionOutput> {
  const statements = (input.TransactStatements ?? []).map(readTransactStatement);
  const writes = statements.filter((statement) => statement.kind !== "SELECT");
  if (writes.length === 0) return readAll(deps, statements as Select[], input, context);
  if (writes.length < statements.length) throw invalid("Unsupported operation in transaction.");
  return writeAll(deps, writes, input, context);
}

async function readAll(
  deps: OperationDeps,
  selects: readonly Select[],
  input: TransactionInput,
  context: RequestContext,
): Promise<TransactionOutput> {
  const gets = [];
  for (const select of selects) {
    if (select.index !== undefined) throw invalid("Reads on indices are not supported within transactions.");
    const table = await deps.tables.active(select.table, context, statementAccess(select));
    gets.push({ tableName: select.table, key: keyOf(select, table.key), paths: undefined });
  }
  const read = await readTogether(deps, gets, input.ReturnConsumedCapacity, context, {
    action: "PartiQLSelect",
  });
  const responses = (read.Responses ?? []).map(({ Item: item }, i) => {
    const [part] = item ? projected([item], selects[i]?.paths) : [];
    return part ? { Item: part } : {};
  });
  return { Responses: responses, ConsumedCapacity: read.ConsumedCapacity };
}

function keyOf(select: Select, key: Parameters<typeof itemInWhere>[1]) {
  const fault = invalid(
    "Select statements within ExecuteTransaction must specify the primary key in the where clause.",
  );
  let found;
  try {
    found = itemInWhere(select.where, key);
  } catch {
    throw fault;
  }
  if (found.rest) throw fault;
  return found.key;
}

async function writeAll(
  deps: OperationDeps,
  statements: readonly WriteStatement[],
  input: TransactionInput,
  context: RequestContext,
): Promise<TransactionOutput> {
  const actions: TransactAction[] = [];
  for (const [i, statement] of statements.entries()) {
    const table = await deps.tables.active(statement.table, context, statementAccess(statement));
    const returned = input.TransactStatements?.[i]?.ReturnValuesOnConditionCheckFailure;
    actions.push(writeAction(statement, table, returned));
  }
  const request = {
    token: input.ClientRequestToken,
    request: fingerprint(input.TransactStatements),
    wantedCapacity: input.ReturnConsumedCapacity,
  };
  try {
    const { ConsumedCapacity }: TransactWriteItemsOutput = await writeActions(
      deps,
      actions,
      request,
      context,
    );
    return { Responses: statements.map(() => ({})), ConsumedCapacity };
  } catch (error) {
    throw withDuplicates(error, statements);
  }
}

/** An INSERT fails for what is there already, which is its own reason. */
function withDuplicates(error: unknown, statements: readonly WriteStatement[]): unknown {
  if (!(error instanceof AwsError) || error.code !== "TransactionCanceledException") return error;
  const reasons = (error.members["CancellationReasons"] as CancellationReason[]).map((reason, i) =>
    statements[i]?.kind === "INSERT" && reason.Code === "ConditionalCheckFailed"
      ? { ...reason, Code: "DuplicateItem", Message: DUPLICATE_ITEM }
      : reason,
  );
  const codes = reasons.map(({ Code }) => Code).join(", ");
  return new AwsError(error.code, error.message.replace(/\[[^\]]*\]$/, `[${codes}]`), {
    ...error.members,
    CancellationReasons: reasons,
  });
}
