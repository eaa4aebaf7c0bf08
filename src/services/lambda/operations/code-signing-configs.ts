/**
 * CreateCodeSigningConfig, GetCodeSigningConfig, UpdateCodeSigningConfig, DeleteCodeSigningConfig, ListCodeSigningConfigs,
 * ListFunctionsByCodeSigningConfig. Publishers need not be known here: another account's may sign, and what they sign is judged when
 * it is deployed.
 */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { configArn, describeConfig, findConfig } from "../code-signing-configs.ts";
import type { Client, Lambda } from "../deps.ts";
import { conflict, invalidParameter } from "../errors.ts";
import { functionArn } from "../names.ts";
import { page, pageSize, readMarker } from "../paging.ts";
import { PROFILE_VERSION_ARN } from "../signing/profiles.ts";
import { configPage, deleteConfig, functionsOfConfig, saveConfig } from "../store-code-signing.ts";
import type { CodeSigningConfigRow } from "../store-code-signing.ts";
import { withTags } from "../tags.ts";

/** Characters of an id behind `csc-`. */
const ID_CHARS = 17;

export async function createCodeSigningConfig(
  lambda: Lambda,
  input: Input<Client, "CreateCodeSigningConfig">,
  { account, region }: RequestContext,
): Promise<Output<Client, "CreateCodeSigningConfig">> {
  const row: CodeSigningConfigRow = {
    account,
    region,
    id: `csc-${lambda.ids.hex(ID_CHARS)}`,
    description: input.Description ?? "",
    publishers: readPublishers(input.AllowedPublishers) ?? [],
    untrusted: input.CodeSigningPolicies?.UntrustedArtifactOnDeployment ?? "Warn",
    tags: withTags({}, input.Tags ?? {}),
    lastModified: lambda.clock.now(),
  };
  await lambda.database.tx((tx) => saveConfig(tx, row));
  return { CodeSigningConfig: describeConfig(row) };
}

export async function getCodeSigningConfig(
  lambda: Lambda,
  input: Input<Client, "GetCodeSigningConfig">,
  context: RequestContext,
): Promise<Output<Client, "GetCodeSigningConfig">> {
  const row = await findConfig(lambda.database, input.CodeSigningConfigArn ?? "", context);
  return { CodeSigningConfig: describeConfig(row) };
}

/** In effect for the next deployment of each function that has it. */
export async function updateCodeSigningConfig(
  lambda: Lambda,
  input: Input<Client, "UpdateCodeSigningConfig">,
  context: RequestContext,
): Promise<Output<Client, "UpdateCodeSigningConfig">> {
  const publishers = readPublishers(input.AllowedPublishers);
  return lambda.database.tx(async (tx) => {
    const current = await findConfig(tx, input.CodeSigningConfigArn ?? "", context);
    const row: CodeSigningConfigRow = {
      ...current,
      description: input.Description ?? current.description,
      publishers: publishers ?? current.publishers,
      untrusted: input.CodeSigningPolicies?.UntrustedArtifactOnDeployment ?? current.untrusted,
      lastModified: lambda.clock.now(),
    };
    await saveConfig(tx, row);
    return { CodeSigningConfig: describeConfig(row) };
  });
}

/** @throws ResourceConflictException while a function has it. */
export async function deleteCodeSigningConfig(
  lambda: Lambda,
  input: Input<Client, "DeleteCodeSigningConfig">,
  context: RequestContext,
): Promise<object> {
  await lambda.database.tx(async (tx) => {
    const row = await findConfig(tx, input.CodeSigningConfigArn ?? "", context);
    const [user] = await functionsOfConfig(tx, row, "", 1);
    if (user !== undefined)
      throw conflict(
        `The code signing configuration ${configArn(row)} is in use by functions, among them ${user}. ` +
          "Remove it from them first (DeleteFunctionCodeSigningConfig).",
      );
    await deleteConfig(tx, row);
  });
  return {};
}

export async function listCodeSigningConfigs(
  lambda: Lambda,
  input: Input<Client, "ListCodeSigningConfigs">,
  { account, region }: RequestContext,
): Promise<Output<Client, "ListCodeSigningConfigs">> {
  const size = pageSize(input.MaxItems);
  const id = readMarker(input.Marker)?.name ?? "";
  const rows = await configPage(lambda.database, { account, region, id }, size + 1);
  const { items, ...next } = page(rows, size, (row) => ({ name: row.id, number: 0 }));
  return { ...next, CodeSigningConfigs: items.map(describeConfig) };
}

export async function listFunctionsByCodeSigningConfig(
  lambda: Lambda,
  input: Input<Client, "ListFunctionsByCodeSigningConfig">,
  context: RequestContext,
): Promise<Output<Client, "ListFunctionsByCodeSigningConfig">> {
  const row = await findConfig(lambda.database, input.CodeSigningConfigArn ?? "", context);
  const size = pageSize(input.MaxItems);
  const after = readMarker(input.Marker)?.name ?? "";
  const names = await functionsOfConfig(lambda.database, row, after, size + 1);
  const { items, ...next } = page(names, size, (name) => ({ name, number: 0 }));
  return { ...next, FunctionArns: items.map((name) => functionArn({ ...row, name })) };
}

/** @throws InvalidParameterValueException for what is no ARN of a signing profile version. */
function readPublishers(
  allowed: Input<Client, "UpdateCodeSigningConfig">["AllowedPublishers"],
): readonly string[] | undefined {
  const arns = allowed?.SigningProfileVersionArns;
  const wrong = arns?.find((arn) => !PROFILE_VERSION_ARN.test(arn));
  if (wrong !== undefined)
    throw invalidParameter(
      `${wrong} is not the ARN of a signing profile version ` +
        "(arn:aws:signer:REGION:ACCOUNT:/signing-profiles/NAME/VERSION).",
    );
  return arns;
}
