/** The syntax tree of DynamoDB's expressions, before names and values are filled in. */

/** A step of a document path as written: an attribute name, a substitute for one, or a list index. */
export type PathStep =
  | { readonly kind: "word"; readonly text: string }
  | { readonly kind: "name"; readonly text: string }
  | { readonly kind: "index"; readonly index: number };

export interface PathNode {
  readonly kind: "path";
  readonly steps: readonly PathStep[];
}

export interface ValueNode {
  readonly kind: "value";
  /** With its colon. */
  readonly name: string;
}

export interface CallNode {
  readonly kind: "call";
  readonly name: string;
  readonly operands: readonly OperandNode[];
}

export interface ArithmeticNode {
  readonly kind: "arithmetic";
  readonly operator: "+" | "-";
  readonly operands: readonly [OperandNode, OperandNode];
}

export type OperandNode = PathNode | ValueNode | CallNode | ArithmeticNode;

export type Comparator = "=" | "<>" | "<" | "<=" | ">" | ">=";

export interface CompareNode {
  readonly kind: "compare";
  readonly operator: Comparator;
  readonly operands: readonly [OperandNode, OperandNode];
}

export interface BetweenNode {
  readonly kind: "between";
  readonly operands: readonly [OperandNode, OperandNode, OperandNode];
}

export interface InNode {
  readonly kind: "in";
  readonly operands: readonly OperandNode[];
}

export interface AndNode {
  readonly kind: "and";
  readonly conditions: readonly ConditionNode[];
}

export interface OrNode {
  readonly kind: "or";
  readonly conditions: readonly ConditionNode[];
}

export interface NotNode {
  readonly kind: "not";
  readonly condition: ConditionNode;
}

export type ConditionNode = CompareNode | BetweenNode | InNode | AndNode | OrNode | NotNode | CallNode;

export type UpdateSection = "SET" | "REMOVE" | "ADD" | "DELETE";

export interface UpdateActionNode {
  readonly section: UpdateSection;
  readonly path: PathNode;
  /** What SET assigns, ADD adds and DELETE takes away. */
  readonly operand?: OperandNode;
}
