/** What S3 takes as a bucket's policy, with its texts. */
import { notImplemented } from "../../../aws/errors.ts";
import { s3Error } from "../errors.ts";
import { POLICY_BYTES_MAX } from "../limits.ts";
import type { PolicyDocument, PolicyStatement } from "../../../aws/resource-policies.ts";
import type { ResourcePolicies } from "../ports.ts";

/** @throws MalformedPolicy; NotImplemented for principals of kinds that nobody here has */
export function readPolicy(text: string, bucket: string, policies: ResourcePolicies): PolicyDocument {
  if (Buffer.byteLength(text) > POLICY_BYTES_MAX)
    throw s3Error(
      "InvalidArgument",
      {},
      `Normalized policy document exceeds the maximum allowed size of ${POLICY_BYTES_MAX} bytes.`,
    );
  if (!isObject(text)) throw malformed("Policies must be valid JSON and the first byte must be '{'");
  let document: PolicyDocument;
  try {
    document = policies.parse(text);
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : String(error));
  }
  for (const statement of document.statements) check(statement, bucket);
  return document;
}

/** @throws MalformedPolicy for a user or role of the account that does not exist */
export async function requirePrincipals(
  text: string,
  account: string,
  policies: ResourcePolicies,
): Promise<void> {
  const fault = await policies.principalFault(text, account);
  if (fault !== undefined) throw malformed(fault);
}

function isObject(text: string): boolean {
  try {
    return text.startsWith("{") && typeof JSON.parse(text) === "object";
  } catch {
    return false;
  }
}

function check(statement: PolicyStatement, bucket: string): void {
  const named = statement.principals ?? statement.notPrincipals;
  if (named !== "*")
    for (const kind of ["CanonicalUser", "Federated"] as const)
      if (named?.[kind]) throw notImplemented(`principals of the kind ${kind} in bucket policies`);
  const own = `arn:aws:s3:::${bucket}`;
  const resources = statement.resources ?? statement.notResources ?? [];
  for (const one of resources)
    if (one !== own && !one.startsWith(`${own}/`)) throw malformed("Policy has invalid resource");
  const actions = statement.actions ?? statement.notActions ?? [];
  for (const one of actions) if (!/^(\*|s3:\S+)$/i.test(one)) throw malformed("Policy has invalid action");
  if (!statement.actions || !statement.resources) return;
  const [ofBucket, ofObjects] = [resources.includes(own), resources.some((one) => one !== own)];
  for (const action of actions) {
    if (/[*?]/.test(action)) continue;
    if (isOnObjects(action) ? !ofObjects : !ofBucket)
      throw malformed("Action does not apply to any resource(s) in statement");
  }
}

/** Whether an action is about objects, by the names that S3 gives its actions. */
function isOnObjects(action: string): boolean {
  const name = action.slice(action.indexOf(":") + 1).toLowerCase();
  if (name === "abortmultipartupload" || name === "listmultipartuploadparts") return true;
  return name.includes("object") && !name.includes("bucketobjectlock");
}

/** S3 tells the principal apart. */
const PRINCIPAL = /^(Invalid principal in policy): "(\w+)":(".*")$/;

function malformed(text: string) {
  const [, words, kind, name] = PRINCIPAL.exec(text) ?? [];
  return s3Error(
    "MalformedPolicy",
    words === undefined ? {} : { Detail: `"${kind}" : ${name}` },
    words ?? text,
  );
}
