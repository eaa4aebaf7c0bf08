/** PutFunctionCodeSigningConfig, GetFunctionCodeSigningConfig, DeleteFunctionCodeSigningConfig: in effect for the next deployment. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { configArn, configOf, findNamedConfig } from "../code-signing-configs.ts";
import type { Client, Lambda } from "../deps.ts";
import { unsignable } from "../errors.ts";
import { findLatest, requireFunction, unqualifiedReference } from "../lookup.ts";
import { saveConfigOfFunction } from "../store-code-signing.ts";

export async function putFunctionCodeSigningConfig(
  lambda: Lambda,
  input: Input<Client, "PutFunctionCodeSigningConfig">,
  context: RequestContext,
): Promise<Output<Client, "PutFunctionCodeSigningConfig">> {
  const id = unqualifiedReference(input, context);
  return lambda.database.tx(async (tx) => {
    if ((await findLatest(tx, id)).configuration.image) throw unsignable();
    const config = await findNamedConfig(tx, input.CodeSigningConfigArn ?? "", context);
    await saveConfigOfFunction(tx, id, config.id);
    return { CodeSigningConfigArn: configArn(config), FunctionName: id.name };
  });
}

/** Names nothing where the function has none, as AWS does. */
export async function getFunctionCodeSigningConfig(
  lambda: Lambda,
  input: Input<Client, "GetFunctionCodeSigningConfig">,
  context: RequestContext,
): Promise<Output<Client, "GetFunctionCodeSigningConfig">> {
  const id = unqualifiedReference(input, context);
  await requireFunction(lambda.database, id);
  const config = await configOf(lambda.database, id);
  if (!config) return {} as Output<Client, "GetFunctionCodeSigningConfig">;
  return { CodeSigningConfigArn: configArn(config), FunctionName: id.name };
}

export async function deleteFunctionCodeSigningConfig(
  lambda: Lambda,
  input: Input<Client, "DeleteFunctionCodeSigningConfig">,
  context: RequestContext,
): Promise<object> {
  const id = unqualifiedReference(input, context);
  await lambda.database.tx(async (tx) => {
    await requireFunction(tx, id);
    await saveConfigOfFunction(tx, id, null);
  });
  return {};
}
