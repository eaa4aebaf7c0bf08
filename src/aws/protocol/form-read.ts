/** Reads the query protocol's form fields (`Tags.member.1.Key=…`) by model. */
import { isStructure } from "../model/shape.ts";
import type { ListShape, MapShape, Member, Shape, StructureShape } from "../model/shape.ts";
import { MalformedInput } from "./malformed-input.ts";
import { readText } from "./text-value.ts";

/** A field's value, or the fields below a name. */
type Field = string | Map<string, Field>;

const DEPTH_MAX = 64;
const SHOWN_CHARACTERS = 100;
const INDEX = /^\d{1,7}$/;

/**
 * Reads an operation's input.
 * @throws MalformedInput
 */
export function readForm(shape: StructureShape, fields: Iterable<readonly [string, string]>): unknown {
  const root = new Map<string, Field>();
  for (const [name, value] of fields) addField(root, name, value);
  return readStructure(shape, root);
}

function addField(root: Map<string, Field>, name: string, value: string): void {
  let at = root;
  let from = 0;
  let depth = 0;
  for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", from)) {
    if (++depth > DEPTH_MAX)
      throw new MalformedInput(`The parameter ${name.slice(0, SHOWN_CHARACTERS)}… is nested too deeply`);
    const part = name.slice(from, dot);
    let below = at.get(part);
    if (!(below instanceof Map)) {
      below = new Map<string, Field>();
      at.set(part, below);
    }
    at = below;
    from = dot + 1;
  }
  const last = from === 0 ? name : name.slice(from);
  if (!(at.get(last) instanceof Map)) at.set(last, value);
}

function readField(shape: Shape, field: Field): unknown {
  if (isStructure(shape)) return readStructure(shape, field);
  if (shape.kind === "list") return readList(shape, field, false);
  if (shape.kind === "map") return readMap(shape, field, false);
  if (typeof field !== "string") throw new MalformedInput("Unexpected complex element termination");
  return readText(shape, field);
}

function readStructure(shape: StructureShape, field: Field): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  if (typeof field === "string") return result;
  for (const member of shape.members.values()) {
    const found = field.get(member.traits.xmlName ?? member.name) ?? field.get(member.name);
    if (found !== undefined) result[member.name] = readMember(member, found);
  }
  return result;
}

function readMember(member: Member, field: Field): unknown {
  const { shape } = member;
  const flattened = member.traits.xmlFlattened === 1;
  if (shape.kind === "list") return readList(shape, field, flattened);
  if (shape.kind === "map") return readMap(shape, field, flattened);
  return readField(shape, field);
}

/** An empty list is sent as `Name=`. */
function readList(shape: ListShape, field: Field, flattened: boolean): unknown[] {
  if (typeof field === "string") {
    if (field === "") return [];
    throw new MalformedInput("A list must be given as numbered parameters");
  }
  const wanted = shape.member.traits.xmlName ?? "member";
  const items = flattened ? field : (below(field, wanted) ?? below(field, "member") ?? field);
  return numbered(items).map((item) => readField(shape.member.shape, item));
}

function readMap(shape: MapShape, field: Field, flattened: boolean): Record<string, unknown> {
  if (typeof field === "string") return {};
  const keyName = shape.key.traits.xmlName ?? "key";
  const valueName = shape.value.traits.xmlName ?? "value";
  const entries: [string, unknown][] = [];
  for (const entry of numbered(flattened ? field : (below(field, "entry") ?? field))) {
    if (typeof entry === "string") continue;
    const key = entry.get(keyName);
    const value = entry.get(valueName);
    if (typeof key === "string" && value !== undefined)
      entries.push([key, readField(shape.value.shape, value)]);
  }
  return Object.fromEntries(entries);
}

function below(field: Map<string, Field>, name: string): Map<string, Field> | undefined {
  const found = field.get(name);
  return found instanceof Map ? found : undefined;
}

/** In the order of their numbers, which may have gaps. */
function numbered(fields: Map<string, Field>): Field[] {
  return [...fields]
    .filter(([name]) => INDEX.test(name))
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, field]) => field);
}
