/** Evaluates conditions against an item, and finds the values of paths. */
import type { AttributeValue, Attributes } from "../values/value.ts";
import { typeOf } from "../values/value.ts";
import { beginsWith, compareValues, containsValue, valuesEqual } from "../values/compare.ts";
import { textBytes } from "../values/size.ts";
import type { Condition, ConditionFunction, Operand, Path } from "./tree.ts";

/** The value at a path, if the item has one there. */
export function valueAt(item: Attributes, path: Path): AttributeValue | undefined {
  let at = own(item, path[0] as string);
  for (let i = 1; i < path.length && at !== undefined; i += 1) {
    const step = path[i] as string | number;
    if (typeof step === "number") at = at.L?.[step];
    else at = at.M && own(at.M, step);
  }
  return at;
}

/** Whether the item (empty when there is none) satisfies the condition. */
export function isSatisfied(condition: Condition, item: Attributes): boolean {
  switch (condition.kind) {
    case "and":
      return condition.conditions.every((child) => isSatisfied(child, item));
    case "or":
      return condition.conditions.some((child) => isSatisfied(child, item));
    case "not":
      return !isSatisfied(condition.condition, item);
    case "call":
      return evaluateCall(condition.name, condition.operands, item);
    case "compare":
      return evaluateComparison(condition, item);
    case "between":
      return evaluateBetween(condition.operands, item);
    default:
      return evaluateIn(condition.operands, item);
  }
}

function own(attributes: Attributes, name: string): AttributeValue | undefined {
  return Object.hasOwn(attributes, name) ? attributes[name] : undefined;
}

function operandValue(operand: Operand | undefined, item: Attributes): AttributeValue | undefined {
  if (operand?.kind === "path") return valueAt(item, operand.path);
  if (operand?.kind === "value") return operand.value;
  if (operand?.kind === "call" && operand.name === "size")
    return sizeOf(operandValue(operand.operands[0], item));
  return undefined;
}

function evaluateComparison(condition: Extract<Condition, { kind: "compare" }>, item: Attributes): boolean {
  const left = operandValue(condition.operands[0], item);
  const right = operandValue(condition.operands[1], item);
  if (condition.operator === "=")
    return left !== undefined && right !== undefined && valuesEqual(left, right);
  if (condition.operator === "<>")
    return left === undefined || right === undefined || !valuesEqual(left, right);
  const order = left && right && compareValues(left, right);
  if (order === undefined) return false;
  switch (condition.operator) {
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    default:
      return order >= 0;
  }
}

function evaluateBetween(operands: readonly Operand[], item: Attributes): boolean {
  const [value, low, high] = operands.map((operand) => operandValue(operand, item));
  if (!value || !low || !high) return false;
  const fromLow = compareValues(value, low);
  const toHigh = compareValues(value, high);
  return fromLow !== undefined && toHigh !== undefined && fromLow >= 0 && toHigh <= 0;
}

function evaluateIn(operands: readonly Operand[], item: Attributes): boolean {
  const value = operandValue(operands[0], item);
  if (!value) return false;
  return operands.slice(1).some((operand) => {
    const other = operandValue(operand, item);
    return other !== undefined && valuesEqual(value, other);
  });
}

function evaluateCall(name: ConditionFunction, operands: readonly Operand[], item: Attributes): boolean {
  const first = operandValue(operands[0], item);
  const second = operandValue(operands[1], item);
  switch (name) {
    case "attribute_exists":
      return first !== undefined;
    case "attribute_not_exists":
      return first === undefined;
    case "attribute_type":
      return first !== undefined && typeOf(first) === second?.S;
    case "begins_with":
      return first !== undefined && second !== undefined && beginsWith(first, second);
    case "contains":
      return first !== undefined && second !== undefined && containsValue(first, second);
    default:
      return false;
  }
}

/** `size()`: bytes of a text or binary value, members of a set, elements of a list or map. */
function sizeOf(value: AttributeValue | undefined): AttributeValue | undefined {
  const size = value && countOf(value);
  return size === undefined ? undefined : { N: String(size) };
}

function countOf(value: AttributeValue): number | undefined {
  if (value.S !== undefined) return textBytes(value.S);
  if (value.B !== undefined) return value.B.length;
  if (value.M !== undefined) return Object.keys(value.M).length;
  return (value.SS ?? value.NS ?? value.BS ?? value.L)?.length;
}
