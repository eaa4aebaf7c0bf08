/** Reads XML elements by model. */
import { isStructure } from "../model/shape.ts";
import type { ListShape, MapShape, Member, Shape, StructureShape } from "../model/shape.ts";
import { readText } from "./text-value.ts";
import type { XmlElement } from "./xml-parse.ts";

/**
 * Reads the element's content as the shape; elements that the model does not know are passed over.
 * @throws MalformedInput
 */
export function readXml(shape: Shape, element: XmlElement): unknown {
  if (isStructure(shape)) return readStructure(shape, element);
  if (shape.kind === "list") return readItems(shape, element.children);
  if (shape.kind === "map") return readEntries(shape, element.children);
  return readText(shape, element.text);
}

function readStructure(shape: StructureShape, element: XmlElement): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const member of shape.members.values()) {
    const value = readMember(member, element);
    if (value !== undefined) result[member.name] = value;
  }
  return result;
}

function readMember(member: Member, parent: XmlElement): unknown {
  const wanted = member.traits.xmlName ?? member.name;
  if (member.traits.xmlAttribute) {
    const text = parent.attributes[wanted];
    return text === undefined ? undefined : readText(member.shape, text);
  }
  const elements = parent.children.filter((child) => child.name === wanted);
  const first = elements[0];
  if (!first) return undefined;
  if (member.traits.xmlFlattened && member.shape.kind === "list")
    return elements.map((item) => readXml((member.shape as ListShape).member.shape, item));
  if (member.traits.xmlFlattened && member.shape.kind === "map") return readEntries(member.shape, elements);
  return readXml(member.shape, first);
}

function readItems(shape: ListShape, children: readonly XmlElement[]): unknown[] {
  // Whatever the items are called: old clients and the model do not always agree.
  return children.map((item) => readXml(shape.member.shape, item));
}

function readEntries(shape: MapShape, entries: readonly XmlElement[]): Record<string, unknown> {
  const keyName = shape.key.traits.xmlName ?? "key";
  const valueName = shape.value.traits.xmlName ?? "value";
  const result: [string, unknown][] = [];
  for (const entry of entries) {
    const key = entry.children.find((child) => child.name === keyName)?.text;
    const value = entry.children.find((child) => child.name === valueName);
    if (key !== undefined && value) result.push([key, readXml(shape.value.shape, value)]);
  }
  return Object.fromEntries(result);
}
