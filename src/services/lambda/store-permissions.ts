/**
 * All SQL of resource policies; one row per statement, and one for what stands around them where that is not AWS's default. The qualifier of an unqualified function is "". A layer version is `layer:NAME`
 * with its number for a qualifier.
 */
import { randomUUID } from "node:crypto";
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";
import type { FunctionId } from "./names.ts";
import { HEAD_DEFAULT, policyDocument } from "./policy.ts";
import type { PolicyHead, PolicyStatement } from "./policy.ts";

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
const DENIAL = sql(
  "lambda.denial",
  `SELECT statement_id FROM lambda_permissions WHERE ${KEY} AND statement LIKE '%"Effect":"Deny"%' LIMIT 1`,
);
const HEAD = sql(
  "lambda.policy-head",
  `SELECT version, document_id AS "documentId" FROM lambda_policy_heads WHERE ${KEY} AND qualifier = ?`,
);
const SAVE_HEAD = sql(
  "lambda.save-policy-head",
  `INSERT INTO lambda_policy_heads (account, region, function_name, qualifier, version, document_id)
   VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (account, region, function_name, qualifier)
   DO UPDATE SET version = excluded.version, document_id = excluded.document_id`,
);
const DELETE_HEAD = sql(
  "lambda.delete-policy-head",
  `DELETE FROM lambda_policy_heads WHERE ${KEY} AND qualifier = ?`,
);
const DELETE_HEADS = sql("lambda.delete-policy-heads", `DELETE FROM lambda_policy_heads WHERE ${KEY}`);

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

/** What stands around them. */
export async function readHead(reader: Reader, id: FunctionId, qualifier: string): Promise<PolicyHead> {
  const row = await reader.get<{ version: string; documentId: string | null }>(HEAD, ...key(id), qualifier);
  if (!row) return HEAD_DEFAULT;
  return { Version: row.version, ...(row.documentId !== null && { Id: row.documentId }) };
}

/** The whole document; undefined where there is no statement. */
export async function readPolicy(
  reader: Reader,
  id: FunctionId,
  qualifier: string,
): Promise<string | undefined> {
  const statements = await readStatements(reader, id, qualifier);
  return statements.length === 0
    ? undefined
    : policyDocument(statements, await readHead(reader, id, qualifier));
}

/** Whether some statement of some policy of the function denies something. */
export async function readDenies(reader: Reader, id: FunctionId): Promise<boolean> {
  return (await reader.get(DENIAL, ...key(id))) !== undefined;
}

/** Puts a whole policy in the place of the one there is. */
export async function replacePolicy(
  tx: Transaction,
  id: FunctionId,
  qualifier: string,
  { head, statements }: { head: PolicyHead; statements: readonly PolicyStatement[] },
): Promise<void> {
  await deleteStatements(tx, id, qualifier);
  await tx.run(SAVE_HEAD, ...key(id), qualifier, head.Version, head.Id ?? null);
  for (const statement of statements) await insertStatement(tx, id, qualifier, statement);
}

export async function insertStatement(
  tx: Transaction,
  id: FunctionId,
  qualifier: string,
  statement: PolicyStatement,
): Promise<void> {
  const text = JSON.stringify(statement);
  // A whole document may have statements without a Sid; no Sid has this character.
  const statementId = statement.Sid || `#${randomUUID()}`;
  await tx.run(INSERT, ...key(id), qualifier, statementId, text, ...key(id), qualifier);
}

/** False when there was no such statement. With the last one its policy ends. */
export async function deleteStatement(
  tx: Transaction,
  id: FunctionId,
  qualifier: string,
  statementId: string,
): Promise<boolean> {
  if ((await tx.run(DELETE, ...key(id), qualifier, statementId)) === 0) return false;
  if ((await readStatements(tx, id, qualifier)).length === 0) await deleteStatements(tx, id, qualifier);
  return true;
}

/** Removes the policy of one version or alias, or of everything when no qualifier is named. */
export async function deleteStatements(tx: Transaction, id: FunctionId, qualifier?: string): Promise<void> {
  if (qualifier === undefined) {
    await tx.run(DELETE_ALL, ...key(id));
    await tx.run(DELETE_HEADS, ...key(id));
  } else {
    await tx.run(DELETE_QUALIFIER, ...key(id), qualifier);
    await tx.run(DELETE_HEAD, ...key(id), qualifier);
  }
}
