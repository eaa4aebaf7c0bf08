/** The names (`#n`) and values (`:v`) that a request's expressions use, and which of them have been used. */
import { invalid } from "../errors.ts";
import type { AttributeValue } from "../values/value.ts";
import type { Wording } from "../values/validate.ts";
import { validateValue } from "../values/validate.ts";
import { ExpressionError } from "./lexer.ts";

const NAME_FORM = /^#[0-9a-zA-Z_]+$/;
const VALUE_FORM = /^:[0-9a-zA-Z_]+$/;

/** The members of a request that hold them. */
export interface SubstituteMembers {
  readonly ExpressionAttributeNames?: Record<string, string> | undefined;
  readonly ExpressionAttributeValues?: Record<string, AttributeValue> | undefined;
}

/** Names and values of one request; expressions ask for them, and at the end none may be left over. */
export class Substitutes {
  readonly #names: ReadonlyMap<string, string>;
  readonly #values: ReadonlyMap<string, AttributeValue>;
  readonly #unusedNames: Set<string>;
  readonly #unusedValues: Set<string>;

  /** Checks forms and values. */
  constructor(members: SubstituteMembers, wording: Wording) {
    this.#names = readNames(members.ExpressionAttributeNames);
    this.#values = readValues(members.ExpressionAttributeValues, wording);
    this.#unusedNames = new Set(this.#names.keys());
    this.#unusedValues = new Set(this.#values.keys());
  }

  name(substitute: string): string {
    const name = this.#names.get(substitute);
    if (name === undefined)
      throw new ExpressionError(
        `An expression attribute name used in the document path is not defined; attribute name: ${substitute}`,
      );
    this.#unusedNames.delete(substitute);
    return name;
  }

  value(substitute: string): AttributeValue {
    const value = this.#values.get(substitute);
    if (value === undefined)
      throw new ExpressionError(
        `An expression attribute value used in expression is not defined; attribute value: ${substitute}`,
      );
    this.#unusedValues.delete(substitute);
    return value;
  }

  /** Refuses what no expression has used. */
  expectAllUsed(): void {
    if (this.#unusedNames.size > 0) throw unused("ExpressionAttributeNames", this.#unusedNames);
    if (this.#unusedValues.size > 0) throw unused("ExpressionAttributeValues", this.#unusedValues);
  }
}

function unused(member: string, keys: ReadonlySet<string>): Error {
  return invalid(`Value provided in ${member} unused in expressions: keys: {${[...keys].join(", ")}}`);
}

function readNames(names: Record<string, string> | undefined): Map<string, string> {
  if (!names) return new Map();
  const read = new Map(Object.entries(names));
  if (read.size === 0) throw invalid("ExpressionAttributeNames must not be empty");
  for (const [key, name] of read) {
    if (!NAME_FORM.test(key))
      throw invalid(`ExpressionAttributeNames contains invalid key: Syntax error; key: "${key}"`);
    if (name === "")
      throw invalid(`ExpressionAttributeNames contains invalid value: Empty attribute name for key ${key}`);
  }
  return read;
}

function readValues(
  values: Record<string, AttributeValue> | undefined,
  wording: Wording,
): Map<string, AttributeValue> {
  if (!values) return new Map();
  const read = new Map(Object.entries(values));
  if (read.size === 0) throw invalid("ExpressionAttributeValues must not be empty");
  for (const key of read.keys())
    if (!VALUE_FORM.test(key))
      throw invalid(`ExpressionAttributeValues contains invalid key: Syntax error; key: "${key}"`);
  for (const [key, value] of read) read.set(key, readValue(key, value, wording));
  return read;
}

/** The older check names the key that a bad value stands under; so does the newer, but not for numbers and sets. */
function readValue(key: string, value: AttributeValue, wording: Wording): AttributeValue {
  try {
    return validateValue(value, wording);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const bare = wording === "current" && BARE_FAULT.test(error.message);
    if (bare) throw error;
    throw invalid(`ExpressionAttributeValues contains invalid value: ${error.message} for key ${key}`);
  }
}

const BARE_FAULT =
  /numeric value|significant digits|Number (?:over|under)flow|contains duplicates|^Nesting Levels/;
