/** Expressions ready to run: names and values filled in. */
import type { AttributeType, AttributeValue } from "../values/value.ts";
import { typeOf } from "../values/value.ts";
import type { Comparator } from "./syntax.ts";

/** A document path: attribute names and list indexes. The first step is always a name. */
export type Path = readonly (string | number)[];

export type ConditionFunction =
  | "attribute_exists"
  | "attribute_not_exists"
  | "attribute_type"
  | "begins_with"
  | "contains"
  | "size";
export type UpdateFunction = "if_not_exists" | "list_append";

export type Operand =
  | { readonly kind: "path"; readonly path: Path }
  | { readonly kind: "value"; readonly value: AttributeValue }
  | {
      readonly kind: "call";
      readonly name: ConditionFunction | UpdateFunction;
      readonly operands: readonly Operand[];
    }
  | { readonly kind: "arithmetic"; readonly operator: "+" | "-"; readonly operands: readonly Operand[] };

export type Condition =
  | { readonly kind: "and"; readonly conditions: readonly Condition[] }
  | { readonly kind: "or"; readonly conditions: readonly Condition[] }
  | { readonly kind: "not"; readonly condition: Condition }
  | { readonly kind: "compare"; readonly operator: Comparator; readonly operands: readonly Operand[] }
  | { readonly kind: "between"; readonly operands: readonly Operand[] }
  | { readonly kind: "in"; readonly operands: readonly Operand[] }
  | { readonly kind: "call"; readonly name: ConditionFunction; readonly operands: readonly Operand[] };

export type UpdateAction =
  | { readonly section: "SET"; readonly path: Path; readonly operand: Operand }
  | { readonly section: "REMOVE"; readonly path: Path }
  | { readonly section: "ADD"; readonly path: Path; readonly value: AttributeValue }
  | { readonly section: "DELETE"; readonly path: Path; readonly value: AttributeValue };

/** A path as DynamoDB prints it: `[a, [0], b]`. */
export function showPath(path: Path): string {
  return `[${path.map((step) => (typeof step === "number" ? `[${step}]` : step)).join(", ")}]`;
}

/** The type an operand is known to have before any item is read; undefined for paths. */
export function knownType(operand: Operand): AttributeType | undefined {
  switch (operand.kind) {
    case "path":
      return undefined;
    case "value":
      return typeOf(operand.value);
    case "arithmetic":
      return "N";
    default:
      return callType(operand.name, operand.operands);
  }
}

function callType(
  name: ConditionFunction | UpdateFunction,
  operands: readonly Operand[],
): AttributeType | undefined {
  switch (name) {
    case "size":
      return "N";
    case "list_append":
      return "L";
    case "if_not_exists":
      return operands[1] && knownType(operands[1]);
    default:
      return "BOOL";
  }
}
