/** Event patterns: how they are compiled, and which operators there are. */
export { PatternError } from "./error.ts";
export { isJsonObject, parseJson } from "./json.ts";
export { ALL_OPERATORS, LAMBDA_OPERATORS } from "./operators.ts";
export type { Operator } from "./operators.ts";
export { compilePattern } from "./pattern.ts";
export type { EventPattern, PatternOptions } from "./pattern.ts";
