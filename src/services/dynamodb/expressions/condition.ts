/** Condition, filter and key condition expressions, checked in the order in which DynamoDB reports faults. */
import type { AttributeValue } from "../values/value.ts";
import { ATTRIBUTE_TYPES, typeOf } from "../values/value.ts";
import { compareValues } from "../values/compare.ts";
import { ExpressionError } from "./lexer.ts";
import { parseCondition } from "./parser.ts";
import {
  nodesOf,
  refuseReservedWords,
  refuseTooManyOperators,
  refuseUnknownFunctions,
  resolveOperand,
} from "./resolve.ts";
import type { Substitutes } from "./substitutes.ts";
import type { ConditionNode, OperandNode } from "./syntax.ts";
import type { Condition, ConditionFunction, Operand } from "./tree.ts";
import { knownType, showPath } from "./tree.ts";

/** The functions and their numbers of operands. */
const FUNCTIONS: ReadonlyMap<string, number> = new Map<ConditionFunction, number>([
  ["attribute_exists", 1],
  ["attribute_not_exists", 1],
  ["attribute_type", 2],
  ["begins_with", 2],
  ["contains", 2],
  ["size", 1],
]);

/** Values that IN compares with. */
const IN_VALUES_MAX = 100;

const ORDERED: ReadonlySet<string> = new Set(["S", "N", "B"]);
const UNSIZED: ReadonlySet<string> = new Set(["N", "BOOL", "NULL"]);

/** Reads a condition; `isKeyCondition` for the one expression that may repeat parentheses. */
export function readCondition(source: string, substitutes: Substitutes, isKeyCondition = false): Condition {
  const { condition, redundantParentheses } = parseCondition(source);
  if (redundantParentheses && !isKeyCondition)
    throw new ExpressionError("The expression has redundant parentheses;");
  refuseTooManyOperators(nodesOf(condition));
  refuseUnknownFunctions(condition, FUNCTIONS);
  refuseMisusedFunctions(condition);
  for (const node of nodesOf(condition)) if (node.kind === "path") refuseReservedWords(node);
  return resolveCondition(condition, substitutes);
}

/** Every path in the condition. */
export function pathsOf(condition: Condition): Extract<Operand, { kind: "path" }>["path"][] {
  if (condition.kind === "and" || condition.kind === "or") return condition.conditions.flatMap(pathsOf);
  if (condition.kind === "not") return pathsOf(condition.condition);
  return condition.operands.flatMap(operandPaths);
}

function operandPaths(operand: Operand): Extract<Operand, { kind: "path" }>["path"][] {
  if (operand.kind === "path") return [operand.path];
  return operand.kind === "value" ? [] : operand.operands.flatMap(operandPaths);
}

/** Functions that answer true or false are conditions; `size` is an operand. Neither may stand for the other. */
function refuseMisusedFunctions(condition: ConditionNode): void {
  for (const node of nodesOf(condition)) {
    if (node.kind === "and" || node.kind === "or") node.conditions.forEach(refuseSize);
    else if (node.kind === "not") refuseSize(node.condition);
    else if (node.kind !== "path" && node.kind !== "value")
      for (const operand of node.operands)
        if (operand.kind === "call" && operand.name !== "size") throw misused(operand.name);
  }
  refuseSize(condition);
}

function refuseSize(condition: ConditionNode): void {
  if (condition.kind === "call" && condition.name === "size") throw misused("size");
}

function misused(name: string): ExpressionError {
  return new ExpressionError(
    `The function is not allowed to be used this way in an expression; function: ${name}`,
  );
}

function resolveCondition(node: ConditionNode, substitutes: Substitutes): Condition {
  switch (node.kind) {
    case "and":
    case "or":
      return {
        kind: node.kind,
        conditions: node.conditions.map((child) => resolveCondition(child, substitutes)),
      };
    case "not":
      return { kind: "not", condition: resolveCondition(node.condition, substitutes) };
    default:
      return resolveLeaf(node, substitutes);
  }
}

type LeafNode = Exclude<ConditionNode, { kind: "and" | "or" | "not" }>;

function resolveLeaf(node: LeafNode, substitutes: Substitutes): Condition {
  const operands = node.operands.map((operand: OperandNode) => resolveOperand(operand, substitutes));
  for (const operand of operands) if (operand.kind === "call") checkCall(operand.name, operand.operands);
  switch (node.kind) {
    case "call":
      checkCall(node.name, operands);
      return { kind: "call", name: node.name as ConditionFunction, operands };
    case "compare":
      refuseSamePath(node.operator, operands);
      if (node.operator !== "=" && node.operator !== "<>") checkOrdered(node.operator, operands);
      return { kind: "compare", operator: node.operator, operands };
    case "between":
      checkBounds(operands);
      checkOrdered("BETWEEN", operands);
      return { kind: "between", operands };
    default:
      if (operands.length - 1 > IN_VALUES_MAX) throw wrongNumber("IN", operands.length - 1);
      return { kind: "in", operands };
  }
}

function checkCall(name: string, operands: readonly Operand[]): void {
  if (FUNCTIONS.get(name) !== operands.length) throw wrongNumber(name, operands.length);
  refuseSamePath(name, operands);
  const [first, second] = operands as [Operand, Operand];
  if (name === "attribute_exists" || name === "attribute_not_exists") {
    if (first.kind !== "path")
      throw new ExpressionError(
        `Operator or function requires a document path; operator or function: ${name}`,
      );
  } else if (name === "begins_with") {
    for (const operand of operands) {
      const type = knownType(operand);
      if (type && type !== "S" && type !== "B") throw wrongType(name, type);
    }
  } else if (name === "attribute_type") checkAttributeType(second);
  else if (name === "size") {
    const type = knownType(first);
    if (type && UNSIZED.has(type)) throw wrongType(name, type);
  }
}

function wrongNumber(name: string, operands: number): ExpressionError {
  return new ExpressionError(
    `Incorrect number of operands for operator or function; operator or function: ${name}, ` +
      `number of operands: ${operands}`,
  );
}

function checkAttributeType(operand: Operand): void {
  const type = knownType(operand);
  if (operand.kind !== "value" || type !== "S")
    throw wrongType("attribute_type", type ?? "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}");
  const name = operand.value.S as string;
  if (!(ATTRIBUTE_TYPES as readonly string[]).includes(name))
    throw new ExpressionError(
      `Invalid attribute type name found; type: ${name}, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}`,
    );
}

/** `<`, `<=`, `>`, `>=` and BETWEEN take only what has an order. */
function checkOrdered(operator: string, operands: readonly Operand[]): void {
  for (const operand of operands) {
    const type = knownType(operand);
    if (type && !ORDERED.has(type)) throw wrongType(operator, type);
  }
}

function wrongType(name: string, type: string): ExpressionError {
  return new ExpressionError(
    `Incorrect operand type for operator or function; operator or function: ${name}, operand type: ${type}`,
  );
}

function refuseSamePath(operator: string, operands: readonly Operand[]): void {
  const [first, second] = operands;
  if (operands.length !== 2 || first?.kind !== "path" || second?.kind !== "path") return;
  if (first.path.length !== second.path.length || !first.path.every((step, i) => step === second.path[i]))
    return;
  throw new ExpressionError(
    "The first operand must be distinct from the remaining operands for this operator or function; " +
      `operator: ${operator}, first operand: ${showPath(first.path)}`,
  );
}

function checkBounds(operands: readonly Operand[]): void {
  const [, low, high] = operands;
  if (low?.kind !== "value" || high?.kind !== "value") return;
  const bounds =
    `lower bound operand: AttributeValue: ${showValue(low.value)}, ` +
    `upper bound operand: AttributeValue: ${showValue(high.value)}`;
  if (typeOf(low.value) !== typeOf(high.value))
    throw new ExpressionError(
      `The BETWEEN operator requires same data type for lower and upper bounds; ${bounds}`,
    );
  if ((compareValues(low.value, high.value) ?? 0) > 0)
    throw new ExpressionError(
      `The BETWEEN operator requires upper bound to be greater than or equal to lower bound; ${bounds}`,
    );
}

/** A value as Java prints it. */
function showValue(value: AttributeValue): string {
  return `{${typeOf(value)}:${shown(value)}}`;
}

function shown(value: AttributeValue): string {
  if (value.B) return Buffer.from(value.B).toString("base64");
  if (value.BS) return `[${value.BS.map((member) => Buffer.from(member).toString("base64")).join(", ")}]`;
  if (value.L) return `[${value.L.map(showValue).join(", ")}]`;
  if (value.M)
    return `{${Object.entries(value.M)
      .map(([name, field]) => `${name}=${showValue(field)}`)
      .join(", ")}}`;
  const members = value.SS ?? value.NS;
  return members ? `[${members.join(", ")}]` : String(value.S ?? value.N ?? value.BOOL ?? value.NULL);
}
