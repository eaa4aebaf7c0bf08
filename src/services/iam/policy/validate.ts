/** What IAM demands of a document beyond the grammar, for each kind of policy; the texts are AWS's. */
import { PolicySyntaxError } from "./document.ts";
import type { PolicyDocument, Statement } from "./document.ts";
import { parsePolicy } from "./parse.ts";

const STS_ACTIONS =
  /^sts:(\*|assumerole|assumerolewithsaml|assumerolewithwebidentity|tagsession|setsourceidentity|setcontext)$/i;

/** Parses an identity policy (managed or inline). @throws PolicySyntaxError */
export function parseIdentityPolicy(text: string): PolicyDocument {
  const document = parsePolicy(text);
  if (document.version !== "2012-10-17")
    throw new PolicySyntaxError("Policy document must be version 2012-10-17 or greater.");
  for (const statement of document.statements) {
    checkActions(statement);
    checkResources(statement);
    if (statement.principals || statement.notPrincipals)
      throw new PolicySyntaxError("Policy document should not specify a principal.");
    checkConditionKeys(statement);
  }
  checkStatementIds(document);
  return document;
}

/** Parses a role's trust policy. @throws PolicySyntaxError */
export function parseTrustPolicy(text: string): PolicyDocument {
  const document = parsePolicy(text, "This policy contains invalid Json");
  for (const statement of document.statements) {
    if (statement.resources) throw new PolicySyntaxError("Has prohibited field Resource");
    if (statement.notResources) throw new PolicySyntaxError("Has prohibited field NotResource");
    const named = statement.principals ?? statement.notPrincipals;
    if (!named) throw new PolicySyntaxError("Missing required field Principal");
    if (named !== "*" && Object.keys(named).length === 0)
      throw new PolicySyntaxError("Missing required field Principal cannot be empty!");
    if (!statement.actions && !statement.notActions)
      throw new PolicySyntaxError("Missing required field Action");
    for (const action of statement.actions ?? statement.notActions ?? [])
      if (!STS_ACTIONS.test(action))
        throw new PolicySyntaxError("AssumeRole policy may only specify STS AssumeRole actions.");
    checkPrincipalShapes(statement);
    checkConditionKeys(statement);
  }
  checkStatementIds(document);
  return document;
}

/**
 * Parses the policy of a resource.
 * @param about Whether its statements name resources, or are about the one that has it and so name none.
 * @throws PolicySyntaxError
 */
export function parseResourcePolicy(
  text: string,
  about: "named resources" | "its own resource",
): PolicyDocument {
  const document = parsePolicy(text);
  for (const statement of document.statements) {
    if (about === "named resources") checkResources(statement);
    else if (statement.resources || statement.notResources)
      throw new PolicySyntaxError("Has prohibited field Resource");
    const named = statement.principals ?? statement.notPrincipals;
    if (!named || (named !== "*" && Object.keys(named).length === 0))
      throw new PolicySyntaxError("Missing required field Principal");
    if (statement.notPrincipals && statement.effect === "Allow")
      throw new PolicySyntaxError("Allow with NotPrincipal is not supported.");
    checkActions(statement);
    checkPrincipalShapes(statement);
    checkConditionKeys(statement);
  }
  const ids = document.statements.map((one) => one.sid).filter((sid) => sid !== undefined && sid !== "");
  if (about === "named resources" && new Set(ids).size !== ids.length)
    throw new PolicySyntaxError("Statement IDs (SID) in a single policy must be unique.");
  return document;
}

/** The text AWS answers for a principal it does not know. */
export function invalidPrincipal(kind: string, name: string): PolicySyntaxError {
  return new PolicySyntaxError(`Invalid principal in policy: "${kind}":"${name}"`);
}

function checkPrincipalShapes(statement: Statement): void {
  const set = statement.principals ?? statement.notPrincipals;
  if (set === undefined || set === "*") return;
  const account =
    /^(\*|\d{12}|arn:aws:iam::\d{12}:(root|(user|role)\/\S+)|arn:aws:sts::\d{12}:(assumed-role|federated-user)\/\S+)$/;
  for (const name of set.AWS ?? []) if (!account.test(name)) throw invalidPrincipal("AWS", name);
  for (const name of set.Service ?? [])
    if (
      !/^[a-z0-9][a-z0-9.-]*\.(amazonaws\.com|amazonaws\.com\.cn|aws\.internal|amazon\.com|aws)$/.test(name)
    )
      throw invalidPrincipal("SERVICE", name);
}

function checkActions(statement: Statement): void {
  const actions = statement.actions ?? statement.notActions;
  if (!actions || actions.length === 0) throw new PolicySyntaxError("Policy statement must contain actions.");
  for (const action of actions) {
    if (action === "*") continue;
    const [vendor = "", name, ...rest] = action.split(":");
    if (name === undefined)
      throw new PolicySyntaxError(
        "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
      );
    if (!/^[a-zA-Z0-9-]+$/.test(vendor)) throw new PolicySyntaxError(`Vendor ${vendor} is not valid`);
    if (rest.length > 0) throw new PolicySyntaxError("Actions/Condition can contain only one colon.");
  }
}

function checkResources(statement: Statement): void {
  const resources = statement.resources ?? statement.notResources;
  if (!resources || resources.length === 0)
    throw new PolicySyntaxError("Policy statement must contain resources.");
  for (const resource of resources) {
    if (/^\*+$/.test(resource)) continue;
    const [arn, partition = "", vendor] = resource.split(":");
    if (arn !== "arn") throw new PolicySyntaxError(`Resource ${resource} must be in ARN format or "*".`);
    if (!/^(aws|aws-cn|aws-us-gov|\*|\$\{.*)$/.test(partition))
      throw new PolicySyntaxError(`Partition "${partition}" is not valid for resource "${resource}".`);
    if (vendor === undefined) throw new PolicySyntaxError("The policy failed legacy parsing");
  }
}

function checkConditionKeys(statement: Statement): void {
  for (const { key } of statement.conditions)
    if (!/^[^:\s]+:[^\s].*$/.test(key))
      throw new PolicySyntaxError(
        "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
      );
}

function checkStatementIds(document: PolicyDocument): void {
  const ids = document.statements.map((one) => one.sid).filter((sid) => sid !== undefined && sid !== "");
  for (const sid of ids)
    if (!/^[0-9A-Za-z]*$/.test(sid ?? ""))
      throw new PolicySyntaxError(
        "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
      );
  if (new Set(ids).size !== ids.length)
    throw new PolicySyntaxError("Statement IDs (SID) in a single policy must be unique.");
}
