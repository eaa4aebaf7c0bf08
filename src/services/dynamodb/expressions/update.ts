/** Update expressions: checked in the order in which DynamoDB reports faults. */
import type { AttributeType } from "../values/value.ts";
import { typeOf } from "../values/value.ts";
import { ExpressionError } from "./lexer.ts";
import { parseUpdate } from "./parser.ts";
import {
  nodesOf,
  refuseOverlaps,
  refuseReservedWords,
  refuseTooManyOperators,
  refuseUnknownFunctions,
  resolveOperand,
  resolvePath,
} from "./resolve.ts";
import type { Substitutes } from "./substitutes.ts";
import type { UpdateActionNode, UpdateSection } from "./syntax.ts";
import type { Operand, UpdateAction, UpdateFunction } from "./tree.ts";
import { knownType } from "./tree.ts";

const FUNCTIONS: ReadonlyMap<string, number> = new Map<UpdateFunction, number>([
  ["if_not_exists", 2],
  ["list_append", 2],
]);

/** How the fault of an ADD or DELETE operand names its type. */
const TYPE_WORDS: Readonly<Partial<Record<AttributeType, string>>> = {
  S: "STRING",
  N: "NUMBER",
  B: "BINARY",
  NULL: "NULL",
  BOOL: "BOOLEAN",
  L: "LIST",
  M: "MAP",
};

/** Reads an update expression. */
export function readUpdate(source: string, substitutes: Substitutes): UpdateAction[] {
  const { actions, sections } = parseUpdate(source);
  refuseTooManyOperators(actions.flatMap((action) => [...partsOf(action)]));
  for (const action of actions)
    for (const node of partsOf(action)) if (node.kind === "path") refuseReservedWords(node);
  for (const action of actions) if (action.operand) refuseUnknownFunctions(action.operand, FUNCTIONS);
  refuseRepeatedSections(sections);
  const resolved = actions.map((action) => resolveAction(action, substitutes));
  refuseOverlaps(resolved.map((action) => action.path));
  for (const action of resolved)
    if (action.section === "ADD" || action.section === "DELETE") checkSetOperand(action);
  for (const action of resolved) if (action.section === "SET") checkOperand(action.operand);
  return resolved;
}

function* partsOf(
  action: UpdateActionNode,
): Generator<ReturnType<typeof nodesOf> extends Generator<infer N> ? N : never> {
  yield action.path;
  if (action.operand) yield* nodesOf(action.operand);
}

function refuseRepeatedSections(sections: readonly UpdateSection[]): void {
  const repeated = sections.find((section, i) => sections.indexOf(section) < i);
  if (repeated)
    throw new ExpressionError(`The "${repeated}" section can only be used once in an update expression;`);
}

function resolveAction(action: UpdateActionNode, substitutes: Substitutes): UpdateAction {
  const path = resolvePath(action.path, substitutes);
  if (action.section === "REMOVE" || !action.operand) return { section: "REMOVE", path };
  const operand = resolveOperand(action.operand, substitutes);
  if (action.section === "SET") return { section: "SET", path, operand };
  if (operand.kind !== "value") throw new Error(`${action.section} takes values only`);
  return { section: action.section, path, value: operand.value };
}

function checkSetOperand(action: Extract<UpdateAction, { section: "ADD" | "DELETE" }>): void {
  const type = typeOf(action.value);
  const word = TYPE_WORDS[type];
  if (word === undefined || (action.section === "ADD" && type === "N")) return;
  throw new ExpressionError(
    `Incorrect operand type for operator or function; operator: ${action.section}, operand type: ${word}`,
  );
}

/** Checks functions and arithmetic as far as their operands' types are known. */
function checkOperand(operand: Operand): void {
  if (operand.kind === "path" || operand.kind === "value") return;
  operand.operands.forEach(checkOperand);
  if (operand.kind === "arithmetic") {
    for (const part of operand.operands) checkType(part, operand.operator, "N");
    return;
  }
  if (FUNCTIONS.get(operand.name) !== operand.operands.length)
    throw new ExpressionError(
      `Incorrect number of operands for operator or function; operator or function: ${operand.name}, ` +
        `number of operands: ${operand.operands.length}`,
    );
  if (operand.name === "list_append") for (const part of operand.operands) checkType(part, operand.name, "L");
  else if (operand.operands[0]?.kind !== "path")
    throw new ExpressionError(
      `Operator or function requires a document path; operator or function: ${operand.name}`,
    );
}

function checkType(operand: Operand, operator: string, expected: AttributeType): void {
  const type = knownType(operand);
  if (type === undefined || type === expected || operand.kind !== "value") return;
  throw new ExpressionError(
    `Incorrect operand type for operator or function; operator or function: ${operator}, operand type: ${type}`,
  );
}
