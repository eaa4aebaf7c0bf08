/** JSON whose numbers keep their text: events are passed on as they came, and patterns compare numbers of many digits by it. */

/** A number that is written otherwise than JavaScript writes it. */
export class NumberText {
  readonly text: string;
  readonly value: number;

  constructor(text: string, value: number) {
    this.text = text;
    this.value = value;
  }

  /** So that it is written as it was read. */
  toJSON(): unknown {
    // Not in the types of TypeScript 7 yet.
    return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(this.text);
  }
}

/** Where a number's text may differ from JavaScript's: a fraction, an exponent, more digits than a double holds, a negative zero. */
const UNUSUAL = /\d[.eE]|\d{16}|-0/;

/** @throws SyntaxError */
export function parseJson(text: string): unknown {
  // A reviver costs several times the parsing.
  if (!UNUSUAL.test(text)) return JSON.parse(text) as unknown;
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown) as unknown;
}

function revive(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  if (typeof value !== "number" || source === undefined || source === String(value)) return value;
  return new NumberText(source, value);
}

/** A number's text; undefined for everything else. */
export function numberText(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return value instanceof NumberText ? value.text : undefined;
}

/** Digits that every double holds. */
const DIGITS_HELD = 15;

/**
 * What numbers that are equal have in common: 300, 300.0 and 3.0e2 are. AWS's documentation denies it; its TestEventPattern matches them. What
 * has more digits than a double holds is compared by its text. Undefined for what is no number.
 */
export function numberName(value: unknown): string | undefined {
  if (!(value instanceof NumberText)) return typeof value === "number" ? String(value) : undefined;
  const digits = value.text
    .replace(/e.*$/i, "")
    .replaceAll(/[-.]/g, "")
    .replaceAll(/^0+|0+$/g, "");
  return digits.length <= DIGITS_HELD ? String(value.value) : value.text;
}

export function numberValue(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  return value instanceof NumberText ? value.value : undefined;
}

export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof NumberText)
  );
}
