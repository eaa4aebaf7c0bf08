/** Message attributes: their rules, and what they add to a message's size. */
import { invalidValue } from "../errors.ts";

/** As they are kept, with binary values in base64. */
export type MessageAttributes = Readonly<
  Record<string, { readonly DataType: string; readonly StringValue?: string; readonly BinaryValue?: string }>
>;

export interface AttributeInput {
  readonly DataType?: string | undefined;
  readonly StringValue?: string | undefined;
  readonly BinaryValue?: Uint8Array | undefined;
}

const NAME_CHARS_MAX = 256;
const TYPE = /^(String|Number|Binary)(\..+)?$/s;
const TYPE_CHARS_MAX = 256;
const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$/;

/** @throws AwsError ParameterValueInvalid */
export function readAttributes(
  given: Readonly<Record<string, AttributeInput>> | undefined,
): MessageAttributes {
  return Object.fromEntries(
    Object.entries(given ?? {}).map(([name, value]) => {
      checkName(name);
      return [name, readValue(name, value)];
    }),
  );
}

function checkName(name: string): void {
  if (name.length > NAME_CHARS_MAX)
    throw invalidValue(`Length of message attribute name must be less than ${NAME_CHARS_MAX} bytes.`);
  const [other] = /[^A-Za-z0-9_.-]/u.exec(name) ?? [];
  if (other !== undefined)
    throw invalidValue(
      `Invalid non-alphanumeric character '#x${other.codePointAt(0)?.toString(16).toUpperCase()}' was found in the message attribute name. ` +
        "Can only include alphanumeric characters, hyphens, underscores, or dots.",
    );
  if (name.startsWith("."))
    throw invalidValue("Invalid message attribute name starting with character '.' was found.");
  if (name.endsWith("."))
    throw invalidValue("Invalid message attribute name ending with character '.' was found.");
  if (name.includes(".."))
    throw invalidValue("Message attribute name can not have successive '.' character.");
  if (/^(aws|amazon)\./i.test(name))
    throw invalidValue("Invalid message attribute name starting with 'AWS.' or 'Amazon.' was found.");
}

function readValue(
  name: string,
  { DataType, StringValue, BinaryValue }: AttributeInput,
): MessageAttributes[string] {
  if (!DataType)
    throw invalidValue(`The message attribute '${name}' must contain non-empty message attribute type.`);
  const base = DataType.length > TYPE_CHARS_MAX ? undefined : TYPE.exec(DataType)?.[1];
  if (base === undefined)
    throw invalidValue(
      `The message attribute '${name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.`,
    );
  if (base === "Binary") {
    if (!BinaryValue?.length) throw empty(name, base);
    if (StringValue !== undefined) throw conflicting(name, DataType);
    return { DataType, BinaryValue: Buffer.from(BinaryValue).toString("base64") };
  }
  if (!StringValue) throw empty(name, base);
  if (BinaryValue !== undefined) throw conflicting(name, DataType);
  if (base === "Number" && !NUMBER.test(StringValue))
    throw invalidValue(`Could not cast message attribute '${name}' value to number.`);
  return { DataType, StringValue };
}

function empty(name: string, base: string): Error {
  return invalidValue(
    `The message attribute '${name}' must contain non-empty message attribute value for message attribute type '${base}'.`,
  );
}

function conflicting(name: string, type: string): Error {
  return invalidValue(
    `The message attribute '${name}' with type '${type}' must use field '${type.startsWith("Binary") ? "Binary" : "String"}'.`,
  );
}

/** Bytes of names, types and values. */
export function attributeBytes(attributes: MessageAttributes): number {
  return Object.entries(attributes).reduce(
    (bytes, [name, { DataType, StringValue = "", BinaryValue }]) =>
      bytes +
      Buffer.byteLength(name) +
      Buffer.byteLength(DataType) +
      (BinaryValue === undefined ? Buffer.byteLength(StringValue) : Buffer.byteLength(BinaryValue, "base64")),
    0,
  );
}
