/** DeleteFunction */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Lambda } from "../deps.ts";
import { conflict, invalidParameter } from "../errors.ts";
import { ownReference, requireFunction } from "../lookup.ts";
import { LATEST, functionNotFound, isVersion } from "../names.ts";
import type { FunctionId } from "../names.ts";
import { deleteAliases, readAliases } from "../store-aliases.ts";
import { deleteProvisioned } from "../store-concurrency.ts";
import { deleteEventConfigs } from "../store-event-configs.ts";
import { deleteStatements } from "../store-permissions.ts";
import { deleteUrls } from "../store-urls.ts";
import { deleteFunction as deleteRows, deleteVersion, readVersion, readVersions } from "../store.ts";
import type { Deployed, VersionRow } from "../version-row.ts";

/** Deletes the function with everything that hangs on it, or one version. What runs may finish. */
export async function deleteFunction(
  lambda: Lambda,
  input: Input<Client, "DeleteFunction">,
  context: RequestContext,
): Promise<Output<Client, "DeleteFunction">> {
  const { qualifier, ...id } = ownReference(input, context);
  const gone =
    qualifier === undefined ? await deleteWhole(lambda, id) : await deleteOne(lambda, id, qualifier);
  lambda.deployments.retire(...gone.flatMap(deployments));
  return { StatusCode: 204 };
}

async function deleteWhole(lambda: Lambda, id: FunctionId): Promise<VersionRow[]> {
  return lambda.database.tx(async (tx) => {
    await requireFunction(tx, id);
    const rows = await readVersions(tx, id);
    await deleteAliases(tx, id);
    await deleteStatements(tx, id);
    await deleteEventConfigs(tx, id);
    await deleteUrls(tx, id);
    await deleteProvisioned(tx, id);
    await lambda.reservations.set(tx, id, undefined);
    await deleteRows(tx, id);
    lambda.catalogue.changes(tx, id);
    return rows;
  });
}

async function deleteOne(lambda: Lambda, id: FunctionId, qualifier: string): Promise<VersionRow[]> {
  if (!isVersion(qualifier)) throw invalidParameter("Deletion of aliases is not currently supported.");
  if (qualifier === LATEST)
    throw invalidParameter("$LATEST version cannot be deleted without deleting the function.");
  const number = Number(qualifier);
  return lambda.database.tx(async (tx) => {
    await requireFunction(tx, id);
    const row = number > 0 ? await readVersion(tx, id, number) : undefined;
    if (!row) throw functionNotFound(id, qualifier);
    const users = (await readAliases(tx, id)).filter(
      (alias) => alias.number === number || qualifier in alias.weights,
    );
    if (users.length > 0)
      throw conflict(
        `Unable to delete version because the following aliases reference it: [${users.map((alias) => alias.name).join(", ")}]`,
      );
    await deleteStatements(tx, id, qualifier);
    await deleteEventConfigs(tx, id, qualifier);
    await deleteProvisioned(tx, id, qualifier);
    await deleteVersion(tx, id, number);
    lambda.catalogue.changes(tx, id);
    return [row];
  });
}

function deployments(row: VersionRow): Deployed[] {
  return row.serving ? [row, row.serving] : [row];
}
