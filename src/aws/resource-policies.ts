/**
 * Policies on resources, as the services whose resources have them see these: the documents are theirs, the language is IAM's. A service's
 * port picks what it asks.
 */
import type { ConditionValues, Principal } from "./service.ts";

/** Who asks: a service on its own behalf, a caller, or whom nothing is known of but an ARN; nobody has an empty one. */
export type PolicyCaller =
  | { readonly service: string }
  | Principal
  | { readonly account: string; readonly arn: string; readonly roleArn?: string };

/**
 * What a resource's policy says of a caller: that it denies; that it names them or everyone; that it names their role, which boundaries
 * and session policies still limit; that it names only their account, which then has to allow the action by its own policies; or nothing.
 */
export type PolicyAnswer = "denied" | "principal" | "role" | "account" | "none";

export interface PolicyQuestion {
  /** `lambda:InvokeFunction` */
  readonly action: string;
  /** The names that the resource goes by; a statement about any of them applies. */
  readonly resources: readonly string[];
  readonly conditions?: ConditionValues;
}

export interface PolicyRequest {
  readonly principal: Principal;
  readonly action: string;
  readonly resource: string;
  readonly conditions: ConditionValues;
}

/** A document as it was read. */
export interface PolicyDocument {
  readonly statements: readonly PolicyStatement[];
}

export interface PolicyStatement {
  readonly effect: "Allow" | "Deny";
  readonly principals?: PolicyPrincipals;
  readonly notPrincipals?: PolicyPrincipals;
  readonly actions?: readonly string[];
  readonly notActions?: readonly string[];
  readonly resources?: readonly string[];
  readonly notResources?: readonly string[];
  readonly conditions: readonly {
    readonly operator: string;
    readonly key: string;
    readonly values: readonly string[];
  }[];
}

type PolicyPrincipals =
  | "*"
  | Readonly<Partial<Record<"AWS" | "Service" | "Federated" | "CanonicalUser", readonly string[]>>>;

export interface ResourcePolicies {
  /** What is wrong with a document whose statements apply to the resource that has it; undefined for nothing. */
  fault(text: string): string | undefined;
  /** Reads a document whose statements name resources. @throws Error, with what is wrong. */
  parse(text: string): PolicyDocument;
  /**
   * What is wrong with the users and roles of an account that a document names: the first that does not exist.
   * @throws Error for what is no document
   */
  principalFault(text: string, account: string): Promise<string | undefined>;
  decide(text: string, request: PolicyRequest): Promise<PolicyAnswer>;
  /** Decides for a resource with several names, and for whoever asks. */
  ask(text: string, question: PolicyQuestion, caller: PolicyCaller): Promise<PolicyAnswer>;
}

/** A service that acts for a resource of an account. */
interface ActingService {
  readonly service: string;
  readonly sourceArn: string;
  readonly sourceAccount: string;
}

/** What conditions see of a service that asks on a resource's behalf. */
export function serviceConditions({ service, sourceArn, sourceAccount }: ActingService) {
  return {
    "aws:SourceArn": sourceArn,
    "aws:SourceAccount": sourceAccount,
    "aws:PrincipalIsAWSService": "true",
    "aws:PrincipalServiceName": service,
  };
}
