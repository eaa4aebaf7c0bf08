/** The codes and words with which AWS refuses a caller whose policies do not allow a request. */
import { AwsError } from "../errors.ts";
import type { ProtocolName, RequestContext, Requirement } from "../service.ts";

export interface DenialReason {
  /** A Deny statement, rather than the lack of an Allow. */
  readonly isExplicit: boolean;
  readonly kind: "identity" | "boundary" | "session" | "resource";
}

const CODES: Readonly<Record<ProtocolName, { readonly code: string; readonly status: number }>> = {
  restJson1: { code: "AccessDeniedException", status: 403 },
  restXml: { code: "AccessDenied", status: 403 },
  awsQuery: { code: "AccessDenied", status: 403 },
  awsJson1_0: { code: "AccessDeniedException", status: 400 },
  awsJson1_1: { code: "AccessDeniedException", status: 400 },
  rpcv2Cbor: { code: "AccessDeniedException", status: 400 },
};

const KINDS = {
  identity: { one: "an identity-based policy", none: "no identity-based policy" },
  boundary: { one: "a permissions boundary", none: "no permissions boundary" },
  session: { one: "a session policy", none: "no session policy" },
  resource: { one: "a resource-based policy", none: "no resource-based policy" },
} as const;

/** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html */
export function accessDenied(
  { principal, protocol }: Pick<RequestContext, "principal" | "protocol">,
  { action, resource, refusal, code: own }: Requirement,
  reason: DenialReason,
): AwsError {
  const { code, status } = own === undefined ? CODES[protocol] : { code: own, status: undefined };
  if (principal.type === "anonymous") return new AwsError(code, "Access Denied", {}, status);
  const why = reason.isExplicit
    ? `with an explicit deny in ${KINDS[reason.kind].one}`
    : `because ${KINDS[reason.kind].none} allows the ${action} action`;
  const text = `User: ${principal.arn} is not authorized to perform: ${action}${on(resource, protocol)} ${why}`;
  return new AwsError(code, refusal ?? text, {}, status);
}

/** S3 puts the resource in quotation marks, and names none where there is none. */
function on(resource: string, protocol: ProtocolName): string {
  if (protocol !== "restXml") return ` on resource: ${resource}`;
  return resource === "*" ? "" : ` on resource: "${resource}"`;
}
