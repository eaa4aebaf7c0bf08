/** The policy engine: parse, validate and decide; pure. */
export { decide, evaluate, principalMatch } from "./evaluate.ts";
export type {
  CallerDecision,
  CallerPolicies,
  Decision,
  DecisionKind,
  PolicyPrincipal,
  PolicyRequest,
} from "./evaluate.ts";
export { PolicySyntaxError } from "./document.ts";
export type { PolicyDocument, Statement } from "./document.ts";
export type { ContextValues } from "./match.ts";
export { parsePolicy } from "./parse.ts";
export { invalidPrincipal, parseIdentityPolicy, parseResourcePolicy, parseTrustPolicy } from "./validate.ts";
