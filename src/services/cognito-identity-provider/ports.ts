/** What user pools need from other parts; satisfied in server/compose.ts. */

/** What came of calling a function: its answer or its own error, or why it could not run. */
export type TriggerOutcome =
  | { readonly kind: "ok" | "function-error"; readonly payload: Buffer }
  | { readonly kind: "throttled"; readonly reason: string }
  | { readonly kind: "failed"; readonly code: string; readonly message: string };

/** Lambda's functions, as triggers call them. */
export interface TriggerFunctions {
  /** Whether the function exists and its resource policy lets `cognito-idp.amazonaws.com` invoke it for that pool. */
  check(functionArn: string, poolArn: string, account: string): Promise<"ok" | "missing" | "denied">;
  /** Runs it once and waits for it. Never rejects. */
  invoke(functionArn: string, payload: Buffer): Promise<TriggerOutcome>;
}

/** Roles of IAM, as a pool sends SMS by one. */
export interface SmsRoles {
  /** Whether the role's trust policy lets a service assume it for `sourceArn`. @param externalId As `sts:ExternalId`. */
  canBeAssumedBy(roleArn: string, service: string, sourceArn: string, externalId?: string): Promise<boolean>;
  /** By the role's own policies. */
  allows(roleArn: string, action: string, resourceArn: string): Promise<boolean>;
}
