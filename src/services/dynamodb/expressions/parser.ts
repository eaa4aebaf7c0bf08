/** The one grammar of condition, filter, key condition, update and projection expressions. */
import { ExpressionError, Tokens } from "./lexer.ts";
import type {
  Comparator,
  ConditionNode,
  OperandNode,
  PathNode,
  PathStep,
  UpdateActionNode,
  UpdateSection,
} from "./syntax.ts";

const COMPARATORS: ReadonlySet<string> = new Set<Comparator>(["=", "<>", "<", "<=", ">", ">="]);
const CONDITION_KEYWORDS: ReadonlySet<string> = new Set(["AND", "OR", "NOT", "BETWEEN", "IN"]);
const UPDATE_SECTIONS: ReadonlySet<string> = new Set<UpdateSection>(["SET", "REMOVE", "ADD", "DELETE"]);
const NO_KEYWORDS: ReadonlySet<string> = new Set();
const LIST_INDEX_MAX = 2 ** 31 - 1;

/** What is being read: its tokens, the words that cannot be names in it, and whether parentheses stood twice. */
interface Reading {
  readonly tokens: Tokens;
  readonly keywords: ReadonlySet<string>;
  /** The nodes that stood in parentheses of their own. */
  readonly parenthesised: Set<Node>;
  redundantParentheses: boolean;
}

type Node = OperandNode | ConditionNode;

/** Parses a condition, filter or key condition. */
export function parseCondition(source: string): { condition: ConditionNode; redundantParentheses: boolean } {
  const reading = startReading(new Tokens(source), CONDITION_KEYWORDS);
  const condition = asCondition(reading, readOr(reading));
  if (!reading.tokens.atEnd) throw reading.tokens.unexpected();
  return { condition, redundantParentheses: reading.redundantParentheses };
}

/** Parses an update expression into its actions, and the sections in the order written. */
export function parseUpdate(source: string): { actions: UpdateActionNode[]; sections: UpdateSection[] } {
  const tokens = new Tokens(source);
  const reading = startReading(tokens, UPDATE_SECTIONS);
  const actions: UpdateActionNode[] = [];
  const sections: UpdateSection[] = [];
  do {
    const { kind, text } = tokens.next;
    const section = text.toUpperCase() as UpdateSection;
    if (kind !== "word" || !UPDATE_SECTIONS.has(section)) throw tokens.unexpected();
    tokens.take();
    sections.push(section);
    do actions.push(readAction(reading, section));
    while (tokens.takeSymbol(","));
  } while (!tokens.atEnd);
  return { actions, sections };
}

/** Parses a projection expression into its paths. */
export function parseProjection(source: string): PathNode[] {
  const tokens = new Tokens(source);
  const reading = startReading(tokens, NO_KEYWORDS);
  const paths: PathNode[] = [];
  do paths.push(readPath(reading));
  while (tokens.takeSymbol(","));
  if (!tokens.atEnd) throw tokens.unexpected();
  return paths;
}

function startReading(tokens: Tokens, keywords: ReadonlySet<string>): Reading {
  return { tokens, keywords, parenthesised: new Set(), redundantParentheses: false };
}

function readOr(reading: Reading): Node {
  const first = readAnd(reading);
  if (!reading.tokens.isKeyword("OR")) return first;
  const conditions = [asCondition(reading, first)];
  while (reading.tokens.takeKeyword("OR")) conditions.push(asCondition(reading, readAnd(reading)));
  return { kind: "or", conditions };
}

function readAnd(reading: Reading): Node {
  const first = readNot(reading);
  if (!reading.tokens.isKeyword("AND")) return first;
  const conditions = [asCondition(reading, first)];
  while (reading.tokens.takeKeyword("AND")) conditions.push(asCondition(reading, readNot(reading)));
  return { kind: "and", conditions };
}

function readNot(reading: Reading): Node {
  if (!reading.tokens.takeKeyword("NOT")) return readComparison(reading);
  return { kind: "not", condition: asCondition(reading, readNot(reading)) };
}

/** A comparison, or an operand alone: which of the two is allowed is for the caller to say. */
function readComparison(reading: Reading): Node {
  const { tokens } = reading;
  const first = readPrimary(reading);
  const { kind, text } = tokens.next;
  if (kind === "symbol" && COMPARATORS.has(text)) {
    const left = asOperand(reading, first);
    tokens.take();
    return { kind: "compare", operator: text as Comparator, operands: [left, readOperand(reading)] };
  }
  if (tokens.isKeyword("BETWEEN")) {
    const operand = asOperand(reading, first);
    tokens.take();
    const low = readOperand(reading);
    if (!tokens.takeKeyword("AND")) throw tokens.unexpected();
    return { kind: "between", operands: [operand, low, readOperand(reading)] };
  }
  if (tokens.isKeyword("IN")) {
    const operand = asOperand(reading, first);
    tokens.take();
    tokens.expectSymbol("(");
    return { kind: "in", operands: [operand, ...readOperands(reading)] };
  }
  return first;
}

function readPrimary(reading: Reading): Node {
  const { tokens, parenthesised } = reading;
  if (!tokens.takeSymbol("(")) return readBareOperand(reading);
  const inner = readOr(reading);
  tokens.expectSymbol(")");
  // `((x))`: what is in these parentheses is itself something in parentheses.
  if (parenthesised.has(inner)) reading.redundantParentheses = true;
  parenthesised.add(inner);
  if (inner.kind === "path" && (tokens.isSymbol(".") || tokens.isSymbol("[")))
    return { kind: "path", steps: [...inner.steps, ...readSteps(reading)] };
  return inner;
}

function readOperand(reading: Reading): OperandNode {
  return asOperand(reading, readPrimary(reading));
}

/** Operands up to the closing parenthesis, which is consumed. */
function readOperands(reading: Reading): OperandNode[] {
  const operands: OperandNode[] = [];
  do operands.push(readOperand(reading));
  while (reading.tokens.takeSymbol(","));
  reading.tokens.expectSymbol(")");
  return operands;
}

function readBareOperand(reading: Reading): OperandNode {
  const { tokens } = reading;
  if (tokens.next.kind === "value") return { kind: "value", name: tokens.take().text };
  const isCall = tokens.next.kind === "word" && tokens.second.text === "(" && tokens.second.kind === "symbol";
  if (!isCall || reading.keywords.has(tokens.next.text.toUpperCase())) return readPath(reading);
  const name = tokens.take().text;
  tokens.take();
  return { kind: "call", name, operands: readOperands(reading) };
}

function readPath(reading: Reading): PathNode {
  return { kind: "path", steps: [readIdentifier(reading), ...readSteps(reading)] };
}

function readIdentifier({ tokens, keywords }: Reading): PathStep {
  const { kind, text } = tokens.next;
  if (kind === "name") return { kind: "name", text: tokens.take().text };
  if (kind !== "word" || keywords.has(text.toUpperCase())) throw tokens.unexpected();
  return { kind: "word", text: tokens.take().text };
}

/** What follows a path's first name: `.name` and `[index]`. */
function readSteps(reading: Reading): PathStep[] {
  const { tokens } = reading;
  const steps: PathStep[] = [];
  for (;;) {
    if (tokens.takeSymbol(".")) {
      steps.push(readIdentifier(reading));
    } else if (tokens.takeSymbol("[")) {
      if (tokens.next.kind !== "number") throw tokens.unexpected();
      const { text } = tokens.take();
      const index = Number(text);
      if (index > LIST_INDEX_MAX)
        throw new ExpressionError(`List index is not within the allowable range; index: [${text}]`);
      tokens.expectSymbol("]");
      steps.push({ kind: "index", index });
    } else return steps;
  }
}

function readAction(reading: Reading, section: UpdateSection): UpdateActionNode {
  const { tokens } = reading;
  const path = readPath(reading);
  if (section === "REMOVE") return { section, path };
  if (section === "SET") {
    tokens.expectSymbol("=");
    return { section, path, operand: readSetValue(reading) };
  }
  if (tokens.next.kind !== "value") throw tokens.unexpected();
  return { section, path, operand: { kind: "value", name: tokens.take().text } };
}

/** `operand`, `operand + operand` or `operand - operand`, the whole or each operand in parentheses. */
function readSetValue(reading: Reading): OperandNode {
  const { tokens } = reading;
  const left = tokens.takeSymbol("(") ? readClosedSetValue(reading) : readBareOperand(reading);
  if (!tokens.isSymbol("+") && !tokens.isSymbol("-")) return left;
  if (left.kind === "arithmetic") throw tokens.unexpected();
  const operator = tokens.take().text as "+" | "-";
  return { kind: "arithmetic", operator, operands: [left, readOperand(reading)] };
}

function readClosedSetValue(reading: Reading): OperandNode {
  const value = readSetValue(reading);
  reading.tokens.expectSymbol(")");
  return value;
}

function asCondition(reading: Reading, node: Node): ConditionNode {
  if (node.kind === "path" || node.kind === "value" || node.kind === "arithmetic")
    throw reading.tokens.unexpected();
  return node;
}

function asOperand(reading: Reading, node: Node): OperandNode {
  if (node.kind === "path" || node.kind === "value" || node.kind === "call" || node.kind === "arithmetic")
    return node;
  throw reading.tokens.unexpected();
}
