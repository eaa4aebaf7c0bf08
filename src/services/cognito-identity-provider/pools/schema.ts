/** The attributes that a pool's users may have. */
import type { SchemaAttributeType } from "@aws-sdk/client-cognito-identity-provider";
import { invalidParameter } from "../errors.ts";
import { ATTRIBUTE_CHARS_MAX, CUSTOM_ATTRIBUTES_MAX, CUSTOM_ATTRIBUTE_NAME_CHARS_MAX } from "../limits.ts";

/** One attribute as DescribeUserPool tells it; custom ones with their prefix. */
export type SchemaAttribute = SchemaAttributeType & { readonly Name: string };

const TEXT_NAMES = [
  "name",
  "given_name",
  "family_name",
  "middle_name",
  "nickname",
  "preferred_username",
  "profile",
  "picture",
  "website",
  "email",
  "gender",
  "zoneinfo",
  "locale",
  "phone_number",
  "address",
];

const plain = { DeveloperOnlyAttribute: false, Mutable: true, Required: false } as const;

function text(Name: string, min: number, max = ATTRIBUTE_CHARS_MAX): SchemaAttribute {
  const StringAttributeConstraints = { MinLength: String(min), MaxLength: String(max) };
  return { Name, AttributeDataType: "String", ...plain, StringAttributeConstraints };
}

/** @see https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html */
const STANDARD: readonly SchemaAttribute[] = [
  { ...text("sub", 1), Mutable: false, Required: true },
  ...TEXT_NAMES.map((name) => text(name, 0)),
  text("birthdate", 10, 10),
  { Name: "email_verified", AttributeDataType: "Boolean", ...plain },
  { Name: "phone_number_verified", AttributeDataType: "Boolean", ...plain },
  {
    Name: "updated_at",
    AttributeDataType: "Number",
    ...plain,
    NumberAttributeConstraints: { MinValue: "0" },
  },
];

const CUSTOM_NAME = /^[\p{L}\p{M}\p{S}\p{N}\p{P}]+$/u;

/** The attributes of a new pool: AWS's own, as far as they are not set otherwise, and custom ones. @throws AwsError */
export function newSchema(asked: readonly SchemaAttributeType[] = []): SchemaAttribute[] {
  const isStandard = ({ Name }: SchemaAttributeType) => STANDARD.some((one) => one.Name === Name);
  const own = STANDARD.map((one) => {
    const wanted = asked.find(({ Name }) => Name === one.Name);
    return wanted ? standardAttribute(one, wanted) : one;
  });
  return withCustom(
    own,
    asked.filter((one) => !isStandard(one)),
  );
}

function standardAttribute(own: SchemaAttribute, wanted: SchemaAttributeType): SchemaAttribute {
  const { AttributeDataType: type = own.AttributeDataType } = wanted;
  if (type !== own.AttributeDataType)
    throw invalidParameter(
      `You can not change AttributeDataType or set developerOnlyAttribute for standard schema attribute ${own.Name}`,
    );
  if (wanted.DeveloperOnlyAttribute === true)
    throw invalidParameter(
      `You can not change AttributeDataType or set developerOnlyAttribute for standard schema attribute ${own.Name}`,
    );
  if (own.Name === "sub") {
    if (wanted.Mutable === true || wanted.Required === false)
      throw invalidParameter("The attribute sub is required and can not be changed");
    return own;
  }
  return {
    ...own,
    Mutable: wanted.Mutable ?? true,
    Required: wanted.Required ?? false,
    ...(wanted.StringAttributeConstraints && {
      StringAttributeConstraints: { ...own.StringAttributeConstraints, ...wanted.StringAttributeConstraints },
    }),
    ...(wanted.NumberAttributeConstraints && {
      NumberAttributeConstraints: { ...own.NumberAttributeConstraints, ...wanted.NumberAttributeConstraints },
    }),
  };
}

/** Adds custom attributes. @throws AwsError where a pool cannot have one */
export function withCustom(
  schema: readonly SchemaAttribute[],
  asked: readonly SchemaAttributeType[],
): SchemaAttribute[] {
  const all = [...schema];
  for (const one of asked) {
    const added = customAttribute(one);
    if (all.some(({ Name }) => Name === added.Name))
      throw invalidParameter(`${added.Name}: Existing attribute already has name ${added.Name}.`);
    all.push(added);
  }
  if (all.length - STANDARD.length > CUSTOM_ATTRIBUTES_MAX)
    throw invalidParameter(`A user pool can have at most ${CUSTOM_ATTRIBUTES_MAX} custom attributes.`);
  return all;
}

function customAttribute(asked: SchemaAttributeType): SchemaAttribute {
  const name = (asked.Name ?? "").replace(/^(dev:)?custom:/, "");
  if (name === "") throw invalidParameter("The name of a custom attribute is missing.");
  if (!CUSTOM_NAME.test(name) || name.length > CUSTOM_ATTRIBUTE_NAME_CHARS_MAX)
    throw invalidParameter(
      `Value '${name}' at 'customAttributes.member.name' failed to satisfy constraint: Member must have length less than or equal to ${CUSTOM_ATTRIBUTE_NAME_CHARS_MAX}`,
    );
  if (asked.Required === true)
    throw invalidParameter("Required custom attributes are not supported currently.");
  const isDeveloperOnly = asked.DeveloperOnlyAttribute ?? false;
  const type = asked.AttributeDataType ?? "String";
  return {
    Name: `${isDeveloperOnly ? "dev:" : ""}custom:${name}`,
    AttributeDataType: type,
    DeveloperOnlyAttribute: isDeveloperOnly,
    Mutable: asked.Mutable ?? true,
    Required: false,
    ...(type === "String" && { StringAttributeConstraints: asked.StringAttributeConstraints ?? {} }),
    ...(type === "Number" && { NumberAttributeConstraints: asked.NumberAttributeConstraints ?? {} }),
  };
}

/** What is wrong with a value, as the end of a sentence; undefined for nothing. */
export function valueFault(attribute: SchemaAttribute, value: string): string | undefined {
  const { StringAttributeConstraints: text, NumberAttributeConstraints: number } = attribute;
  switch (attribute.AttributeDataType) {
    case "Number": {
      if (!/^-?\d+(\.\d+)?$/.test(value)) return "Attribute value is not a number";
      const [min, max] = [number?.MinValue, number?.MaxValue];
      if (min !== undefined && Number(value) < Number(min))
        return `Attribute value cannot be less than ${min}`;
      if (max !== undefined && Number(value) > Number(max))
        return `Attribute value cannot be greater than ${max}`;
      return undefined;
    }
    case "Boolean":
      return /^(true|false)$/i.test(value) ? undefined : "Attribute value is not a boolean";
    case "DateTime":
      return Number.isNaN(Date.parse(value)) ? "Attribute value is not a date and time" : undefined;
    default: {
      const min = Number(text?.MinLength ?? 0);
      const max = Number(text?.MaxLength ?? ATTRIBUTE_CHARS_MAX);
      if (value.length < min) return "String must be of minimum length " + min;
      if (value.length > max) return "String must be of maximum length " + max;
      return undefined;
    }
  }
}
