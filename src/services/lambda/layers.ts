/** The layers of a function: which it may have, and how large they may be together. */
import type { RequestContext } from "../../aws/service.ts";
import type { Reader } from "../../store/database.ts";
import type { Configuration } from "./configuration.ts";
import { invalidParameter, notAuthorized } from "./errors.ts";
import { layerArn, layerVersionArn, readLayerVersionArn } from "./layer-names.ts";
import type { LayerVersionId } from "./layer-names.ts";
import { LAYERS_MAX, UNZIPPED_BYTES_MAX } from "./limits.ts";
import type { ObjectVersion, ResourcePolicies } from "./ports.ts";
import { askLayer, isGrant } from "./resource-policies.ts";
import { readLayerVersion } from "./store-layers.ts";
import type { LayerVersionRow, SignedLayer } from "./store-layers.ts";
import type { Deployed } from "./version-row.ts";

/** A layer version as a function has it, whatever becomes of that version later. */
export interface FunctionLayer {
  readonly arn: string;
  /** Lower-case hex; names the blob and the unpacked folder. */
  readonly codeSha256: string;
  readonly codeBytes: number;
  readonly unzippedBytes: number;
  /** Absent where the package has none. */
  readonly signature?: SignedLayer;
  /** Where the content stays. Absent for what is stored here. */
  readonly s3Object?: ObjectVersion;
}

/** Where layers and the policies of layers are looked up. */
interface Places {
  readonly policies: ResourcePolicies;
  readonly reader: Reader;
}

/**
 * The layers that a request names, in its order.
 * @throws InvalidParameterValueException for too many, for one that does not exist, is elsewhere or comes twice;
 *   AccessDeniedException for another account's that is not shared with the caller's.
 */
export async function findLayers(
  places: Places,
  arns: readonly string[],
  context: RequestContext,
): Promise<FunctionLayer[]> {
  if (arns.length > LAYERS_MAX) throw invalidParameter(`Cannot reference more than ${LAYERS_MAX} layers.`);
  const found: FunctionLayer[] = [];
  const seen = new Map<string, string>();
  for (const arn of arns) {
    const row = await findLayer(places, arn, context);
    const layer = layerArn(row);
    const other = seen.get(layer);
    if (other !== undefined)
      throw invalidParameter(
        "Two different versions of the same layer are not allowed to be referenced in the same function. " +
          `${other} and ${arn} are versions of the same layer.`,
      );
    seen.set(layer, arn);
    const { codeSha256, signature, s3Object } = row;
    found.push({
      arn: layerVersionArn(row),
      codeSha256,
      codeBytes: s3Object?.zipBytes ?? row.codeBytes,
      unzippedBytes: s3Object?.unzippedBytes ?? row.unzippedBytes,
      ...(signature && { signature }),
      ...(s3Object && { s3Object }),
    });
  }
  return found;
}

async function findLayer(places: Places, arn: string, context: RequestContext): Promise<LayerVersionRow> {
  const id = readLayerVersionArn(arn);
  const isOwn = id?.account === context.account;
  if (isOwn && id?.region !== context.region)
    throw invalidParameter(
      `Layers are not in the same region as the function. Layers are expected to be in region ${context.region}.`,
    );
  const row = id && id.region === context.region ? await readLayerVersion(places.reader, id) : undefined;
  if (row && (isOwn || (await isSharedWith(places, row, context)))) return row;
  // Whether another account has a layer that it does not share is not told.
  throw isOwn
    ? invalidParameter(`Layer version ${arn} does not exist.`)
    : notAuthorized(arn, context, "GetLayerVersion");
}

/** Whether the policy of a layer version lets another account's caller have it. */
export async function isSharedWith(
  places: Places,
  version: LayerVersionId,
  { principal }: RequestContext,
): Promise<boolean> {
  return isGrant(await askLayer(places, version, "lambda:GetLayerVersion", principal));
}

/** @throws InvalidParameterValueException where code and layers together unpack to more than a function may have. */
export function checkSizes({ layers = [] }: Configuration, codeBytes: number): void {
  const layerBytes = layers.reduce((sum, layer) => sum + layer.unzippedBytes, 0);
  if (layerBytes > UNZIPPED_BYTES_MAX)
    throw invalidParameter(`Layers consume more than the available size of ${UNZIPPED_BYTES_MAX} bytes`);
  if (layerBytes + codeBytes > UNZIPPED_BYTES_MAX)
    throw invalidParameter(
      `Function code combined with layers exceeds the maximum allowed size of ${UNZIPPED_BYTES_MAX} bytes. ` +
        `The actual size is ${layerBytes + codeBytes} bytes.`,
    );
}

/** Where the code and the layers of a version stay that are not stored here, by their SHA-256. */
export function referencedCodes({ configuration, codeSha256 }: Deployed): ReadonlyMap<string, ObjectVersion> {
  const { s3Object, layers = [] } = configuration;
  const all = [{ codeSha256, s3Object }, ...layers];
  return new Map(all.flatMap((one) => (one.s3Object ? [[one.codeSha256, one.s3Object] as const] : [])));
}

/** The contents of layers that a version has mounted, in order. */
export function layerCodes({ configuration }: Pick<Deployed, "configuration">): string[] {
  return (configuration.layers ?? []).map((layer) => layer.codeSha256);
}
