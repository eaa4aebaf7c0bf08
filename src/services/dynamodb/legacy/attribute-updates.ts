/** `AttributeUpdates`, the parameter that updates were written in before expressions. */
import type { AttributeValue, AttributeValueUpdate } from "@aws-sdk/client-dynamodb";
import { invalid, invalidParameters } from "../errors.ts";
import { addNumbers, subtractSet, unite } from "../expressions/apply-update.ts";
import { validateValue } from "../values/validate.ts";
import type { AttributeType, Attributes } from "../values/value.ts";
import { copyAttributes, typeOf } from "../values/value.ts";

/** One checked update of one attribute. */
export type AttributeUpdate =
  | { readonly action: "PUT"; readonly name: string; readonly value: AttributeValue }
  | { readonly action: "ADD"; readonly name: string; readonly value: AttributeValue }
  | { readonly action: "DELETE"; readonly name: string; readonly value: AttributeValue | undefined };

const SETS: ReadonlySet<AttributeType> = new Set(["SS", "NS", "BS"]);
const ADDABLE: ReadonlySet<AttributeType> = new Set([...SETS, "N", "L"]);

/** Reads `AttributeUpdates`. */
export function readAttributeUpdates(
  updates: Record<string, AttributeValueUpdate> | undefined,
): AttributeUpdate[] {
  return Object.entries(updates ?? {}).map(([name, { Action = "PUT", Value }]) => {
    const value = Value && validateValue(Value, "current");
    if (!value) {
      if (Action !== "DELETE")
        throw invalidParameters("Only DELETE action is allowed when no attribute value is specified");
      return { action: "DELETE", name, value: undefined };
    }
    const type = typeOf(value);
    if (Action === "DELETE" && !SETS.has(type))
      throw invalidParameters(`DELETE action with value is not supported for the type ${type}`);
    if (Action === "ADD" && !ADDABLE.has(type))
      throw invalidParameters(`ADD action is not supported for the type ${type}`);
    return { action: Action, name, value };
  });
}

/** The item with the updates applied; `item` itself is not changed. */
export function applyAttributeUpdates(item: Attributes, updates: readonly AttributeUpdate[]): Attributes {
  const next = copyAttributes(item);
  for (const update of updates) {
    const present = Object.hasOwn(next, update.name) ? next[update.name] : undefined;
    const value = updated(present, update);
    if (value) next[update.name] = value;
    else delete next[update.name];
  }
  return next;
}

function updated(present: AttributeValue | undefined, update: AttributeUpdate): AttributeValue | undefined {
  const { action, value } = update;
  if (action === "PUT") return value;
  if (!value || !present) return action === "ADD" ? value : undefined;
  if (typeOf(present) !== typeOf(value)) throw invalid("Type mismatch for attribute to update");
  if (action === "DELETE") return subtractSet(present, value);
  if (present.N !== undefined) return { N: addNumbers(present.N, value.N as string) };
  return present.L ? { L: [...present.L, ...(value.L ?? [])] } : unite(present, value);
}
