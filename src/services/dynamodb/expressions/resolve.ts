/** Fills names and values into operands and paths, and finds the words and functions that are not allowed there. */
import { ExpressionError } from "./lexer.ts";
import { isReservedWord } from "./reserved-words.ts";
import type { Substitutes } from "./substitutes.ts";
import type { ConditionNode, OperandNode, PathNode } from "./syntax.ts";
import type { Operand, Path } from "./tree.ts";
import { showPath } from "./tree.ts";

type AnyNode = OperandNode | ConditionNode;

/** Operators and functions of one expression. */
const OPERATORS_MAX = 300;

/** Fills in one path. */
export function resolvePath(node: PathNode, substitutes: Substitutes): Path {
  return node.steps.map((step) => {
    if (step.kind === "index") return step.index;
    return step.kind === "name" ? substitutes.name(step.text) : step.text;
  });
}

/** Fills in an operand and what it is made of. Function names have been checked before. */
export function resolveOperand(node: OperandNode, substitutes: Substitutes): Operand {
  switch (node.kind) {
    case "path":
      return { kind: "path", path: resolvePath(node, substitutes) };
    case "value":
      return { kind: "value", value: substitutes.value(node.name) };
    case "call":
      return {
        kind: "call",
        name: node.name as Extract<Operand, { kind: "call" }>["name"],
        operands: node.operands.map((operand) => resolveOperand(operand, substitutes)),
      };
    default:
      return {
        kind: "arithmetic",
        operator: node.operator,
        operands: node.operands.map((operand) => resolveOperand(operand, substitutes)),
      };
  }
}

/** Every node below this one, itself first, in the order written. */
export function* nodesOf(node: AnyNode): Generator<AnyNode> {
  yield node;
  if (node.kind === "and" || node.kind === "or") for (const child of node.conditions) yield* nodesOf(child);
  else if (node.kind === "not") yield* nodesOf(node.condition);
  else if (node.kind !== "path" && node.kind !== "value")
    for (const child of node.operands) yield* nodesOf(child);
}

/** Refuses more operators and functions than DynamoDB evaluates in one expression. */
export function refuseTooManyOperators(nodes: Iterable<AnyNode>): void {
  let operators = 0;
  for (const node of nodes) {
    if (node.kind === "and" || node.kind === "or") operators += node.conditions.length - 1;
    else if (node.kind !== "path" && node.kind !== "value") operators += 1;
  }
  if (operators > OPERATORS_MAX)
    throw new ExpressionError(`The expression contains too many operators; operator count: ${operators}`);
}

/** Refuses a path with a reserved word in it. */
export function refuseReservedWords(node: PathNode): void {
  for (const step of node.steps)
    if (step.kind === "word" && isReservedWord(step.text))
      throw new ExpressionError(`Attribute name is a reserved keyword; reserved keyword: ${step.text}`);
}

/** Refuses a function that this kind of expression does not have. */
export function refuseUnknownFunctions(node: AnyNode, known: ReadonlyMap<string, number>): void {
  for (const { kind, name } of callsOf(node))
    if (kind === "call" && !known.has(name))
      throw new ExpressionError(`Invalid function name; function: ${name}`);
}

function callsOf(node: AnyNode): { kind: "call"; name: string }[] {
  return [...nodesOf(node)].filter((child) => child.kind === "call");
}

/** Refuses two paths of which one is or holds the other, or that treat one place as map and list at once. */
export function refuseOverlaps(paths: readonly Path[]): void {
  let conflict: ExpressionError | undefined;
  for (const [i, second] of paths.entries())
    for (const first of paths.slice(0, i)) {
      const relation = relate(first, second);
      if (relation === "apart") continue;
      const error = new ExpressionError(
        `Two document paths ${relation} with each other; must remove or rewrite one of these paths; ` +
          `path one: ${showPath(first)}, path two: ${showPath(second)}`,
      );
      if (relation === "overlap") throw error;
      conflict ??= error;
    }
  if (conflict) throw conflict;
}

function relate(a: Path, b: Path): "overlap" | "conflict" | "apart" {
  for (let i = 0; i < a.length && i < b.length; i += 1) {
    if (typeof a[i] !== typeof b[i]) return "conflict";
    if (a[i] !== b[i]) return "apart";
  }
  return "overlap";
}
