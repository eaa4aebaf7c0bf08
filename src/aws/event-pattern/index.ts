/** Event patterns: how they are compiled, and which operators there are. */
export { PatternError } from "./error.ts";
export { isJsonObject, numberText, parseJson } from "./json.ts";
export { ALL_OPERATORS, LAMBDA_OPERATORS } from "./operators.ts";
export type { Operator } from "./operators.ts";
export { compilePattern } from "./pattern.ts";
export type { EventPattern, PatternOptions } from "./pattern.ts";
export { PatternSet } from "./pattern-set.ts";
export type { PatternEntry } from "./pattern-set.ts";
