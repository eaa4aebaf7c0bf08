/** What a document must be to be a topic's policy. https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-language-api-permissions-reference.html */
import type { PolicyDocument } from "../../../aws/resource-policies.ts";
import { invalid } from "../errors.ts";
import { POLICY_BYTES_MAX } from "../limits.ts";
import type { ResourcePolicies } from "../ports.ts";

/** What a topic's policy can give. */
const ACTIONS: ReadonlySet<string> = new Set([
  "AddPermission",
  "DeleteTopic",
  "GetDataProtectionPolicy",
  "GetTopicAttributes",
  "ListSubscriptionsByTopic",
  "ListTagsForResource",
  "Publish",
  "PutDataProtectionPolicy",
  "RemovePermission",
  "SetTopicAttributes",
  "Subscribe",
]);
/** Those in lower case; and one that older policies of AWS's own name, of what no request asks any more. */
const KNOWN: ReadonlySet<string> = new Set([...ACTIONS, "Receive"].map((one) => one.toLowerCase()));
const ACTION = /^sns:(.+)$/i;

/** @throws AwsError InvalidParameter for one that AddPermission cannot give */
export function requireActions(actions: readonly string[]): void {
  if (!actions.every((action) => ACTIONS.has(action))) throw outOfScope();
}

/** @throws AwsError InvalidParameter */
export function checkPolicy(
  text: string,
  policies: ResourcePolicies,
  refuse: (name: string, reason: string) => Error,
): void {
  if (Buffer.byteLength(text) > POLICY_BYTES_MAX)
    throw refuse("Policy", `it has more than ${POLICY_BYTES_MAX} bytes`);
  const { statements } = parse(text, policies, refuse);
  for (const { actions = [], resources = [] } of statements) {
    if (!actions.every(isInScope)) throw outOfScope();
    if (resources.length > 1) throw invalid("Policy statement must apply to a single resource!");
  }
}

/** @throws AwsError InvalidParameter for a user or role of the account that does not exist */
export async function requirePrincipals(
  text: string | undefined,
  account: string,
  policies: ResourcePolicies,
): Promise<void> {
  if (!text) return;
  if ((await policies.principalFault(text, account)) !== undefined) throw noPrincipal();
}

function parse(
  text: string,
  policies: ResourcePolicies,
  refuse: (name: string, reason: string) => Error,
): PolicyDocument {
  try {
    return policies.parse(text);
  } catch (error) {
    const { message } = error as Error;
    if (message.startsWith("Invalid principal in policy")) throw noPrincipal();
    throw refuse("Policy", message);
  }
}

function isInScope(action: string): boolean {
  const name = action === "*" ? "*" : ACTION.exec(action)?.[1]?.toLowerCase();
  return name !== undefined && (/[*?]/.test(name) || KNOWN.has(name));
}

function noPrincipal(): Error {
  return invalid("Policy Error: PrincipalNotFound");
}

function outOfScope(): Error {
  return invalid("Policy statement action out of service scope!");
}
