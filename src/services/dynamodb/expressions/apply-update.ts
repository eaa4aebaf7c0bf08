/** Applies update actions to an item. All operands are read from the item as it was before. */
import { invalid } from "../errors.ts";
import type { AttributeValue, Attributes } from "../values/value.ts";
import { copyAttributes, copyValue, typeOf } from "../values/value.ts";
import { addDecimals, decimal, faultOf, formatNumber, negate } from "../values/number.ts";
import { numberFaultText } from "../values/validate.ts";
import { valueAt } from "./evaluate.ts";
import type { Operand, Path, UpdateAction } from "./tree.ts";

const WRONG_TYPE = "An operand in the update expression has an incorrect data type";
const NO_ATTRIBUTE = "The provided expression refers to an attribute that does not exist in the item";
const BAD_PATH = "The document path provided in the update expression is invalid for update";

/** The item with the actions applied; `item` itself is not changed. */
export function applyUpdate(item: Attributes, actions: readonly UpdateAction[]): Attributes {
  const assigned = actions.map((action) =>
    action.section === "SET" ? copyValue(operandValue(action.operand, item)) : undefined,
  );
  const next = copyAttributes(item);
  // List elements are removed from the back, and appended in the order of their indexes, after all else is in place.
  const removals: Path[] = [];
  const appends: { path: Path; value: AttributeValue }[] = [];
  for (const [i, action] of actions.entries()) {
    if (action.section === "SET") setAt(next, action.path, assigned[i] as AttributeValue, appends);
    else if (action.section === "REMOVE") {
      expectParent(next, action.path);
      removals.push(action.path);
    } else if (action.section === "ADD") addTo(next, action.path, action.value, appends);
    else deleteFrom(next, action.path, action.value, removals);
  }
  appends.sort((a, b) => (a.path.at(-1) as number) - (b.path.at(-1) as number));
  for (const { path, value } of appends) parentOf(next, path)?.L?.push(value);
  removals.sort(laterElementFirst);
  for (const path of removals) removeAt(next, path);
  return next;
}

/** The number a and b make, or the fault AWS reports. */
export function addNumbers(a: string, b: string, subtract = false): string {
  const right = decimal(b);
  const sum = addDecimals(decimal(a), subtract ? negate(right) : right);
  const fault = faultOf(sum);
  if (fault) throw invalid(numberFaultText(fault, "", "current"));
  return formatNumber(sum);
}

/** The union of two sets of one type. */
export function unite(a: AttributeValue, b: AttributeValue): AttributeValue {
  if (a.SS && b.SS) return { SS: [...new Set([...a.SS, ...b.SS])] };
  if (a.NS && b.NS) return { NS: [...new Set([...a.NS, ...b.NS])] };
  const members = new Map([...(a.BS ?? []), ...(b.BS ?? [])].map((member) => [bytesText(member), member]));
  return { BS: [...members.values()] };
}

/** What is left of set `a` without the members of `b`; undefined when nothing is. */
export function subtractSet(a: AttributeValue, b: AttributeValue): AttributeValue | undefined {
  if (a.BS && b.BS) {
    const gone = new Set(b.BS.map(bytesText));
    const rest = a.BS.filter((member) => !gone.has(bytesText(member)));
    return rest.length > 0 ? { BS: rest } : undefined;
  }
  const gone = new Set(b.SS ?? b.NS);
  const rest = (a.SS ?? a.NS ?? []).filter((member) => !gone.has(member));
  if (rest.length === 0) return undefined;
  return a.SS ? { SS: rest } : { NS: rest };
}

function bytesText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

function operandValue(operand: Operand, item: Attributes): AttributeValue {
  switch (operand.kind) {
    case "value":
      return operand.value;
    case "path": {
      const value = valueAt(item, operand.path);
      if (!value) throw invalid(NO_ATTRIBUTE);
      return value;
    }
    case "arithmetic": {
      const [left, right] = operand.operands as [Operand, Operand];
      const a = typedValue(left, item, "N");
      const b = typedValue(right, item, "N");
      return { N: addNumbers(a.N as string, b.N as string, operand.operator === "-") };
    }
    default:
      return callValue(operand, item);
  }
}

function callValue(call: Extract<Operand, { kind: "call" }>, item: Attributes): AttributeValue {
  const [first, second] = call.operands as [Operand, Operand];
  if (call.name === "if_not_exists") {
    const present = first.kind === "path" ? valueAt(item, first.path) : undefined;
    return present ?? operandValue(second, item);
  }
  const head = typedValue(first, item, "L");
  const tail = typedValue(second, item, "L");
  return { L: [...(head.L ?? []), ...(tail.L ?? [])] };
}

function typedValue(operand: Operand, item: Attributes, type: "N" | "L"): AttributeValue {
  const value = operandValue(operand, item);
  if (value[type] === undefined) throw invalid(WRONG_TYPE);
  return value;
}

/** The map or list that holds the place; undefined when there is none. The item itself counts as a map. */
function parentOf(item: Attributes, path: Path): AttributeValue | undefined {
  return path.length === 1 ? { M: item } : valueAt(item, path.slice(0, -1));
}

/** The map or list that holds the place, which must be there and be what the path says. */
function expectParent(item: Attributes, path: Path): AttributeValue {
  const parent = parentOf(item, path);
  if (!parent || (typeof path.at(-1) === "string" ? !parent.M : !parent.L)) throw invalid(BAD_PATH);
  return parent;
}

function setAt(
  item: Attributes,
  path: Path,
  value: AttributeValue,
  appends: { path: Path; value: AttributeValue }[],
): void {
  const { M: map, L: list = [] } = expectParent(item, path);
  const step = path.at(-1) as string | number;
  if (typeof step === "string") {
    if (map) map[step] = value;
  }
  // An index past the end appends; nothing is padded in between.
  else if (step < list.length) list[step] = value;
  else appends.push({ path, value });
}

function addTo(
  item: Attributes,
  path: Path,
  value: AttributeValue,
  appends: { path: Path; value: AttributeValue }[],
): void {
  const present = valueAt(item, path);
  if (!present) setAt(item, path, value, appends);
  else if (typeOf(present) !== typeOf(value)) throw invalid(WRONG_TYPE);
  else {
    const sum =
      present.N === undefined ? unite(present, value) : { N: addNumbers(present.N, value.N as string) };
    setAt(item, path, sum, appends);
  }
}

function deleteFrom(item: Attributes, path: Path, value: AttributeValue, removals: Path[]): void {
  expectParent(item, path);
  const present = valueAt(item, path);
  if (!present) return;
  if (typeOf(present) !== typeOf(value)) throw invalid(WRONG_TYPE);
  const rest = subtractSet(present, value);
  if (rest) setAt(item, path, rest, []);
  else removals.push(path);
}

function removeAt(item: Attributes, path: Path): void {
  const parent = parentOf(item, path);
  const step = path.at(-1) as string | number;
  if (typeof step === "string") delete parent?.M?.[step];
  else if (step < (parent?.L?.length ?? 0)) parent?.L?.splice(step, 1);
}

/** Orders removals so that taking out one element does not move another that is still to go. */
function laterElementFirst(a: Path, b: Path): number {
  for (let i = 0; i < a.length && i < b.length; i += 1) {
    const [x, y] = [a[i], b[i]];
    if (x === y) continue;
    return typeof x === "number" && typeof y === "number" ? y - x : String(x) < String(y) ? -1 : 1;
  }
  return b.length - a.length;
}
