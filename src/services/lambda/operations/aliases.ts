/** CreateAlias, GetAlias, UpdateAlias, DeleteAlias, ListAliases */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { readWeights, requireCompatible, versionNumber } from "../alias-rules.ts";
import type { Client, Lambda } from "../deps.ts";
import { describeAlias } from "../describe.ts";
import { conflict, staleRevision } from "../errors.ts";
import { findAlias, requireFunction, unqualifiedReference } from "../lookup.ts";
import { functionArn } from "../names.ts";
import { page, pageSize, readMarker } from "../paging.ts";
import { deleteAlias as deleteRow, readAlias, readAliases, saveAlias } from "../store-aliases.ts";
import type { AliasRow } from "../store-aliases.ts";
import { requireMovable } from "../provisioned-targets.ts";
import { deleteProvisioned } from "../store-concurrency.ts";
import { deleteEventConfigs } from "../store-event-configs.ts";
import { deleteUrls } from "../store-urls.ts";
import { deleteStatements } from "../store-permissions.ts";

export async function createAlias(
  lambda: Lambda,
  input: Input<Client, "CreateAlias">,
  context: RequestContext,
): Promise<Output<Client, "CreateAlias">> {
  const id = unqualifiedReference(input, context);
  const name = input.Name ?? "";
  return lambda.database.tx(async (tx) => {
    await requireFunction(tx, id);
    const number = versionNumber(input.FunctionVersion ?? "");
    const weights = readWeights(number, input.RoutingConfig?.AdditionalVersionWeights ?? {});
    await requireCompatible(tx, id, number, weights);
    if (await readAlias(tx, id, name)) throw conflict(`Alias already exists: ${functionArn(id, name)}`);
    const alias: AliasRow = {
      name,
      number,
      weights,
      description: input.Description ?? "",
      revision: lambda.ids.uuid(),
    };
    await saveAlias(tx, id, alias);
    lambda.catalogue.changes(tx, id);
    return describeAlias(id, alias);
  });
}

export async function getAlias(
  lambda: Lambda,
  input: Input<Client, "GetAlias">,
  context: RequestContext,
): Promise<Output<Client, "GetAlias">> {
  const id = unqualifiedReference(input, context);
  return describeAlias(id, await findAlias(lambda.database, id, input.Name ?? ""));
}

/** Members that the request does not name stay; an empty RoutingConfig clears the weights. */
export async function updateAlias(
  lambda: Lambda,
  input: Input<Client, "UpdateAlias">,
  context: RequestContext,
): Promise<Output<Client, "UpdateAlias">> {
  const id = unqualifiedReference(input, context);
  return lambda.database.tx(async (tx) => {
    const current = await findAlias(tx, id, input.Name ?? "");
    if (input.RevisionId !== undefined && input.RevisionId !== current.revision) throw staleRevision();
    const number =
      input.FunctionVersion === undefined ? current.number : versionNumber(input.FunctionVersion);
    const weights = readWeights(
      number,
      input.RoutingConfig ? (input.RoutingConfig.AdditionalVersionWeights ?? {}) : current.weights,
    );
    await requireCompatible(tx, id, number, weights);
    const alias: AliasRow = {
      name: current.name,
      number,
      weights,
      description: input.Description ?? current.description,
      revision: lambda.ids.uuid(),
    };
    await requireMovable(tx, id, alias);
    await saveAlias(tx, id, alias);
    lambda.catalogue.changes(tx, id);
    return describeAlias(id, alias);
  });
}

/** Deletes an alias and its policy; one that does not exist is deleted already. */
export async function deleteAlias(
  lambda: Lambda,
  input: Input<Client, "DeleteAlias">,
  context: RequestContext,
): Promise<object> {
  const id = unqualifiedReference(input, context);
  const name = input.Name ?? "";
  await lambda.database.tx(async (tx) => {
    await requireFunction(tx, id);
    await deleteRow(tx, id, name);
    await deleteStatements(tx, id, name);
    await deleteEventConfigs(tx, id, name);
    await deleteUrls(tx, id, name);
    await deleteProvisioned(tx, id, name);
    lambda.catalogue.changes(tx, id);
  });
  return {};
}

/** In order of name; with FunctionVersion those that send something to that version. */
export async function listAliases(
  lambda: Lambda,
  input: Input<Client, "ListAliases">,
  context: RequestContext,
): Promise<Output<Client, "ListAliases">> {
  const id = unqualifiedReference(input, context);
  await requireFunction(lambda.database, id);
  const { FunctionVersion } = input;
  const wanted = FunctionVersion === undefined ? undefined : versionNumber(FunctionVersion);
  const after = readMarker(input.Marker)?.name ?? "";
  const aliases = (await readAliases(lambda.database, id)).filter(
    (alias) =>
      alias.name > after && (wanted === undefined || alias.number === wanted || `${wanted}` in alias.weights),
  );
  const { items, ...next } = page(aliases, pageSize(input.MaxItems), ({ name }) => ({ name, number: 0 }));
  return { ...next, Aliases: items.map((alias) => describeAlias(id, alias)) };
}
