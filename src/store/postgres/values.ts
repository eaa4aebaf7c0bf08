/** How PostgreSQL's values become what {@link Reader} promises: the same types that SQLite gives. */
import type { CustomTypesConfig } from "pg";

/** Object ids of PostgreSQL's built-in types. */
const BOOL = 16;
const BYTEA = 17;
const INT8 = 20;
const INT2 = 21;
const INT4 = 23;
const FLOAT4 = 700;
const FLOAT8 = 701;
const NUMERIC = 1700;

const WHOLE: ReadonlySet<number> = new Set([INT2, INT4, INT8]);
const REAL: ReadonlySet<number> = new Set([FLOAT4, FLOAT8, NUMERIC]);

export const typeParsers: CustomTypesConfig = {
  getTypeParser(typeId: number) {
    if (WHOLE.has(typeId)) return parseWhole;
    if (REAL.has(typeId)) return Number;
    // SQLite has no booleans: a comparison is 1 or 0.
    if (typeId === BOOL) return (text: string) => (text === "t" ? 1 : 0);
    if (typeId === BYTEA) return parseBytes;
    return String;
  },
};

function parseWhole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is too large for a JavaScript number`);
  return value;
}

function parseBytes(text: string): Buffer {
  if (!text.startsWith("\\x")) throw new Error("PostgreSQL must answer bytea in hex (bytea_output = hex)");
  return Buffer.from(text.slice(2), "hex");
}
