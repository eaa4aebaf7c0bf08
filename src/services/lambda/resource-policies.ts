/** Asks the policies of functions and of layer versions who may do what. */
import type { PolicyAnswer, PolicyCaller } from "../../aws/resource-policies.ts";
import type { ConditionValues } from "../../aws/service.ts";
import type { Reader } from "../../store/database.ts";
import { layerPolicyKey, layerVersionArn } from "./layer-names.ts";
import type { LayerVersionId } from "./layer-names.ts";
import { functionArn, policyQualifier } from "./names.ts";
import type { FunctionReference } from "./names.ts";
import type { ResourcePolicies } from "./ports.ts";
import { readPolicy } from "./store-permissions.ts";

/** Most first. */
const ANSWERS = ["denied", "principal", "role", "account"] as const;

/**
 * What a function's policies say to a caller of one of its names: that name's own, and what the function's says of its names, of which
 * a statement may mean all (`...:function:name:*`).
 */
export async function askFunction(
  { policies, reader }: { policies: ResourcePolicies; reader: Reader },
  reference: FunctionReference,
  action: string,
  caller: PolicyCaller,
  conditions: ConditionValues = {},
): Promise<PolicyAnswer> {
  const qualifier = policyQualifier(reference.qualifier);
  // `$LATEST` is the unqualified function by another name.
  const resources = [functionArn(reference, reference.qualifier)];
  if (qualifier === "" && reference.qualifier !== undefined) resources.push(functionArn(reference));
  const answers = await Promise.all(
    [...new Set(["", qualifier])].map(async (one) => {
      const document = await readPolicy(reader, reference, one);
      return document === undefined
        ? "none"
        : policies.ask(document, { action, resources, conditions }, caller);
    }),
  );
  return ANSWERS.find((one) => answers.includes(one)) ?? "none";
}

/** Whether a function's policies let a service, for a resource of an account, or another account's caller invoke it. */
export async function mayInvoke(
  places: { policies: ResourcePolicies; reader: Reader },
  reference: FunctionReference,
  caller: PolicyCaller & { readonly sourceArn?: string; readonly sourceAccount?: string },
): Promise<boolean> {
  const { sourceArn, sourceAccount, ...rest } = caller;
  const conditions = {
    ...(sourceArn !== undefined && { "aws:SourceArn": sourceArn }),
    ...(sourceAccount !== undefined && { "aws:SourceAccount": sourceAccount }),
    ...("service" in caller && {
      "aws:PrincipalIsAWSService": "true",
      "aws:PrincipalServiceName": caller.service,
    }),
  };
  return isGrant(await askFunction(places, reference, "lambda:InvokeFunction", rest, conditions));
}

/** What a layer version's policy says to a caller. */
export async function askLayer(
  { policies, reader }: { policies: ResourcePolicies; reader: Reader },
  version: LayerVersionId,
  action: string,
  caller: PolicyCaller,
): Promise<PolicyAnswer> {
  const { id, qualifier } = layerPolicyKey(version);
  const document = await readPolicy(reader, id, qualifier);
  if (document === undefined) return "none";
  return policies.ask(document, { action, resources: [layerVersionArn(version)] }, caller);
}

/** Whether an answer lets in somebody for whom naming their account is enough. */
export function isGrant(answer: PolicyAnswer): boolean {
  return answer !== "denied" && answer !== "none";
}
