/** Patterns of space-delimited events: `[ip, user, ..., status = 4* || status = 500, bytes > 1000]`. */
import { readComparison } from "./comparison.ts";
import { FilterPatternError } from "./error.ts";
import { readExpression } from "./scanner.ts";
import type { Scanner } from "./scanner.ts";

interface Field {
  readonly name: string;
  /** Absent where the field is only named. */
  readonly test: ((value: string) => boolean) | undefined;
}

export interface SpaceDelimitedPattern {
  matches(message: string): boolean;
  /** The fields by name; those that stand under `...` are named by their places, from 1 on. */
  fields(message: string): Record<string, string>;
  readonly names: readonly string[];
}

/**
 * Reads `[ … ]`. `...` stands for any number of fields. Without it the last field, where it has no condition, takes all
 * that remains (so `[w1=ERROR, w2]` matches longer lines); otherwise the numbers of fields must agree.
 */
export function readSpaceDelimitedPattern(scanner: Scanner): SpaceDelimitedPattern {
  const fields: (Field | "...")[] = [];
  scanner.expect("[");
  do fields.push(scanner.take("...") ? "..." : readField(scanner));
  while (scanner.take(","));
  scanner.expect("]");
  if (!scanner.done) throw new FilterPatternError();
  const gap = fields.indexOf("...");
  if (gap !== fields.lastIndexOf("...")) throw new FilterPatternError();
  const named = fields.filter((field) => field !== "...");
  const open = gap < 0 && named.at(-1)?.test === undefined;
  return {
    names: named.map((field) => field.name),
    matches(message) {
      const values = splitFields(message);
      if (values.length < named.length) return false;
      if (values.length > named.length && gap < 0 && !open) return false;
      const shift = values.length - named.length;
      return named.every((field, index) => {
        const value = values[gap >= 0 && index >= gap ? index + shift : index];
        return field.test === undefined || field.test(value ?? "");
      });
    },
    fields: (message) => fieldsOf(named, gap, message),
  };
}

function fieldsOf(named: readonly Field[], gap: number, message: string): Record<string, string> {
  const values = splitFields(message);
  const shift = values.length - named.length;
  const found: Record<string, string> = {};
  for (const [index, value] of values.entries()) {
    const isUnder = gap >= 0 && index >= gap && index < gap + shift;
    const field = named[gap >= 0 && index >= gap ? index - shift : Math.min(index, named.length - 1)];
    const name = isUnder || !field ? String(index + 1) : field.name;
    // What goes beyond the last field belongs to it.
    found[name] = name in found && gap < 0 ? `${found[name]} ${value}` : value;
  }
  return found;
}

function readField(scanner: Scanner): Field {
  const start = scanner.at;
  let name: string | undefined;
  const readName = () => scanner.match(/[A-Za-z_$][\w$-]*/y);
  if (readName() !== undefined && (scanner.space(), /[,\]]/.test(scanner.text[scanner.at] ?? "")))
    return { name: scanner.text.slice(start, scanner.at).trim(), test: undefined };
  scanner.at = start;
  const test = readExpression<string>(scanner, () => {
    const named = readName();
    // A condition may go on with the name left out (`status = 404 || = 410`); it may not speak of another field.
    if (named === undefined ? name === undefined : name !== undefined && named !== name)
      throw new FilterPatternError();
    name ??= named;
    const comparison = readComparison(scanner, { bare: /[^,\]"%&|()]+/y, textNumbers: true });
    if (!comparison) throw new FilterPatternError();
    return comparison;
  });
  return { name: name ?? "", test };
}

const CLOSING: Readonly<Record<string, string>> = { '"': '"', "[": "]" };

/** Fields are parted by white space; `[…]` and `"…"` are one field each, without their marks. */
function splitFields(message: string): string[] {
  const fields: string[] = [];
  // A mark that is not closed is looked for once, not from every place it opens at: events may be large.
  const unclosed = new Set<string>();
  const words = /\S+/g;
  for (let at = 0; ;) {
    words.lastIndex = at;
    const word = words.exec(message);
    if (!word) return fields;
    const close = CLOSING[message[word.index] ?? ""];
    const end = close === undefined || unclosed.has(close) ? -1 : message.indexOf(close, word.index + 1);
    if (end >= 0) {
      fields.push(message.slice(word.index + 1, end));
      at = end + 1;
    } else {
      if (close !== undefined) unclosed.add(close);
      fields.push(word[0]);
      at = word.index + word[0].length;
    }
  }
}
