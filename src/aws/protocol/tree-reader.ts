/** Compiles a shape into a function that checks and converts a parsed tree (from JSON or CBOR), in place where it can. */
import { isStructure } from "../model/shape.ts";
import type { ListShape, MapShape, Member, Shape, StructureShape } from "../model/shape.ts";
import { MalformedInput } from "./malformed-input.ts";

/** What differs between the notations that parse into trees. */
export interface TreeNotation {
  /** The key of a structure's member. */
  memberKey(member: Member): string;
  readBlob(value: unknown): Uint8Array;
  readTimestamp(value: unknown): Date;
}

export type TreeReader = (value: unknown) => unknown;

const INTEGER_MAX = 2 ** 31 - 1;
/** Deeper input is refused, as AWS does; no modelled document comes near. */
const DEPTH_MAX = 200;

/**
 * A compiler for one notation; each shape is compiled once. The readers tolerate members that the model
 * does not know (and drop them), take null as absent, and throw MalformedInput on a wrong type.
 */
export function createTreeReaders(notation: TreeNotation): (shape: Shape) => TreeReader {
  const compiled = new Map<Shape, TreeReader>();
  const compiler: Compiler = {
    notation,
    depth: 0,
    compile(shape) {
      let reader = compiled.get(shape);
      if (!reader) {
        reader = createReader(shape, compiler);
        compiled.set(shape, reader);
      }
      return reader;
    },
  };
  return (shape) => {
    const reader = compiler.compile(shape);
    return (value) => {
      compiler.depth = 0;
      return reader(value);
    };
  };
}

interface Compiler {
  readonly notation: TreeNotation;
  /** Structures that the value being read is in; readers never wait, so one counter is enough. */
  depth: number;
  compile(shape: Shape): TreeReader;
}

function createReader(shape: Shape, compiler: Compiler): TreeReader {
  if (isStructure(shape)) return structureReader(shape, compiler);
  switch (shape.kind) {
    case "list":
      return listReader(shape, compiler);
    case "map":
      return mapReader(shape, compiler);
    case "blob":
      return (value) => compiler.notation.readBlob(value);
    case "timestamp":
      return (value) => compiler.notation.readTimestamp(value);
    case "document":
      return plainDocument;
    default:
      return SCALARS[shape.kind];
  }
}

interface Entry {
  readonly name: string;
  readonly read: TreeReader;
  readonly isString: boolean;
}

function structureReader(shape: StructureShape, compiler: Compiler): TreeReader {
  let entries: Map<string, Entry> | undefined;
  let renamed = false;
  // Members are compiled on first use: shapes may be recursive.
  const prepare = () => {
    entries = new Map();
    for (const member of shape.members.values()) {
      const key = compiler.notation.memberKey(member);
      renamed ||= key !== member.name;
      const isString = member.shape.kind === "string";
      entries.set(key, { name: member.name, read: compiler.compile(member.shape), isString });
    }
    return entries;
  };
  return (value) => {
    const object = asObject(value);
    const known = entries ?? prepare();
    const target: Record<string, unknown> = renamed ? {} : object;
    if (++compiler.depth > DEPTH_MAX) throw new MalformedInput("The request is nested too deeply");
    for (const key in object) {
      const found = object[key];
      const entry = known.get(key);
      if (!entry || found === null || found === undefined) {
        if (!renamed) delete object[key];
      } else if (!entry.isString || typeof found !== "string") target[entry.name] = entry.read(found);
      else if (renamed) target[entry.name] = found;
    }
    compiler.depth--;
    return target;
  };
}

function listReader(shape: ListShape, compiler: Compiler): TreeReader {
  const sparse = shape.member.traits.sparse === 1;
  let read: TreeReader | undefined;
  return (value) => {
    if (!Array.isArray(value)) throw new MalformedInput(wrongContainer(value));
    read ??= compiler.compile(shape.member.shape);
    for (let i = 0; i < value.length; i++) {
      const item = value[i] as unknown;
      if (item !== null) value[i] = read(item);
      else if (!sparse) throw new MalformedInput("A list must not contain null");
    }
    return value;
  };
}

function mapReader(shape: MapShape, compiler: Compiler): TreeReader {
  let read: TreeReader | undefined;
  return (value) => {
    const object = asObject(value);
    read ??= compiler.compile(shape.value.shape);
    for (const key of Object.keys(object)) {
      const found = object[key];
      if (found === null || found === undefined) delete object[key];
      else {
        const converted = read(found);
        // An assignment to "__proto__" would not make a member; JSON.parse has already made it one.
        if (converted !== found) object[key] = converted;
      }
    }
    return object;
  };
}

/** A document is any JSON; its numbers are JSON's. */
function plainDocument(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(plainDocument);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainDocument(item)]));
}

const SCALARS = {
  string(value: unknown): string {
    if (typeof value === "string") return value;
    throw new MalformedInput(cannotConvert(value, "String"));
  },
  boolean(value: unknown): boolean {
    if (typeof value === "boolean") return value;
    throw new MalformedInput(cannotConvert(value, "Boolean"));
  },
  integer(value: unknown): number {
    if (typeof value !== "number") throw new MalformedInput(cannotConvert(value, "Integer"));
    if (!Number.isInteger(value)) throw new MalformedInput(cannotConvert(value, "Integer"));
    if (value > INTEGER_MAX || value < -INTEGER_MAX - 1)
      throw new MalformedInput(`Numeric value (${value}) out of range of int (-2147483648 - 2147483647)`);
    return value;
  },
  long(value: unknown): number | bigint {
    if (typeof value === "bigint") {
      if (BigInt.asIntN(64, value) !== value)
        throw new MalformedInput(`Numeric value (${value}) out of range of long`);
      return value;
    }
    if (typeof value !== "number" || !Number.isInteger(value))
      throw new MalformedInput(cannotConvert(value, "Long"));
    return value;
  },
  float(value: unknown): number {
    if (typeof value === "number") return value;
    if (typeof value === "bigint") return Number(value);
    const special = SPECIAL_FLOATS.get(value);
    if (special === undefined) throw new MalformedInput(cannotConvert(value, "Double"));
    return special;
  },
  number(value: unknown): number {
    return SCALARS.float(value);
  },
} as const;

const SPECIAL_FLOATS = new Map<unknown, number>([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
]);

function asObject(value: unknown): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new MalformedInput(wrongContainer(value));
}

function wrongContainer(value: unknown): string {
  if (Array.isArray(value)) return "Start of list found where not expected";
  return typeof value === "object"
    ? "Start of structure or map found where not expected."
    : "Unexpected field type";
}

/** The words of AWS's JSON reader. */
function cannotConvert(value: unknown, target: string): string {
  if (typeof value === "object") return wrongContainer(value);
  const token =
    typeof value === "string"
      ? "STRING_VALUE"
      : typeof value === "boolean"
        ? `${String(value).toUpperCase()}_VALUE`
        : Number.isInteger(value)
          ? "NUMBER_VALUE"
          : "DECIMAL_VALUE";
  return `${token} cannot be converted to ${target}`;
}
