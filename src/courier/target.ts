/** What a kind of target must be. */
import type { Transaction } from "../store/database.ts";
import type { Failure, Parcel, Sender, TargetRef } from "../aws/parcel.ts";

export type Outcome =
  | { readonly kind: "delivered" }
  /** It will never be taken. */
  | { readonly kind: "refused"; readonly failure: Failure }
  /** It may be taken later, not before `notBefore` (epoch milliseconds) where that is given. */
  | { readonly kind: "later"; readonly failure: Failure; readonly notBefore?: number }
  /** It is not its turn; no attempt was made. */
  | { readonly kind: "wait"; readonly notBefore: number };

export interface TargetKind {
  /**
   * Why nothing can be delivered: the target is not there, or does not let the sender in.
   * @param tx The transaction in which it is asked, where the target has no role
   */
  fault(target: TargetRef, sender: Sender, tx?: Transaction): Promise<Failure | undefined>;
  /** Delivers in a transaction. A kind has this or `send`. */
  put?(tx: Transaction, parcel: Parcel): Promise<Outcome>;
  /** Delivers outside of one, perhaps twice. */
  send?(parcel: Parcel): Promise<Outcome>;
}

export const DELIVERED: Outcome = { kind: "delivered" };

export function refused(code: Failure["code"], message: string): Outcome {
  return { kind: "refused", failure: { code, message } };
}

/** Who asks the target: the role, or the service for its resource. */
export function callerOf(
  { roleArn }: TargetRef,
  { service, sourceArn, account }: Sender,
): { readonly roleArn: string } | { service: string; sourceArn: string; sourceAccount: string } {
  return roleArn === undefined ? { service, sourceArn, sourceAccount: account } : { roleArn };
}

/** What a target's owner is asked for, as the failure's words. */
export function faultOf(
  answer: "ok" | "missing" | "denied",
  what: string,
  action: string,
  { arn, roleArn }: TargetRef,
  { service }: Sender,
): Failure | undefined {
  if (answer === "ok") return undefined;
  if (answer === "missing") return { code: "missing", message: `there is no such ${what}: ${arn}` };
  const who =
    roleArn === undefined ? `the policy of ${arn} does not let ${service}` : `the role ${roleArn} may not`;
  return { code: "denied", message: `${who} call ${action} on it` };
}
