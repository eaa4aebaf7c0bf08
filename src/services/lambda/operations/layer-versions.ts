/** PublishLayerVersion, GetLayerVersion, GetLayerVersionByArn, DeleteLayerVersion */
import type { GetLayerVersionResponse } from "@aws-sdk/client-lambda";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { codeLocation } from "../code/location.ts";
import { withStoredCode } from "../code/code-source.ts";
import { referencedCode, storedBytes } from "../configuration.ts";
import type { Client, Lambda } from "../deps.ts";
import { describeLayerVersion, describeObject, describeSigner } from "../describe.ts";
import { notAuthorized, notFound } from "../errors.ts";
import {
  layerArn,
  layerPolicyKey,
  layerVersionArn,
  readLayerName,
  readLayerVersion,
  readLayerVersionArn,
  requireOwn,
} from "../layer-names.ts";
import type { LayerVersionId } from "../layer-names.ts";
import { isSharedWith } from "../layers.ts";
import { refuseLayerContent } from "../refusals.ts";
import { checkStorage } from "../requirements.ts";
import { signerOf } from "../signing/admission.ts";
import * as store from "../store-layers.ts";
import type { LayerVersionRow } from "../store-layers.ts";
import { readUsage } from "../store-lists.ts";
import { deleteStatements } from "../store-permissions.ts";

/** Makes the next version of a layer, and the layer with its first; nothing is ever published twice under one number. */
export async function publishLayerVersion(
  lambda: Lambda,
  input: Input<Client, "PublishLayerVersion">,
  context: RequestContext,
): Promise<Output<Client, "PublishLayerVersion">> {
  const id = readLayerName(input.LayerName ?? "", context);
  requireOwn(id, context);
  refuseLayerContent(input.Content);
  return withStoredCode(lambda, input.Content ?? {}, context, async (code) => {
    const signer = await signerOf(lambda, code.signature);
    const row = await lambda.database.tx(async (tx) => {
      const usage = await readUsage(tx, id.account, id.region);
      const stored = storedBytes(code);
      checkStorage(usage.unzipped + stored.unzippedBytes, lambda.limits);
      const published: LayerVersionRow = {
        ...id,
        number: await store.nextLayerNumber(tx, id),
        description: input.Description ?? "",
        licenseInfo: input.LicenseInfo ?? null,
        runtimes: input.CompatibleRuntimes ?? null,
        architectures: input.CompatibleArchitectures ?? null,
        createdAt: lambda.clock.now(),
        codeSha256: code.sha256,
        ...stored,
        signature: code.signature ? { ...code.signature, ...(signer && { signer }) } : null,
        s3Object: referencedCode(code) ?? null,
        revision: lambda.ids.uuid(),
      };
      await store.insertLayerVersion(tx, published);
      return published;
    });
    return describeWhole(lambda, row, context);
  });
}

export async function getLayerVersion(
  lambda: Lambda,
  input: Input<Client, "GetLayerVersion">,
  context: RequestContext,
): Promise<Output<Client, "GetLayerVersion">> {
  return read(lambda, readLayerVersion(input, context), context);
}

export async function getLayerVersionByArn(
  lambda: Lambda,
  input: Input<Client, "GetLayerVersionByArn">,
  context: RequestContext,
): Promise<Output<Client, "GetLayerVersionByArn">> {
  const id = readLayerVersionArn(input.Arn ?? "");
  if (!id) throw noSuchVersion();
  return read(lambda, id, context);
}

/** Functions that have it go on with what it held. Deleting what is not there is no error, as on AWS. */
export async function deleteLayerVersion(
  lambda: Lambda,
  input: Input<Client, "DeleteLayerVersion">,
  context: RequestContext,
): Promise<object> {
  const id = readLayerVersion(input, context);
  requireOwn(id, context);
  const gone = await lambda.database.tx(async (tx) => {
    const row = await store.readLayerVersion(tx, id);
    await store.deleteLayerVersion(tx, id);
    const policy = layerPolicyKey(id);
    await deleteStatements(tx, policy.id, policy.qualifier);
    return row;
  });
  if (gone) await lambda.code.release(gone.codeSha256);
  return {};
}

async function read(
  lambda: Lambda,
  id: LayerVersionId,
  context: RequestContext,
): Promise<GetLayerVersionResponse> {
  const places = { policies: lambda.policies, reader: lambda.database };
  const row = await store.readLayerVersion(lambda.database, id);
  if (id.account !== context.account && !(row && (await isSharedWith(places, row, context))))
    throw notAuthorized(layerVersionArn(id), context, "GetLayerVersion");
  if (!row) throw noSuchVersion();
  return describeWhole(lambda, row, context);
}

function describeWhole(
  { clock, locationSecret }: Lambda,
  row: LayerVersionRow,
  { endpoint }: RequestContext,
): GetLayerVersionResponse {
  return {
    ...describeLayerVersion(row),
    LayerArn: layerArn(row),
    Content: {
      Location: codeLocation(
        { clock, secret: locationSecret },
        endpoint,
        row.codeSha256,
        row.s3Object ?? undefined,
      ),
      CodeSha256: Buffer.from(row.codeSha256, "hex").toString("base64"),
      CodeSize: row.s3Object?.zipBytes ?? row.codeBytes,
      ...(row.s3Object && { ResolvedS3Object: describeObject(row.s3Object) }),
      ...describeSigner(row.signature?.signer),
    },
  };
}

function noSuchVersion(): Error {
  return notFound("The resource you requested does not exist.");
}
