/** Compiles a shape into a function that turns a handler's value into a tree (for JSON or CBOR) of the modelled members only. */
import { isStructure } from "../model/shape.ts";
import type { Member, Shape, StructureShape, TimestampShape } from "../model/shape.ts";
import { asDate } from "./text-value.ts";

/** What differs between the notations that trees are written in. */
export interface TreeWriterNotation {
  memberKey(member: Member): string;
  writeBlob(value: unknown): unknown;
  writeTimestamp(value: Date, shape: TimestampShape): unknown;
  /** Integers beyond a double's digits. */
  writeBigint(value: bigint): unknown;
  /** NaN and the infinities. */
  writeSpecialFloat(value: number): unknown;
}

export type TreeWriter = (value: unknown) => unknown;

/** A compiler for one notation; each shape is compiled once. */
export function createTreeWriters(notation: TreeWriterNotation): (shape: Shape) => TreeWriter {
  const compiled = new Map<Shape, TreeWriter>();
  const compile = (shape: Shape): TreeWriter => {
    let writer = compiled.get(shape);
    if (!writer) {
      writer = createWriter(shape, notation, compile);
      compiled.set(shape, writer);
    }
    return writer;
  };
  return compile;
}

type Compile = (shape: Shape) => TreeWriter;

function createWriter(shape: Shape, notation: TreeWriterNotation, compile: Compile): TreeWriter {
  if (isStructure(shape)) return structureWriter(shape, notation, compile);
  switch (shape.kind) {
    case "list":
      return collectionWriter(shape.member, compile, listWriter);
    case "map":
      return collectionWriter(shape.value, compile, mapWriter);
    case "blob":
      return (value) => notation.writeBlob(value);
    case "timestamp":
      return (value) => notation.writeTimestamp(asDate(value), shape);
    case "integer":
    case "long":
    case "float":
    case "number":
      return numberWriter(notation);
    default:
      return identity;
  }
}

const identity: TreeWriter = (value) => value;

interface Entry {
  readonly key: string;
  readonly write: TreeWriter;
}

function structureWriter(shape: StructureShape, notation: TreeWriterNotation, compile: Compile): TreeWriter {
  let entries: Map<string, Entry> | undefined;
  const prepare = () => {
    entries = new Map();
    for (const member of shape.members.values())
      entries.set(member.name, { key: notation.memberKey(member), write: compile(member.shape) });
    return entries;
  };
  return (value) => {
    const object = value as Record<string, unknown>;
    const known = entries ?? prepare();
    // Most structures are written as they are; a copy is begun at the first member that is not.
    let copy: Record<string, unknown> | undefined;
    for (const name in object) {
      const found = object[name];
      const entry = known.get(name);
      const isLeftOut = entry === undefined || found === undefined || found === null;
      const written = isLeftOut || entry.write === identity ? found : entry.write(found);
      if (!copy) {
        if (!isLeftOut && written === found && entry.key === name) continue;
        copy = membersBefore(object, name);
      }
      if (!isLeftOut) copy[entry.key] = written;
    }
    return copy ?? object;
  };
}

function membersBefore(object: Record<string, unknown>, end: string): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const name in object) {
    if (name === end) break;
    result[name] = object[name];
  }
  return result;
}

/** A list or map is passed on as it is where its elements are; compiled on first use, for recursion. */
function collectionWriter(
  element: Member,
  compile: Compile,
  create: (write: TreeWriter, sparse: boolean) => TreeWriter,
): TreeWriter {
  let writer: TreeWriter | undefined;
  return (value) => {
    if (!writer) {
      const write = compile(element.shape);
      writer = write === identity ? identity : create(write, element.traits.sparse === 1);
    }
    return writer(value);
  };
}

function listWriter(write: TreeWriter, sparse: boolean): TreeWriter {
  return (value) => {
    const result: unknown[] = [];
    let isSame = Array.isArray(value);
    for (const item of value as Iterable<unknown>) {
      const isAbsent = item === null || item === undefined;
      const written = isAbsent ? null : write(item);
      if (written !== item) isSame = false;
      if (!isAbsent || sparse) result.push(written);
      else isSame = false;
    }
    return isSame ? value : result;
  };
}

function mapWriter(write: TreeWriter): TreeWriter {
  return (value) => {
    // A key may be "__proto__": without a prototype it is a key like any other.
    const result = Object.create(null) as Record<string, unknown>;
    const object = value as Record<string, unknown>;
    let isSame = true;
    for (const key of Object.keys(object)) {
      const found = object[key];
      const isAbsent = found === null || found === undefined;
      const written = isAbsent ? found : write(found);
      if (isAbsent || written !== found) isSame = false;
      if (!isAbsent) result[key] = written;
    }
    return isSame ? object : result;
  };
}

function numberWriter(notation: TreeWriterNotation): TreeWriter {
  return (value) => {
    if (typeof value === "bigint") return notation.writeBigint(value);
    if (typeof value === "number") return Number.isFinite(value) ? value : notation.writeSpecialFloat(value);
    throw new TypeError(`a number must not be a ${typeof value}`);
  };
}
