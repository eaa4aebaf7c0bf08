/** Shapes at run time: a service's types with their traits and constraints joined, resolved when first looked at. */
import type {
  ConstraintRecord,
  ConstraintsFile,
  MemberReference,
  MemberTraits,
  ShapeRecord,
  StructureTraits,
  TypeReference,
} from "./format.ts";

export type TimestampFormat = "epoch-seconds" | "date-time" | "http-date";

export interface SimpleShape {
  readonly kind: "string" | "boolean" | "integer" | "long" | "float" | "number" | "blob" | "document";
  readonly constraint: ConstraintRecord | undefined;
}

export interface TimestampShape {
  readonly kind: "timestamp";
  /** Undefined where each protocol's own default applies. */
  readonly format: TimestampFormat | undefined;
  readonly constraint: undefined;
}

export interface ListShape {
  readonly kind: "list";
  readonly member: Member;
  readonly constraint: ConstraintRecord | undefined;
}

export interface MapShape {
  readonly kind: "map";
  readonly key: Member;
  readonly value: Member;
  readonly constraint: ConstraintRecord | undefined;
}

export interface StructureShape {
  readonly kind: "structure" | "union";
  readonly name: string;
  readonly traits: StructureTraits;
  readonly members: ReadonlyMap<string, Member>;
  /** The required members' names. */
  readonly required: readonly string[];
  readonly constraint: undefined;
}

export type Shape = SimpleShape | TimestampShape | ListShape | MapShape | StructureShape;

export interface Member {
  readonly name: string;
  readonly shape: Shape;
  readonly traits: MemberTraits;
}

const NO_TRAITS: MemberTraits = {};

/** Resolves shapes of one service by index, each once. */
export class ShapeTable {
  readonly #shapes: readonly ShapeRecord[];
  readonly #constraints: ConstraintsFile;
  readonly #resolved = new Map<string, Shape>();

  constructor(shapes: readonly ShapeRecord[], constraints: ConstraintsFile) {
    this.#shapes = shapes;
    this.#constraints = constraints;
  }

  structure(index: number): StructureShape {
    const shape = this.#resolve(index, undefined);
    if (!isStructure(shape)) throw new Error(`shape ${index} is a ${shape.kind}, not a structure`);
    return shape;
  }

  #member(name: string, reference: MemberReference, constraint: number | undefined): Member {
    const [type, traits] = isPair(reference) ? reference : [reference, NO_TRAITS];
    const resolve = () => this.#resolve(type, constraint);
    let shape: Shape | undefined;
    return {
      name,
      traits,
      get shape() {
        return (shape ??= resolve());
      },
    };
  }

  #resolve(type: TypeReference, constraintIndex: number | undefined): Shape {
    const key = `${type}/${constraintIndex ?? ""}`;
    let shape = this.#resolved.get(key);
    if (!shape) {
      shape = this.#create(type, constraintIndex);
      this.#resolved.set(key, shape);
    }
    return shape;
  }

  #create(type: TypeReference, constraintIndex: number | undefined): Shape {
    const constraint = constraintIndex === undefined ? undefined : this.#constraints.table[constraintIndex];
    if (typeof type === "string") return simpleShape(type, constraint);
    const record = this.#shapes[type];
    if (!record) throw new Error(`the model has no shape ${type}`);
    if (record[0] === "list")
      return { kind: "list", member: this.#member("member", record[1], constraint?.of), constraint };
    if (record[0] === "map") {
      const key = this.#member("key", record[1], constraint?.key);
      return { kind: "map", key, value: this.#member("value", record[2], constraint?.value), constraint };
    }
    return this.#createStructure(record);
  }

  #createStructure(
    record: Extract<ShapeRecord, readonly ["structure" | "union", ...unknown[]]>,
  ): StructureShape {
    const [kind, name, requiredCount, records, traits = {}] = record;
    const constraints = this.#constraints.members[name] ?? {};
    const members = new Map(
      Object.entries(records).map(([member, reference]) => [
        member,
        this.#member(member, reference, constraints[member]),
      ]),
    );
    const required = [...members.keys()].slice(0, requiredCount);
    return { kind, name, traits, members, required, constraint: undefined };
  }
}

export function isStructure(shape: Shape): shape is StructureShape {
  return shape.kind === "structure" || shape.kind === "union";
}

function isPair(reference: MemberReference): reference is readonly [TypeReference, MemberTraits] {
  return Array.isArray(reference);
}

const NUMBER_KINDS = { integer: "integer", long: "long", float: "float", double: "float" } as const;

function simpleShape(type: string, constraint: ConstraintRecord | undefined): Shape {
  switch (type) {
    case "string":
    case "boolean":
    case "blob":
    case "document":
      return { kind: type, constraint };
    case "number":
      return { kind: constraint?.type ? NUMBER_KINDS[constraint.type] : "number", constraint };
    case "timestamp":
      return { kind: "timestamp", format: undefined, constraint: undefined };
    case "epoch-seconds":
    case "date-time":
    case "http-date":
      return { kind: "timestamp", format: type, constraint: undefined };
    default:
      throw new Error(`unknown simple type ${type}`);
  }
}
