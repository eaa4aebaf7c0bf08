/** Compiles shapes into functions that write a value as XML elements. */
import { isStructure } from "../model/shape.ts";
import type { ListShape, MapShape, Member, Shape, StructureShape } from "../model/shape.ts";
import { writeText } from "./text-value.ts";

export const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** Writes what stands inside the element of a value of the shape. */
export function xmlContent(shape: Shape, value: unknown): string {
  return contentWriter(shape)(value);
}

/** One element: `attributes` begins with a space where it is not empty. */
export function xmlElement(name: string, content: string, attributes = ""): string {
  return content === "" ? `<${name}${attributes}/>` : `<${name}${attributes}>${content}</${name}>`;
}

type Writer = (value: unknown) => string;

const compiled = new WeakMap<Shape, Writer>();

function contentWriter(shape: Shape): Writer {
  let writer = compiled.get(shape);
  if (!writer) {
    writer = createWriter(shape);
    compiled.set(shape, writer);
  }
  return writer;
}

function createWriter(shape: Shape): Writer {
  if (isStructure(shape)) return structureWriter(shape);
  if (shape.kind === "list") {
    const name = shape.member.traits.xmlName ?? "member";
    return (value) => listItems(shape, name, value);
  }
  if (shape.kind === "map") return (value) => mapEntries(shape, "entry", value);
  if (shape.kind === "string") return (value) => escapeXml(String(value));
  return (value) => escapeXml(writeText(shape, value, "date-time"));
}

function structureWriter(shape: StructureShape): Writer {
  const members = [...shape.members.values()].filter((member) => !member.traits.xmlAttribute);
  let writers: ((value: unknown) => string)[] | undefined;
  return (value) => {
    const object = value as Record<string, unknown>;
    writers ??= members.map(memberWriter);
    let text = "";
    for (let i = 0; i < members.length; i++) {
      const found = object[members[i]?.name ?? ""];
      if (found !== undefined && found !== null) text += writers[i]?.(found) ?? "";
    }
    return text;
  };
}

function memberWriter(member: Member): Writer {
  const { shape, traits } = member;
  const name = traits.xmlName ?? member.name;
  if (traits.xmlFlattened && shape.kind === "list") return (value) => listItems(shape, name, value);
  if (traits.xmlFlattened && shape.kind === "map") return (value) => mapEntries(shape, name, value);
  const attributes = attributeWriter(member);
  return (value) => xmlElement(name, contentWriter(shape)(value), attributes(value));
}

/** Namespace of the member, and those of its own members that are attributes. */
function attributeWriter(member: Member): Writer {
  const namespace = namespaceAttribute(member.traits.xmlNamespace);
  const { shape } = member;
  const inside = isStructure(shape)
    ? [...shape.members.values()].filter((inner) => inner.traits.xmlAttribute)
    : [];
  if (inside.length === 0) return () => namespace;
  return (value) =>
    inside.reduce((text, inner) => {
      const found = (value as Record<string, unknown>)[inner.name];
      if (found === undefined || found === null) return text;
      const content = writeText(inner.shape, found, "date-time");
      return `${text} ${inner.traits.xmlName ?? inner.name}="${escapeXml(content).replace(/"/g, "&quot;")}"`;
    }, namespace);
}

export function namespaceAttribute(namespace: string | readonly [string, string] | undefined): string {
  if (namespace === undefined) return "";
  if (typeof namespace === "string") return ` xmlns="${namespace}"`;
  const [prefix, uri] = namespace;
  return ` xmlns${prefix === "" ? "" : `:${prefix}`}="${uri}"`;
}

function listItems(shape: ListShape, name: string, value: unknown): string {
  const attributes = attributeWriter(shape.member);
  const write = contentWriter(shape.member.shape);
  let text = "";
  for (const item of value as Iterable<unknown>)
    if (item !== undefined && item !== null) text += xmlElement(name, write(item), attributes(item));
  return text;
}

function mapEntries(shape: MapShape, name: string, value: unknown): string {
  const keyName = shape.key.traits.xmlName ?? "key";
  const valueName = shape.value.traits.xmlName ?? "value";
  const write = contentWriter(shape.value.shape);
  let text = "";
  for (const [key, found] of Object.entries(value as object) as [string, unknown][])
    if (found !== undefined && found !== null)
      text += xmlElement(name, xmlElement(keyName, escapeXml(key)) + xmlElement(valueName, write(found)));
  return text;
}

/* eslint-disable no-control-regex -- XML cannot carry them as they are */
const SPECIAL = /[&<>\r\u0085\u2028]|[\u0000-\u0008\u000B\u000C\u000E-\u001F]/g;
const NEEDS_ESCAPE = /[&<>\r\u0085\u2028\u0000-\u0008\u000B\u000C\u000E-\u001F]/;
/* eslint-enable no-control-regex */
const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/** Escapes text; line ends that a parser would change become references, as AWS writes them. */
export function escapeXml(text: string): string {
  if (!NEEDS_ESCAPE.test(text)) return text;
  return text.replace(
    SPECIAL,
    (character) => ESCAPES[character] ?? `&#x${character.charCodeAt(0).toString(16)};`,
  );
}
