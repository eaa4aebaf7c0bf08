/** Parses policy documents strictly: what is not in the policy language's grammar is refused, never skipped. */
import { isConditionOperator } from "./conditions.ts";
import { PolicySyntaxError } from "./document.ts";
import type { Condition, PolicyDocument, PrincipalKind, PrincipalSet, Statement } from "./document.ts";

const SYNTAX = "Syntax errors in policy.";
const VERSIONS: readonly unknown[] = ["2012-10-17", "2008-10-17"];
const PRINCIPAL_KINDS: readonly string[] = ["AWS", "Service", "Federated", "CanonicalUser"];
const DOCUMENT_FIELDS = ["Version", "Id", "Statement"];
const STATEMENT_FIELDS = [
  "Sid",
  "Effect",
  "Principal",
  "NotPrincipal",
  "Action",
  "NotAction",
  "Resource",
  "NotResource",
  "Condition",
];

/**
 * Parses one document of any kind (identity, trust, resource).
 * @param syntaxMessage what AWS says of malformed JSON for this kind of document
 * @throws PolicySyntaxError
 */
export function parsePolicy(text: string, syntaxMessage: string = SYNTAX): PolicyDocument {
  if (/^\s/.test(text)) throw new PolicySyntaxError("JSON strings must not have leading spaces");
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new PolicySyntaxError(syntaxMessage);
  }
  const document = objectOf(json);
  onlyFields(document, DOCUMENT_FIELDS);
  const version = document["Version"] ?? "2008-10-17";
  if (!VERSIONS.includes(version)) throw new PolicySyntaxError(SYNTAX);
  if (document["Id"] !== undefined && typeof document["Id"] !== "string") throw new PolicySyntaxError(SYNTAX);
  const statement = document["Statement"];
  const list: unknown[] = Array.isArray(statement) ? statement : [statement];
  if (list.length === 0) throw new PolicySyntaxError(SYNTAX);
  return { version: version as PolicyDocument["version"], statements: list.map(parseStatement) };
}

function parseStatement(json: unknown): Statement {
  const fields = objectOf(json);
  onlyFields(fields, STATEMENT_FIELDS);
  for (const name of ["Principal", "Action", "Resource"])
    if (name in fields && `Not${name}` in fields) throw new PolicySyntaxError(SYNTAX);
  const effect = fields["Effect"];
  if (effect !== "Allow" && effect !== "Deny") throw new PolicySyntaxError(SYNTAX);
  const sid = fields["Sid"];
  if (sid !== undefined && typeof sid !== "string") throw new PolicySyntaxError(SYNTAX);
  return {
    sid,
    effect,
    ...("Principal" in fields && { principals: parsePrincipals(fields["Principal"]) }),
    ...("NotPrincipal" in fields && { notPrincipals: parsePrincipals(fields["NotPrincipal"]) }),
    ...("Action" in fields && { actions: stringsOf(fields["Action"]) }),
    ...("NotAction" in fields && { notActions: stringsOf(fields["NotAction"]) }),
    ...("Resource" in fields && { resources: stringsOf(fields["Resource"]) }),
    ...("NotResource" in fields && { notResources: stringsOf(fields["NotResource"]) }),
    conditions: "Condition" in fields ? parseConditions(fields["Condition"]) : [],
  };
}

function parsePrincipals(json: unknown): PrincipalSet {
  if (json === "*") return "*";
  const kinds = objectOf(json);
  onlyFields(kinds, PRINCIPAL_KINDS);
  const set: Partial<Record<PrincipalKind, readonly string[]>> = {};
  for (const [kind, value] of Object.entries(kinds)) set[kind as PrincipalKind] = stringsOf(value);
  return set;
}

function parseConditions(json: unknown): Condition[] {
  const conditions: Condition[] = [];
  for (const [operator, keys] of Object.entries(objectOf(json))) {
    if (!isConditionOperator(operator)) throw new PolicySyntaxError(SYNTAX);
    for (const [key, value] of Object.entries(objectOf(keys))) {
      const values = (Array.isArray(value) ? value : [value]).map((one: unknown) => {
        if (typeof one === "string") return one;
        if (typeof one === "boolean" || typeof one === "number") return String(one);
        throw new PolicySyntaxError(SYNTAX);
      });
      conditions.push({ operator, key, values });
    }
  }
  return conditions;
}

function objectOf(json: unknown): Record<string, unknown> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw new PolicySyntaxError(SYNTAX);
  return json as Record<string, unknown>;
}

function onlyFields(fields: Record<string, unknown>, known: readonly string[]): void {
  for (const name of Object.keys(fields)) if (!known.includes(name)) throw new PolicySyntaxError(SYNTAX);
}

function stringsOf(json: unknown): string[] {
  const list: unknown[] = Array.isArray(json) ? json : [json];
  if (!list.every((one) => typeof one === "string")) throw new PolicySyntaxError(SYNTAX);
  return list;
}
