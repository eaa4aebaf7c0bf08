/** What DynamoDB checks in every attribute value of a request, and the form it stores the value in. */
import type { AttributeValue, Attributes } from "./value.ts";
import { compareBytes, emptyAttributes } from "./value.ts";
import type { NumberFault } from "./number.ts";
import { formatNumber, isCanonicalInteger, parseNumber } from "./number.ts";
import { invalid, invalidParameters } from "../errors.ts";

/**
 * Two generations of this check run inside DynamoDB and word bad numbers and duplicates differently: `current` serves
 * the item operations, BatchGetItem and Query; `older` serves BatchWriteItem, the transactions and Scan.
 */
export type Wording = "current" | "older";

/** Levels of nesting, the attribute itself being the first. */
const NESTING_LEVELS_MAX = 32;

const TYPES_FAULT = "must contain exactly one of the supported datatypes";
const OVERFLOW = "Number overflow. Attempting to store a number with magnitude larger than supported range";
const UNDERFLOW =
  "Number underflow. Attempting to store a number with magnitude smaller than supported range";
const PRECISION = "Attempting to store more than 38 significant digits in a Number";
const NOT_NUMERIC = "The parameter cannot be converted to a numeric value";

/** Checks every attribute and answers them as they are stored: numbers in one form. */
export function validateAttributes(attributes: Attributes, wording: Wording): Attributes {
  const valid = emptyAttributes();
  refuseEmptyName(attributes);
  for (const name of Object.keys(attributes))
    valid[name] = validateValue(attributes[name] as AttributeValue, wording);
  return valid;
}

/** Checks one value, nested ones included, and answers it as it is stored. */
export function validateValue(value: AttributeValue, wording: Wording, level = 1): AttributeValue {
  let type: string | undefined;
  for (const name in value) {
    if (value[name as keyof AttributeValue] === undefined || value[name as keyof AttributeValue] === null)
      continue;
    if (type !== undefined)
      throw invalid(`Supplied AttributeValue has more than one datatypes set, ${TYPES_FAULT}`);
    type = name;
  }
  switch (type) {
    case "S":
    case "B":
    case "BOOL":
      return value;
    case "N":
      return { N: validateNumber(value.N as string, wording) };
    case "NULL":
      if (value.NULL !== true)
        throw invalidParameters("Null attribute value types must have the value of true");
      return value;
    case "SS":
      return validateTextSet(value.SS as string[], wording);
    case "NS":
      return validateNumberSet(value.NS as string[], wording);
    case "BS":
      return validateBinarySet(value.BS as Uint8Array[], wording);
    case "L":
      return validateList(value.L as AttributeValue[], wording, level);
    case "M":
      return validateMap(value.M as Attributes, wording, level);
    default:
      throw invalid(`Supplied AttributeValue is empty, ${TYPES_FAULT}`);
  }
}

/** The text a number is stored as. */
function validateNumber(text: string, wording: Wording): string {
  if (isCanonicalInteger(text)) return text;
  const parsed = parseNumber(text);
  if (typeof parsed === "string") throw invalid(numberFaultText(parsed, text, wording));
  return formatNumber(parsed);
}

/** The words for a number that cannot be stored. */
export function numberFaultText(fault: NumberFault, text: string, wording: Wording): string {
  switch (fault) {
    case "overflow":
      return OVERFLOW;
    case "underflow":
      return UNDERFLOW;
    case "precision":
      return PRECISION;
    default:
      return text === "" && wording === "older" ? NOT_NUMERIC : `${NOT_NUMERIC}: ${text}`;
  }
}

function validateTextSet(members: string[], wording: Wording): AttributeValue {
  // The two spaces are AWS's.
  if (members.length === 0) throw invalidParameters("An string set  may not be empty");
  if (new Set(members).size === members.length) return { SS: members };
  const shown =
    wording === "older"
      ? `[${members.join(", ")}]`
      : `[${duplicatesFirst(members, "utf8")
          .map((member) => JSON.stringify(member))
          .join(", ")}]`;
  throw invalidParameters(`Input collection ${shown} contains duplicates.`);
}

function validateNumberSet(members: string[], wording: Wording): AttributeValue {
  if (members.length === 0) throw invalidParameters("An number set  may not be empty");
  const stored = members.map((member) => validateNumber(member, wording));
  if (new Set(stored).size === stored.length) return { NS: stored };
  if (wording === "older") throw invalid("Input collection contains duplicates");
  throw invalidParameters("Input collection contains duplicates.");
}

function validateBinarySet(members: Uint8Array[], wording: Wording): AttributeValue {
  if (members.length === 0) throw invalidParameters("Binary sets should not be empty");
  const texts = members.map((member) => Buffer.from(member).toString("base64"));
  if (new Set(texts).size === texts.length) return { BS: members };
  const shown =
    wording === "older"
      ? `[${texts.join(", ")}]`
      : `[${duplicatesFirst(texts, "base64")
          .map((member) => JSON.stringify(member))
          .join(",")}]`;
  throw invalidParameters(`Input collection ${shown}of type BS contains duplicates.`);
}

/** The members before the first repeat in order, the repeat, then the rest: as AWS prints them. */
function duplicatesFirst(members: readonly string[], encoding: BufferEncoding): string[] {
  const seen = new Set<string>();
  let repeat = 0;
  while (!seen.has(members[repeat] as string)) {
    seen.add(members[repeat] as string);
    repeat += 1;
  }
  const sorted = [...seen].sort((a, b) => compareBytes(Buffer.from(a, encoding), Buffer.from(b, encoding)));
  return [...sorted, ...members.slice(repeat)];
}

function validateList(elements: AttributeValue[], wording: Wording, level: number): AttributeValue {
  checkLevel(level, elements.length > 0);
  return { L: elements.map((element) => validateValue(element, wording, level + 1)) };
}

function validateMap(attributes: Attributes, wording: Wording, level: number): AttributeValue {
  const names = Object.keys(attributes);
  checkLevel(level, names.length > 0);
  const valid = emptyAttributes();
  refuseEmptyName(attributes);
  for (const name of names)
    valid[name] = validateValue(attributes[name] as AttributeValue, wording, level + 1);
  return { M: valid };
}

function refuseEmptyName(attributes: Attributes): void {
  if (Object.hasOwn(attributes, "")) throw invalidParameters("An attribute name must not be empty");
}

/** A container at the last level may be there, but hold nothing. */
function checkLevel(level: number, holdsValues: boolean): void {
  if (holdsValues && level >= NESTING_LEVELS_MAX) throw nestingTooDeep();
}

/** A document with more levels than DynamoDB stores. */
export function nestingTooDeep(): Error {
  return invalid(
    "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit",
  );
}

/** Whether a value's levels exceed the limit when it stands at `level`; for values an update has put together. */
export function exceedsNesting(value: AttributeValue, level = 1): boolean {
  if (level > NESTING_LEVELS_MAX) return true;
  if (value.L) return value.L.some((element) => exceedsNesting(element, level + 1));
  if (value.M) return Object.values(value.M).some((element) => exceedsNesting(element, level + 1));
  return false;
}
