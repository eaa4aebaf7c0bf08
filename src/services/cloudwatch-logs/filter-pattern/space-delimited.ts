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

/**
 * Reads `[ … ]`. `...` stands for any number of fields. Without it the last field, where it has no condition, takes all
 * that remains (so `[w1=ERROR, w2]` matches longer lines); otherwise the numbers of fields must agree.
 */
export function readSpaceDelimitedPattern(scanner: Scanner): (message: string) => boolean {
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
  return (message) => {
    const values = splitFields(message);
    if (values.length < named.length) return false;
    if (values.length > named.length && gap < 0 && !open) return false;
    const shift = values.length - named.length;
    return named.every((field, index) => {
      const value = values[gap >= 0 && index >= gap ? index + shift : index];
      return field.test === undefined || field.test(value ?? "");
    });
  };
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

/** Fields are parted by spaces; `[…]` and `"…"` are one field each, without their marks. */
function splitFields(message: string): string[] {
  return Array.from(
    message.matchAll(/"([^"]*)"|\[([^\]]*)\]|(\S+)/g),
    (found) => found[1] ?? found[2] ?? found[3] ?? "",
  );
}
