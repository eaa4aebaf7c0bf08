/** The functions of expressions, by name in lower case. */
import { ADDRESSES } from "./addresses.ts";
import { GENERAL } from "./general.ts";
import { JSON_FUNCTIONS } from "./json.ts";
import { NUMBERS } from "./numbers.ts";
import type { ScalarFunction } from "./scalar.ts";
import { TEXTS } from "./texts.ts";
import { TIMES } from "./times.ts";

export type { QueryTimes } from "./scalar.ts";
export { jsonOf } from "./json.ts";

export const FUNCTIONS: Readonly<Record<string, ScalarFunction | undefined>> = {
  ...NUMBERS,
  ...GENERAL,
  ...TEXTS,
  ...JSON_FUNCTIONS,
  ...TIMES,
  ...ADDRESSES,
};

/** Functions of AWS's that this server has not. */
export const FUNCTIONS_NOT_HERE: ReadonlySet<string> = new Set([
  "rate",
  "countovertime",
  "sumovertime",
  "histogram",
]);
