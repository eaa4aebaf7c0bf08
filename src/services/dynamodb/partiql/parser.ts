/** Reads PartiQL statements. */
import { notImplemented } from "../../../aws/errors.ts";
import type { ParameterizedStatement } from "@aws-sdk/client-dynamodb";
import { invalid, isInvalid } from "../errors.ts";
import type { Operand, Path, UpdateAction } from "../expressions/tree.ts";
import { checkItemSize } from "../items/write.ts";
import { validateAttributes } from "../values/validate.ts";
import type { AttributeValue } from "../values/value.ts";
import { readCondition } from "./conditions.ts";
import { Cursor, unexpected } from "./cursor.ts";
import { notWellFormed } from "./faults.ts";
import type { Delete, Exists, Insert, Returning, Select, Statement, Update } from "./statement.ts";

/** Reads one statement, its parameters filled in. @throws AwsError ValidationException */
export function readStatement(text: string, parameters: readonly AttributeValue[] | undefined): Statement {
  const cursor = new Cursor(text, parameters);
  const statement = readAny(cursor);
  cursor.expectEnd();
  return statement;
}

/** Reads one of a transaction's statements; a fault says which one it is. */
export function readTransactStatement(
  { Statement: text, Parameters: parameters }: ParameterizedStatement,
  i: number,
): Statement {
  try {
    return readStatement(text as string, parameters);
  } catch (error) {
    if (!isInvalid(error)) throw error;
    throw invalid(`Validation failed in TransactStatements[${i}]: ${error.message}`);
  }
}

function readAny(cursor: Cursor): Statement {
  if (cursor.takeWord("SELECT")) return readSelect(cursor);
  if (cursor.takeWord("INSERT")) return readInsert(cursor);
  if (cursor.takeWord("UPDATE")) return readUpdate(cursor);
  if (cursor.takeWord("DELETE")) return readDelete(cursor);
  if (cursor.takeWord("EXISTS")) return readExists(cursor);
  if (cursor.isWordAhead("FROM")) throw notImplemented("PartiQL statements that begin with FROM; use UPDATE");
  throw notWellFormed("Expected data manipulation");
}

function readSelect(cursor: Cursor): Select {
  const paths = readProjection(cursor);
  cursor.expectWord("FROM");
  if (cursor.isAtEnd) throw notWellFormed("Unexpected term");
  const { table, index } = cursor.source();
  if (cursor.takeSign(",")) throw invalid("Only select from a single table or index is supported.");
  const where = readWhere(cursor);
  return { kind: "SELECT", table, index, paths, where, orderBy: readOrder(cursor) };
}

function readProjection(cursor: Cursor): Path[] | undefined {
  if (cursor.takeSign("*")) {
    if (cursor.isSignAhead(","))
      throw invalid("Other attributes should not be present in the projection when '*' is used.");
    return undefined;
  }
  const paths: Path[] = [];
  do {
    const { kind, text } = cursor.token;
    if (kind === "word" && cursor.isSignAhead("(", 1)) throw invalid(`Unrecognized function: ${text}`);
    if (!cursor.isAtPath) throw notWellFormed(unexpected(cursor.token));
    paths.push(cursor.path());
    if (cursor.isWordAhead("AS")) throw invalid("Aliasing is not supported");
  } while (cursor.takeSign(","));
  return paths;
}

function readWhere(cursor: Cursor): Select["where"] {
  if (!cursor.takeWord("WHERE")) return undefined;
  if (cursor.isAtEnd) throw notWellFormed("Unexpected term");
  return readCondition(cursor);
}

function readOrder(cursor: Cursor): Select["orderBy"] {
  const order: { attribute: string; isForward: boolean }[] = [];
  if (!cursor.takeWord("ORDER")) return order;
  cursor.expectWord("BY");
  do {
    const attribute = cursor.name();
    order.push({ attribute, isForward: cursor.takeWord("ASC", "DESC") !== "DESC" });
  } while (cursor.takeSign(","));
  return order;
}

function readInsert(cursor: Cursor): Insert {
  cursor.expectWord("INTO");
  const table = cursor.name();
  if (cursor.isSignAhead(".")) throw invalid("This operation is not supported on an index");
  if (!cursor.takeWord("VALUE")) throw notWellFormed("Unexpected token after expression");
  if (!cursor.isSignAhead("{"))
    throw invalid(
      "Unsupported format in item expression. Please use struct format {...} to express item values for insert statement.",
    );
  const item = validateAttributes(cursor.value().M ?? {}, "current");
  checkItemSize(item);
  const doesNothingOnConflict = cursor.takeWord("ON") !== undefined;
  if (doesNothingOnConflict) {
    if (!["CONFLICT", "DO", "NOTHING"].every((word) => cursor.takeWord(word)))
      throw invalid('Invalid conflict action. Only "DO NOTHING" action is supported.');
  }
  if (cursor.isWordAhead("RETURNING")) throw invalid("RETURNING is not supported in INSERT");
  return { kind: "INSERT", table, item, doesNothingOnConflict };
}

function readUpdate(cursor: Cursor): Update {
  const table = readTarget(cursor);
  const actions: UpdateAction[] = [];
  for (;;) {
    if (cursor.takeWord("SET")) {
      do actions.push(readAssignment(cursor));
      while (cursor.takeSign(","));
    } else if (cursor.takeWord("REMOVE")) {
      do actions.push({ section: "REMOVE", path: cursor.path() });
      while (cursor.takeSign(","));
    } else break;
  }
  if (actions.length === 0) throw notWellFormed("Expected data manipulation");
  const where = readWhere(cursor);
  return { kind: "UPDATE", table, actions, where, returning: readReturning(cursor) };
}

/** The table of a write, which is on no index. */
function readTarget(cursor: Cursor): string {
  const { table, index } = cursor.source();
  if (index !== undefined) throw invalid("This operation is not supported on an index");
  return table;
}

function readAssignment(cursor: Cursor): UpdateAction {
  const path = cursor.path();
  cursor.expectSign("=");
  const set = readSetFunction(cursor, path);
  if (set) return set;
  let operand = readOperand(cursor);
  for (let sign = cursor.takeSign("+", "-"); sign; sign = cursor.takeSign("+", "-"))
    operand = { kind: "arithmetic", operator: sign as "+" | "-", operands: [operand, readOperand(cursor)] };
  return { section: "SET", path, operand };
}

/** `a = set_add(a, <<…>>)` and `a = set_delete(a, <<…>>)`: what ADD and DELETE do in update expressions. */
function readSetFunction(cursor: Cursor, target: Path): UpdateAction | undefined {
  const word = cursor.isSignAhead("(", 1) ? cursor.takeWord("SET_ADD", "SET_DELETE") : undefined;
  if (!word) return undefined;
  cursor.expectSign("(");
  const path = cursor.path();
  if (path.length !== target.length || path.some((step, i) => step !== target[i]))
    throw invalid(`The first argument to ${word} must equal the assignment value`);
  if (!cursor.takeSign(",")) throw invalid(`${word} must have exactly two arguments`);
  const value = cursor.value();
  cursor.expectSign(")");
  if (!value.SS && !value.NS && !value.BS)
    throw invalid(`The second argument to ${word} must be a value with type SET`);
  return { section: word === "SET_ADD" ? "ADD" : "DELETE", path, value };
}

function readOperand(cursor: Cursor): Operand {
  if (cursor.isAtValue) return { kind: "value", value: cursor.value() };
  const { kind, text } = cursor.token;
  if (kind === "word" && cursor.isSignAhead("(", 1)) {
    const name = cursor.takeWord("LIST_APPEND", "IF_NOT_EXISTS")?.toLowerCase();
    if (name === undefined) throw invalid(`Unrecognized function: ${text}`);
    cursor.expectSign("(");
    const first = readOperand(cursor);
    cursor.expectSign(",");
    const operands = [first, readOperand(cursor)];
    cursor.expectSign(")");
    return { kind: "call", name: name as "list_append" | "if_not_exists", operands };
  }
  if (!cursor.isAtPath) throw notWellFormed(unexpected(cursor.token));
  return { kind: "path", path: cursor.path() };
}

function readDelete(cursor: Cursor): Delete {
  cursor.expectWord("FROM");
  const table = readTarget(cursor);
  const where = readWhere(cursor);
  const returning = readReturning(cursor);
  if (returning !== undefined && returning !== "ALL OLD")
    throw invalid(
      `Invalid returning clause: RETURNING ${returning} *. Only RETURNING ALL OLD * is allowed in DELETE statements.`,
    );
  return { kind: "DELETE", table, where, returning };
}

function readReturning(cursor: Cursor): Returning | undefined {
  if (!cursor.takeWord("RETURNING")) return undefined;
  const which = cursor.takeWord("ALL", "MODIFIED");
  const when = cursor.takeWord("OLD", "NEW");
  if (!which || !when || !cursor.takeSign("*"))
    throw invalid("Expected '*' after ( MODIFIED | ALL ) ( NEW | OLD ) in RETURNING clause");
  if (cursor.isSignAhead(","))
    throw invalid("Invalid syntax with multiple returning elements in RETURNING clause");
  return `${which} ${when}` as Returning;
}

function readExists(cursor: Cursor): Exists {
  cursor.expectSign("(");
  cursor.expectWord("SELECT");
  const select = readSelect(cursor);
  cursor.expectSign(")");
  return { kind: "EXISTS", table: select.table, select };
}
