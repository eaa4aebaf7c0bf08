/** AddLayerVersionPermission, RemoveLayerVersionPermission, GetLayerVersionPolicy */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Reader } from "../../../store/database.ts";
import type { Client, Lambda } from "../deps.ts";
import { notFound, staleRevision } from "../errors.ts";
import { layerPolicyKey, layerVersionArn, readLayerVersion as readId, requireOwn } from "../layer-names.ts";
import type { LayerVersionId } from "../layer-names.ts";
import { checkNewStatement, newStatement, policyDocument } from "../policy.ts";
import { readLayerVersion, touchLayerVersion } from "../store-layers.ts";
import type { LayerVersionRow } from "../store-layers.ts";
import { deleteStatement, insertStatement, readStatements } from "../store-permissions.ts";

const READ_CALL = "GetLayerPolicy";

/** Lets other accounts have a layer version. */
export async function addLayerVersionPermission(
  lambda: Lambda,
  input: Input<Client, "AddLayerVersionPermission">,
  context: RequestContext,
): Promise<Output<Client, "AddLayerVersionPermission">> {
  const version = ownVersion(input, context);
  const { OrganizationId, ...grant } = input;
  const statement = newStatement({ ...grant, PrincipalOrgID: OrganizationId }, layerVersionArn(version));
  const { id, qualifier } = layerPolicyKey(version);
  return lambda.database.tx(async (tx) => {
    await requireRevision(tx, version, input.RevisionId);
    checkNewStatement(statement, await readStatements(tx, id, qualifier));
    await insertStatement(tx, id, qualifier, statement);
    const revision = lambda.ids.uuid();
    await touchLayerVersion(tx, version, revision);
    return { Statement: JSON.stringify(statement), RevisionId: revision };
  });
}

export async function removeLayerVersionPermission(
  lambda: Lambda,
  input: Input<Client, "RemoveLayerVersionPermission">,
  context: RequestContext,
): Promise<object> {
  const version = ownVersion(input, context);
  const { id, qualifier } = layerPolicyKey(version);
  await lambda.database.tx(async (tx) => {
    await requireRevision(tx, version, input.RevisionId);
    if (!(await deleteStatement(tx, id, qualifier, input.StatementId ?? "")))
      throw notFound(`Statement ${input.StatementId} is not found in resource policy.`);
    await touchLayerVersion(tx, version, lambda.ids.uuid());
  });
  return {};
}

export async function getLayerVersionPolicy(
  lambda: Lambda,
  input: Input<Client, "GetLayerVersionPolicy">,
  context: RequestContext,
): Promise<Output<Client, "GetLayerVersionPolicy">> {
  const version = ownVersion(input, context);
  const { id, qualifier } = layerPolicyKey(version);
  const row = await requireVersion(lambda.database, version);
  const statements = await readStatements(lambda.database, id, qualifier);
  if (statements.length === 0) throw notFound("No policy is associated with the given resource.");
  return { Policy: policyDocument(statements), RevisionId: row.revision };
}

function ownVersion(input: Input<Client, "GetLayerVersionPolicy">, context: RequestContext): LayerVersionId {
  const version = readId(input, context);
  requireOwn(version, context);
  return version;
}

/** @throws ResourceNotFoundException. */
async function requireVersion(reader: Reader, version: LayerVersionId): Promise<LayerVersionRow> {
  const row = await readLayerVersion(reader, version);
  if (!row) throw notFound(`Layer version ${layerVersionArn(version)} does not exist.`);
  return row;
}

/** @throws PreconditionFailedException where the request is for another revision. */
async function requireRevision(
  reader: Reader,
  version: LayerVersionId,
  revision: string | undefined,
): Promise<void> {
  const row = await requireVersion(reader, version);
  if (revision !== undefined && revision !== row.revision) throw staleRevision(READ_CALL);
}
