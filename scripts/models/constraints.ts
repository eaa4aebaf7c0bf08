/** Joins botocore's constraints to the SDK's structures, by structure and member name. */
import type { ConstraintRecord, ConstraintsFile, ModelFile } from "../../src/aws/model/format.ts";
import type { BotocoreModel, BotocoreType } from "./botocore.ts";

const NUMERIC_TYPES: Readonly<Record<string, ConstraintRecord["type"]>> = {
  integer: "integer",
  long: "long",
  float: "float",
  double: "double",
};

/** Constraints of every structure that both sources know, interned. */
export function joinConstraints(model: ModelFile, botocore: BotocoreModel): ConstraintsFile {
  const table = new ConstraintTable(botocore.shapes);
  const members: Record<string, Record<string, number>> = {};
  const aliases = renamedStructures(model, botocore);
  for (const shape of model.shapes) {
    if (shape[0] !== "structure" && shape[0] !== "union") continue;
    const [, name, , sdkMembers] = shape;
    const theirs = botocore.shapes[aliases.get(name) ?? name]?.members ?? {};
    const found: Record<string, number> = {};
    for (const member of Object.keys(sdkMembers)) {
      const index = theirs[member] && table.add(theirs[member].shape);
      if (index !== undefined) found[member] = index;
    }
    if (Object.keys(found).length) members[name] = found;
  }
  const errors: Record<string, readonly string[]> = {};
  for (const name of Object.keys(model.operations))
    errors[name] = (botocore.operations[name]?.errors ?? []).map((error) => error.shape);
  return { source: botocore.source, members, table: table.records, errors };
}

/** Inputs and outputs that the two sources call differently, found by their operation. */
function renamedStructures(model: ModelFile, botocore: BotocoreModel): Map<string, string> {
  const aliases = new Map<string, string>();
  for (const [name, operation] of Object.entries(model.operations)) {
    const theirs = botocore.operations[name];
    for (const side of ["input", "output"] as const) {
      const index = operation[side];
      const shape = index === undefined ? undefined : model.shapes[index];
      const other = theirs?.[side]?.shape;
      if (shape && typeof shape[1] === "string" && other !== undefined && !botocore.shapes[shape[1]])
        aliases.set(shape[1], other);
    }
  }
  return aliases;
}

/** Each distinct constraint once; recursive lists and maps end where a structure begins. */
class ConstraintTable {
  readonly records: ConstraintRecord[] = [];
  readonly #byText = new Map<string, number>();
  readonly #byShape = new Map<string, number | undefined>();
  readonly #shapes: Readonly<Record<string, BotocoreType>>;

  constructor(shapes: Readonly<Record<string, BotocoreType>>) {
    this.#shapes = shapes;
  }

  add(name: string): number | undefined {
    if (this.#byShape.has(name)) return this.#byShape.get(name);
    this.#byShape.set(name, undefined);
    const record = this.#record(name);
    const index = Object.keys(record).length ? this.#intern(record) : undefined;
    this.#byShape.set(name, index);
    return index;
  }

  #record(name: string): ConstraintRecord {
    const shape = this.#shapes[name];
    if (!shape || shape.type === "structure") return {};
    const type = NUMERIC_TYPES[shape.type];
    const nested = {
      of: shape.member && this.add(shape.member.shape),
      key: shape.key && this.add(shape.key.shape),
      value: shape.value && this.add(shape.value.shape),
    };
    const record = {
      type,
      min: shape.min,
      max: shape.max,
      pattern: shape.pattern,
      enum: shape.enum,
      ...nested,
    };
    return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
  }

  #intern(record: ConstraintRecord): number {
    const text = JSON.stringify(record);
    let index = this.#byText.get(text);
    if (index === undefined) {
      index = this.records.push(record) - 1;
      this.#byText.set(text, index);
    }
    return index;
  }
}
