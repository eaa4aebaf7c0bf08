/**
 * All SQL of resource policies; one row per statement. The qualifier of an unqualified function is "". A layer version is `layer:NAME`
 * with its number for a qualifier.
 */
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";
import type { FunctionId } from "./names.ts";
import type { PolicyStatement } from "./policy.ts";

const KEY = "account = ? AND region = ? AND function_name = ?";

const STATEMENTS = sql(
  "lambda.statements",
  `SELECT statement FROM lambda_permissions WHERE ${KEY} AND qualifier = ? ORDER BY position`,
);
const INSERT = sql(
  "lambda.insert-statement",
  `INSERT INTO lambda_permissions (account, region, function_name, qualifier, statement_id, position, statement)
   SELECT ?, ?, ?, ?, ?, COALESCE(MAX(position), 0) + 1, ? FROM lambda_permissions WHERE ${KEY} AND qualifier = ?`,
);
const DELETE = sql(
  "lambda.delete-statement",
  `DELETE FROM lambda_permissions WHERE ${KEY} AND qualifier = ? AND statement_id = ?`,
);
const DELETE_QUALIFIER = sql(
  "lambda.delete-statements-of-qualifier",
  `DELETE FROM lambda_permissions WHERE ${KEY} AND qualifier = ?`,
);
const DELETE_ALL = sql("lambda.delete-statements", `DELETE FROM lambda_permissions WHERE ${KEY}`);

const key = (id: FunctionId) => [id.account, id.region, id.name] as const;

/** The statements in the order in which they were added. */
export async function readStatements(
  reader: Reader,
  id: FunctionId,
  qualifier: string,
): Promise<PolicyStatement[]> {
  const rows = await reader.all<{ statement: string }>(STATEMENTS, ...key(id), qualifier);
  return rows.map((row) => JSON.parse(row.statement) as PolicyStatement);
}

export async function insertStatement(
  tx: Transaction,
  id: FunctionId,
  qualifier: string,
  statement: PolicyStatement,
): Promise<void> {
  const text = JSON.stringify(statement);
  await tx.run(INSERT, ...key(id), qualifier, statement.Sid, text, ...key(id), qualifier);
}

/** False when there was no such statement. */
export async function deleteStatement(
  tx: Transaction,
  id: FunctionId,
  qualifier: string,
  statementId: string,
): Promise<boolean> {
  return (await tx.run(DELETE, ...key(id), qualifier, statementId)) > 0;
}

/** Removes the policy of one version or alias, or of everything when no qualifier is named. */
export async function deleteStatements(tx: Transaction, id: FunctionId, qualifier?: string): Promise<void> {
  if (qualifier === undefined) await tx.run(DELETE_ALL, ...key(id));
  else await tx.run(DELETE_QUALIFIER, ...key(id), qualifier);
}
