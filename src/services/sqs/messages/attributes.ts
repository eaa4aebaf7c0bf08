/** Message attributes and system attributes: their rules, and the MD5 that clients verify. */
import { createHash } from "node:crypto";
import { invalidParameter } from "../errors.ts";
import { MESSAGE_ATTRIBUTES_MAX } from "../limits.ts";

export interface AttributeValue {
  readonly DataType?: string | undefined;
  readonly StringValue?: string | undefined;
  readonly BinaryValue?: Uint8Array | undefined;
  readonly StringListValues?: readonly string[] | undefined;
  readonly BinaryListValues?: readonly Uint8Array[] | undefined;
}

export type MessageAttributes = Readonly<Record<string, AttributeValue>>;

/** As it is kept: binary values in base64. */
export interface KeptAttribute {
  readonly t: string;
  readonly s?: string;
  readonly b?: string;
}

export type KeptAttributes = Readonly<Record<string, KeptAttribute>>;

const NAME = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/;
const NAME_CHARS_MAX = 256;
const TYPE_CHARS_MAX = 256;
const TYPE = /^(String|Number|Binary)(\..+)?$/s;
/** 38 digits, and an exponent. */
const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$/;
const NUMBER_DIGITS_MAX = 38;
// eslint-disable-next-line no-control-regex -- exactly these may not be in a message
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

/** The first character that a message may not hold. https://www.w3.org/TR/REC-xml/#charsets */
export function forbiddenCharacter(text: string): string | undefined {
  const found = FORBIDDEN.exec(text)?.[0];
  if (found !== undefined) return `#x${found.charCodeAt(0).toString(16)}`;
  if (text.isWellFormed()) return undefined;
  const lone = /[\ud800-\udfff]/u.exec(text)?.[0] ?? "\ud800";
  return `#x${lone.charCodeAt(0).toString(16)}`;
}

/** @throws AwsError InvalidParameterValue */
export function checkMessageAttributes(attributes: MessageAttributes): void {
  const names = Object.keys(attributes);
  if (names.length > MESSAGE_ATTRIBUTES_MAX)
    throw invalidParameter(
      `Number of message attributes [${names.length}] exceeds the allowed maximum [${MESSAGE_ATTRIBUTES_MAX}].`,
    );
  for (const name of names) {
    checkName(name);
    checkValue(name, attributes[name] ?? {}, "user");
  }
}

/** Only the trace header is there. @throws AwsError InvalidParameterValue */
export function checkSystemAttributes(attributes: MessageAttributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (name !== "AWSTraceHeader")
      throw invalidParameter(`Message system attribute name '${name}' is invalid.`);
    checkValue(name, value, "system");
    if (value.DataType !== "String")
      throw invalidParameter(
        `The message system attribute '${name}' has an invalid message attribute type, the set of supported type is String.`,
      );
  }
}

function checkName(name: string): void {
  if (name.length > NAME_CHARS_MAX)
    throw invalidParameter(
      `The length of message (user) attribute name should not exceed ${NAME_CHARS_MAX} characters.`,
    );
  if (!NAME.test(name) || /^(aws|amazon)\./i.test(name))
    throw invalidParameter(
      `Invalid attribute name '${name}': it can contain the characters A-Z, a-z, 0-9, underscore, hyphen and period, ` +
        "may neither start nor end with a period, have periods in succession, nor start with AWS. or Amazon.",
    );
}

function checkValue(name: string, value: AttributeValue, kind: "user" | "system"): void {
  const { DataType: type, StringValue: text, BinaryValue: binary } = value;
  const subject = `The message ${kind === "user" ? "" : "system "}attribute '${name}'`;
  if (!type) throw invalidParameter(`${subject} must contain non-empty message attribute type.`);
  if (type.length > TYPE_CHARS_MAX)
    throw invalidParameter(
      `The length of the type of ${subject} should not exceed ${TYPE_CHARS_MAX} characters.`,
    );
  const [, base] = TYPE.exec(type) ?? [];
  if (base === undefined)
    throw invalidParameter(
      `${subject} has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.`,
    );
  if (value.StringListValues?.length || value.BinaryListValues?.length)
    throw invalidParameter("Message attribute list values are not supported.");
  const isBinary = base === "Binary";
  const isEmpty = isBinary ? !binary?.length : !text;
  if (isEmpty)
    throw invalidParameter(
      `Message (${kind}) attribute '${name}' must contain a non-empty value of type '${base}'.`,
    );
  if (isBinary ? text !== undefined : binary !== undefined)
    throw invalidParameter(`${subject} has conflicting values for message attribute type '${base}'.`);
  const forbidden = isBinary ? undefined : forbiddenCharacter(text ?? "");
  if (forbidden !== undefined)
    throw invalidParameter(
      `Invalid binary character '${forbidden}' was found in the ${subject.slice(4)} value, the set of allowed characters is ` +
        "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
    );
  if (base === "Number" && !isNumber(text ?? ""))
    throw invalidParameter(`Can't cast the value of message (user) attribute '${name}' to a number.`);
}

function isNumber(text: string): boolean {
  if (!NUMBER.test(text)) return false;
  const digits = text
    .replace(/[eE].*$/, "")
    .replace(/\D/g, "")
    .replace(/^0+/, "");
  return digits.length <= NUMBER_DIGITS_MAX && Math.abs(Number(text)) <= 1e128;
}

/** What attributes add to a message's size: names, types and values. */
export function attributeBytes(attributes: MessageAttributes): number {
  let bytes = 0;
  for (const [name, { DataType = "", StringValue = "", BinaryValue }] of Object.entries(attributes))
    bytes +=
      Buffer.byteLength(name) +
      Buffer.byteLength(DataType) +
      (BinaryValue?.length ?? Buffer.byteLength(StringValue));
  return bytes;
}

/** @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation */
export function attributesMd5(attributes: MessageAttributes): string | undefined {
  const names = Object.keys(attributes).toSorted();
  if (names.length === 0) return undefined;
  const hash = createHash("md5");
  const add = (part: Uint8Array) => {
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32BE(part.length);
    hash.update(length).update(part);
  };
  for (const name of names) {
    const { DataType = "", StringValue, BinaryValue } = attributes[name] ?? {};
    add(Buffer.from(name));
    add(Buffer.from(DataType));
    hash.update(BinaryValue ? BINARY : TEXT);
    add(BinaryValue ?? Buffer.from(StringValue ?? ""));
  }
  return hash.digest("hex");
}

const TEXT = Buffer.from([1]);
const BINARY = Buffer.from([2]);

export function keep(attributes: MessageAttributes): KeptAttributes {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { DataType: t = "", StringValue: s, BinaryValue }]) => [
      name,
      BinaryValue ? { t, b: Buffer.from(BinaryValue).toString("base64") } : { t, s: s ?? "" },
    ]),
  );
}

export function unkeep(kept: KeptAttributes): Record<string, AttributeValue & { DataType: string }> {
  return Object.fromEntries(
    Object.entries(kept).map(([name, { t, s, b }]) => [
      name,
      b === undefined
        ? { DataType: t, StringValue: s ?? "" }
        : { DataType: t, BinaryValue: Buffer.from(b, "base64") },
    ]),
  );
}
