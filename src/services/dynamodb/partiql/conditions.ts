/** Reads the conditions of WHERE clauses. */
import { invalid } from "../errors.ts";
import type { Condition, ConditionFunction, Operand } from "../expressions/tree.ts";
import type { AttributeType } from "../values/value.ts";
import type { Cursor } from "./cursor.ts";
import { unexpected } from "./cursor.ts";
import { notWellFormed } from "./faults.ts";

/** Functions that are conditions, and their numbers of operands. */
const FUNCTIONS: Readonly<Record<string, number>> = {
  attribute_exists: 1,
  attribute_not_exists: 1,
  attribute_type: 2,
  begins_with: 2,
  contains: 2,
};
/** What IS compares with, and the attribute types that are that. */
const TYPES: Readonly<Record<string, readonly AttributeType[]>> = {
  NULL: ["NULL"],
  BOOLEAN: ["BOOL"],
  BLOB: ["B"],
  STRING: ["S"],
  NUMERIC: ["N"],
  STRUCT: ["M"],
  TUPLE: ["M"],
  LIST: ["L"],
};
const COMPARATORS = ["=", "<>", "!=", "<=", ">=", "<", ">"];
/** Levels that parentheses and NOT can be nested, and values of one IN. */
const NESTING_MAX = 100;
const IN_VALUES_MAX = 100;

/** A condition: OR binds less than AND, AND less than NOT. */
export function readCondition(cursor: Cursor, level = 1): Condition {
  if (level > NESTING_MAX) throw notWellFormed("Too many nested expressions");
  const alternatives = [readAll(cursor, level)];
  while (cursor.takeWord("OR")) alternatives.push(readRight(cursor, level));
  return alternatives.length === 1
    ? (alternatives[0] as Condition)
    : { kind: "or", conditions: alternatives };
}

function readRight(cursor: Cursor, level: number): Condition {
  if (cursor.isAtEnd) throw notWellFormed("Missing right-hand side expression of infix operator");
  return readAll(cursor, level);
}

function readAll(cursor: Cursor, level: number): Condition {
  const conditions = [readOne(cursor, level)];
  while (cursor.takeWord("AND")) {
    if (cursor.isAtEnd) throw notWellFormed("Missing right-hand side expression of infix operator");
    conditions.push(readOne(cursor, level));
  }
  return conditions.length === 1 ? (conditions[0] as Condition) : { kind: "and", conditions };
}

function readOne(cursor: Cursor, level: number): Condition {
  if (level > NESTING_MAX) throw notWellFormed("Too many nested expressions");
  if (cursor.takeWord("NOT")) return { kind: "not", condition: readOne(cursor, level + 1) };
  if (cursor.takeSign("(")) {
    const condition = readCondition(cursor, level + 1);
    cursor.expectSign(")");
    return condition;
  }
  if (cursor.isWordAhead("IS") || cursor.isWordAhead("LIKE")) throw notWellFormed("Unexpected operator");
  const name = callName(cursor);
  if (name !== undefined && name !== "size") return readCall(cursor, name);
  return readComparison(cursor, readOperand(cursor));
}

/** The name of the function that is called here, in small letters; it is not taken. */
function callName(cursor: Cursor): string | undefined {
  const { kind, text } = cursor.token;
  return kind === "word" && cursor.isSignAhead("(", 1) ? text.toLowerCase() : undefined;
}

function readCall(cursor: Cursor, name: string): Condition {
  const count = FUNCTIONS[name];
  if (count === undefined) throw invalid(`Unrecognized function: ${cursor.token.text}`);
  const operands = readArguments(cursor);
  if (operands.length !== count)
    throw invalid(`Incorrect number of operands for operator or function: ${name}`);
  return { kind: "call", name: name as ConditionFunction, operands };
}

/** The operands of the call that begins here. */
function readArguments(cursor: Cursor): Operand[] {
  cursor.takeWord(cursor.token.text.toUpperCase());
  cursor.expectSign("(");
  const operands: Operand[] = [];
  do operands.push(readOperand(cursor));
  while (cursor.takeSign(","));
  cursor.expectSign(")");
  return operands;
}

function readOperand(cursor: Cursor): Operand {
  if (cursor.isAtValue) return { kind: "value", value: cursor.value() };
  if (callName(cursor) === "size") return { kind: "call", name: "size", operands: readArguments(cursor) };
  if (cursor.isAtPath) return { kind: "path", path: cursor.path() };
  const isOperator = cursor.token.kind === "sign" || cursor.isWordAhead("LIKE") || cursor.isWordAhead("IS");
  throw notWellFormed(isOperator ? "Unexpected operator" : unexpected(cursor.token));
}

function readComparison(cursor: Cursor, left: Operand): Condition {
  const sign = cursor.takeSign(...COMPARATORS);
  if (sign) {
    if (cursor.isAtEnd) throw notWellFormed("Missing right-hand side expression of infix operator");
    if (cursor.isWordAhead("MISSING")) throw invalid("MISSING must be compared using IS operator");
    const operator = (sign === "!=" ? "<>" : sign) as Extract<Condition, { kind: "compare" }>["operator"];
    return { kind: "compare", operator, operands: [left, readOperand(cursor)] };
  }
  if (cursor.takeWord("IS")) return readType(cursor, left);
  const isNegated = cursor.takeWord("NOT") !== undefined;
  const condition = readRange(cursor, left);
  return isNegated ? { kind: "not", condition } : condition;
}

/** `BETWEEN … AND …`, and `IN` with its values. */
function readRange(cursor: Cursor, left: Operand): Condition {
  if (cursor.takeWord("BETWEEN")) {
    const low = readOperand(cursor);
    cursor.expectWord("AND");
    return { kind: "between", operands: [left, low, readOperand(cursor)] };
  }
  if (cursor.takeWord("IN")) return { kind: "in", operands: [left, ...readMembers(cursor)] };
  throw invalid("WHERE clause must contain an expression that resolves to a boolean");
}

function readMembers(cursor: Cursor): Operand[] {
  const close = cursor.takeSign("[") ? "]" : cursor.takeSign("(") ? ")" : undefined;
  const fault = invalid(
    "IN operator must have a left hand argument of type Variable Reference and right hand argument of type Seq with at least one member",
  );
  if (!close || cursor.isSignAhead(close)) throw fault;
  const members: Operand[] = [];
  do members.push({ kind: "value", value: cursor.value() });
  while (cursor.takeSign(","));
  cursor.expectSign(close);
  if (members.length > IN_VALUES_MAX)
    throw invalid(
      `IN operator must have at most ${IN_VALUES_MAX} values; number of values: ${members.length}`,
    );
  return members;
}

/** `IS [NOT] MISSING`, or a type. */
function readType(cursor: Cursor, left: Operand): Condition {
  const isNegated = cursor.takeWord("NOT") !== undefined;
  if (left.kind !== "path")
    throw invalid("The left hand side argument to IS must be a Variable Reference, Literal, or Path");
  if (cursor.takeWord("MISSING")) {
    const name = isNegated ? "attribute_exists" : "attribute_not_exists";
    return { kind: "call", name, operands: [left] };
  }
  const word = cursor.takeWord(...Object.keys(TYPES));
  if (word === undefined) throw notWellFormed("Expected type name");
  const type: Operand = { kind: "value", value: { S: (TYPES[word] as readonly string[])[0] as string } };
  const condition: Condition = { kind: "call", name: "attribute_type", operands: [left, type] };
  return isNegated ? { kind: "not", condition } : condition;
}
