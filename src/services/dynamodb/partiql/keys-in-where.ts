/** What a WHERE clause says about keys: the one item of a write, the partitions and range of a read. */
import { invalid } from "../errors.ts";
import type { Condition } from "../expressions/tree.ts";
import type { Comparison } from "../legacy/conditions.ts";
import type { Key, KeyAttribute } from "../tables/definition.ts";
import { keyAttributes } from "../tables/definition.ts";
import type { AttributeValue, Attributes } from "../values/value.ts";
import { emptyAttributes, typeOf } from "../values/value.ts";
import { INCOMPLETE_KEY } from "./faults.ts";

/** The one item that a WHERE clause names by its whole key, and what else it asks. */
export interface ItemInWhere {
  readonly key: Attributes;
  readonly rest: Condition | undefined;
}

/** @throws AwsError ValidationException where the clause does not hold every key attribute equal to one value */
export function itemInWhere(where: Condition | undefined, key: Key): ItemInWhere {
  const found = emptyAttributes();
  const rest: Condition[] = [];
  const names = new Map(keyAttributes(key).map((attribute) => [attribute.name, attribute]));
  for (const term of termsOf(where)) {
    const equality = equalityOf(term);
    const attribute = equality && names.get(equality.name);
    if (!equality || !attribute) rest.push(term);
    else if (Object.hasOwn(found, attribute.name))
      throw invalid(
        `Multiple conditions on same key ${attribute.name}. Only single item Update/Insert/Delete are supported`,
      );
    else found[attribute.name] = ofType(equality.value, attribute);
  }
  if (Object.keys(found).length < names.size) throw invalid(INCOMPLETE_KEY);
  return { key: found, rest: joined(rest) };
}

/** What a read has to look at. */
export interface RangeInWhere {
  /** The partitions, in the order of the clause; undefined for all. */
  readonly partitions: readonly AttributeValue[] | undefined;
  /** What it says of the sort key within each. */
  readonly sort: Comparison | undefined;
  /** What is left to be asked of each item. */
  readonly filter: Condition | undefined;
}

export function rangeInWhere(where: Condition | undefined, key: Key): RangeInWhere {
  const rest = termsOf(where);
  const partitions = takeFirst(rest, (term) => partitionsOf(term, key.partition));
  if (!partitions) return { partitions: undefined, sort: undefined, filter: where };
  const sort = key.sort && takeFirst(rest, (term) => comparisonOf(term, key.sort as KeyAttribute));
  return { partitions, sort, filter: joined(rest) };
}

/** Whether a clause names partitions, without which a read looks at everything. */
export function namesPartitions(where: Condition | undefined, key: Key): boolean {
  return partitionsIn(where, key) !== undefined;
}

/** The partitions that a clause names. */
export function partitionsIn(where: Condition | undefined, key: Key): readonly AttributeValue[] | undefined {
  return takeFirst(termsOf(where), (term) => partitionsOf(term, key.partition));
}

/** Conditions of which all must hold. */
function termsOf(where: Condition | undefined): Condition[] {
  if (!where) return [];
  return where.kind === "and" ? where.conditions.flatMap(termsOf) : [where];
}

function joined(conditions: readonly Condition[]): Condition | undefined {
  return conditions.length > 1 ? { kind: "and", conditions } : conditions[0];
}

/** Takes out the first term that means something. */
function takeFirst<T>(terms: Condition[], read: (term: Condition) => T | undefined): T | undefined {
  for (const [i, term] of terms.entries()) {
    const found = read(term);
    if (found === undefined) continue;
    terms.splice(i, 1);
    return found;
  }
  return undefined;
}

function equalityOf(term: Condition): { name: string; value: AttributeValue } | undefined {
  if (term.kind !== "compare" || term.operator !== "=") return undefined;
  const [left, right] = term.operands;
  const [path, value] = left?.kind === "path" ? [left, right] : [right, left];
  if (path?.kind !== "path" || path.path.length > 1 || value?.kind !== "value") return undefined;
  return { name: path.path[0] as string, value: value.value };
}

function partitionsOf(term: Condition, attribute: KeyAttribute): AttributeValue[] | undefined {
  const equality = equalityOf(term);
  if (equality) return equality.name === attribute.name ? [ofType(equality.value, attribute)] : undefined;
  if (term.kind !== "in") return undefined;
  const [first, ...members] = term.operands;
  if (first?.kind !== "path" || first.path.length > 1 || first.path[0] !== attribute.name) return undefined;
  const values = members.flatMap((member) =>
    member.kind === "value" ? [ofType(member.value, attribute)] : [],
  );
  const unique = new Map(values.map((value) => [JSON.stringify([value.S, value.N, textOf(value.B)]), value]));
  return [...unique.values()];
}

function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes).toString("base64");
}

const OPERATORS = { "=": "EQ", "<": "LT", "<=": "LE", ">": "GT", ">=": "GE" } as const;

/** A comparison of the sort key by which a range can be read. */
function comparisonOf(term: Condition, attribute: KeyAttribute): Comparison | undefined {
  if (term.kind !== "compare" && term.kind !== "between" && term.kind !== "call") return undefined;
  const [first, ...others] = term.operands;
  if (first?.kind !== "path" || first.path.length > 1 || first.path[0] !== attribute.name) return undefined;
  const values = others.flatMap((operand) => (operand.kind === "value" ? [operand.value] : []));
  if (values.length !== others.length || values.some((value) => typeOf(value) !== attribute.type))
    return undefined;
  if (term.kind === "between") return { operator: "BETWEEN", values };
  if (term.kind === "call")
    return term.name === "begins_with" && attribute.type !== "N"
      ? { operator: "BEGINS_WITH", values }
      : undefined;
  return term.operator === "<>" ? undefined : { operator: OPERATORS[term.operator], values };
}

function ofType(value: AttributeValue, { name, type }: KeyAttribute): AttributeValue {
  if (typeOf(value) !== type)
    throw invalid(`Key attribute's data type should match its data type in table's schema: Key ${name}`);
  return value;
}
