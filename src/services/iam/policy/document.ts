/** A policy document as parsed: the JSON policy language in a form that the evaluator walks without looking at JSON again. */

export type Effect = "Allow" | "Deny";

/** `"*"`, or principals by kind: `{ AWS: [...], Service: [...] }`. */
export type PrincipalSet = "*" | Readonly<Partial<Record<PrincipalKind, readonly string[]>>>;
export type PrincipalKind = "AWS" | "Service" | "Federated" | "CanonicalUser";

export interface Condition {
  /** As written, e.g. `ForAnyValue:StringLikeIfExists`. */
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
}

/** One statement. Exactly one of each pair (`actions`/`notActions`, …) is present where the document has it. */
export interface Statement {
  readonly sid: string | undefined;
  readonly effect: Effect;
  readonly principals?: PrincipalSet;
  readonly notPrincipals?: PrincipalSet;
  readonly actions?: readonly string[];
  readonly notActions?: readonly string[];
  readonly resources?: readonly string[];
  readonly notResources?: readonly string[];
  readonly conditions: readonly Condition[];
}

export interface PolicyDocument {
  /** Variables (`${aws:username}`) are text, not variables, in the older language. */
  readonly version: "2012-10-17" | "2008-10-17";
  readonly statements: readonly Statement[];
}

/** A document that is not a policy; `message` is the text AWS answers with MalformedPolicyDocument. */
export class PolicySyntaxError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "PolicySyntaxError";
  }
}
