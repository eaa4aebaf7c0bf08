/** Seeded random values of an SDK schema's type. */
import type { NormalizedSchema } from "@smithy/core/schema";
import { isStructure } from "../../../src/aws/model/shape.ts";
import type { Member, Shape } from "../../../src/aws/model/shape.ts";

/** Where a value will stand, which limits what text it may hold. */
type Place = "body" | "header" | "label";

const TEXTS: Readonly<Record<Place, readonly string[]>> = {
  body: [
    "a",
    "x y+z",
    "é/ü",
    "a&b=c",
    '<tag>"q"',
    "100%",
    "plain",
    "two\nlines",
    "tab\there",
    "😀",
    "__proto__",
    "]]>",
  ],
  header: ["a", "x-y", "plain", "v1", "with space", "a/b=c"],
  label: ["lab/el x:é", "plain", "a+b", "100%", "arn:aws:x:y/z"],
};
const FIRST_DATE_MS = 1_700_000_000_000;

/** A generator of numbers in [0, 1) from a seed (a linear congruence is enough here). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Makes values; members that are event streams are left out. */
export class ValueMaker {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seeded(seed);
  }

  /** Our own shape goes along only to tell whole numbers from fractions, which SDK schemas do not. */
  structure(
    schema: NormalizedSchema,
    shape: Shape | undefined,
    depth: number,
    isInput: boolean,
  ): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    for (const [name, member] of schema.structIterator()) {
      if (member.isStreaming() && member.isStructSchema()) continue;
      const ours = shape && isStructure(shape) ? shape.members.get(name) : undefined;
      const value = this.make(member, ours, depth - 1, placeOf(member, isInput));
      if (value !== undefined) result[name] = value;
    }
    return result;
  }

  make(schema: NormalizedSchema, member: Member | undefined, depth: number, place: Place): unknown {
    const shape = member?.shape;
    if (schema.isUnionSchema()) return this.#union(schema, shape, depth);
    if (schema.isStructSchema()) {
      if (depth <= 0) return undefined;
      const value = this.structure(schema, shape, depth, true);
      return Object.keys(value).length > 0 ? value : undefined;
    }
    if (schema.isListSchema()) {
      const element = shape?.kind === "list" ? shape.member : undefined;
      const items = [1, 2].map(() => this.make(schema.getValueSchema(), element, depth - 1, place));
      return nonEmpty(items.filter((item) => item !== undefined));
    }
    if (schema.isMapSchema()) return this.#map(schema, shape, depth, place);
    return this.#simple(schema, shape, place);
  }

  #map(schema: NormalizedSchema, shape: Shape | undefined, depth: number, place: Place): unknown {
    const element = shape?.kind === "map" ? shape.value : undefined;
    const make = () => this.make(schema.getValueSchema(), element, depth - 1, place);
    const entries = [
      ["k1", make()],
      [place === "body" ? "k 2/é" : "k2", make()],
    ].filter(([, value]) => value !== undefined);
    return entries.length > 0 ? Object.fromEntries(entries) : undefined;
  }

  #union(schema: NormalizedSchema, shape: Shape | undefined, depth: number): unknown {
    if (depth <= 0) return undefined;
    const members = [...schema.structIterator()];
    for (let tries = 0; tries < members.length; tries++) {
      const [name, member] = this.#pick(members);
      const ours = shape && isStructure(shape) ? shape.members.get(name) : undefined;
      const value = this.make(member, ours, depth - 1, "body");
      if (value !== undefined) return { [name]: value };
    }
    return undefined;
  }

  #simple(schema: NormalizedSchema, shape: Shape | undefined, place: Place): unknown {
    if (schema.isStringSchema()) return this.#pick(TEXTS[place]);
    if (schema.isBooleanSchema()) return this.#random() < 0.5;
    if (schema.isTimestampSchema()) return new Date(FIRST_DATE_MS + Math.floor(this.#random() * 1e6) * 1_000);
    if (schema.isBlobSchema()) return Buffer.from(`blob${Math.floor(this.#random() * 100)}\u00ff`);
    if (schema.isDocumentSchema()) return { d: [1, "x", true] };
    if (schema.getMergedTraits().httpResponseCode) return 200;
    const whole = Math.floor(this.#random() * 1_000) - 100;
    return shape?.kind === "float" ? whole + 0.25 : whole;
  }

  #pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.#random() * items.length)] as T;
  }
}

function nonEmpty(items: readonly unknown[]): readonly unknown[] | undefined {
  return items.length > 0 ? items : undefined;
}

function placeOf(schema: NormalizedSchema, isInput: boolean): Place {
  const traits = schema.getMergedTraits();
  if (isInput && traits.httpLabel) return "label";
  return traits.httpHeader !== undefined || traits.httpPrefixHeaders !== undefined ? "header" : "body";
}
