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
  if (shape.kind === "list") return itemsWriter(shape, shape.member.traits.xmlName ?? "member");
  if (shape.kind === "map") return entriesWriter(shape, "entry");
  if (shape.kind === "string") return (value) => escapeXml(String(value));
  // No other simple value has a character to escape.
  return (value) => writeText(shape, value, "date-time");
}

function structureWriter(shape: StructureShape): Writer {
  let members: { readonly name: string; readonly write: Writer }[] | undefined;
  // Compiled on first use, for recursion.
  const prepare = () =>
    (members = [...shape.members.values()]
      .filter((member) => !member.traits.xmlAttribute)
      .map((member) => ({ name: member.name, write: memberWriter(member) })));
  return (value) => {
    const object = value as Record<string, unknown>;
    let text = "";
    for (const { name, write } of members ?? prepare()) {
      const found = object[name];
      if (found !== undefined && found !== null) text += write(found);
    }
    return text;
  };
}

function memberWriter(member: Member): Writer {
  const { shape, traits } = member;
  const name = traits.xmlName ?? member.name;
  if (traits.xmlFlattened && shape.kind === "list") return itemsWriter(shape, name);
  if (traits.xmlFlattened && shape.kind === "map") return entriesWriter(shape, name);
  return elementWriter(member, name);
}

/** Writes the element of a member: its tags are made once. */
function elementWriter(member: Member, name: string): Writer {
  const write = contentWriter(member.shape);
  const attributes = attributeWriter(member);
  const close = `</${name}>`;
  if (typeof attributes === "string") {
    const open = `<${name}${attributes}>`;
    const empty = `<${name}${attributes}/>`;
    return (value) => {
      const content = write(value);
      return content === "" ? empty : open + content + close;
    };
  }
  return (value) => xmlElement(name, write(value), attributes(value));
}

/** Namespace of the member, and those of its own members that are attributes; text where no value is needed. */
function attributeWriter(member: Member): string | ((value: unknown) => string) {
  const namespace = namespaceAttribute(member.traits.xmlNamespace);
  const { shape } = member;
  const inside = isStructure(shape)
    ? [...shape.members.values()].filter((inner) => inner.traits.xmlAttribute)
    : [];
  if (inside.length === 0) return namespace;
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

function itemsWriter(shape: ListShape, name: string): Writer {
  let write: Writer | undefined;
  return (value) => {
    write ??= elementWriter(shape.member, name);
    let text = "";
    for (const item of value as Iterable<unknown>)
      if (item !== undefined && item !== null) text += write(item);
    return text;
  };
}

function entriesWriter(shape: MapShape, name: string): Writer {
  const keyName = shape.key.traits.xmlName ?? "key";
  const valueName = shape.value.traits.xmlName ?? "value";
  let write: Writer | undefined;
  return (value) => {
    write ??= elementWriter(shape.value, valueName);
    let text = "";
    for (const [key, found] of Object.entries(value as object) as [string, unknown][])
      if (found !== undefined && found !== null)
        text += xmlElement(name, xmlElement(keyName, escapeXml(key)) + write(found));
    return text;
  };
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
