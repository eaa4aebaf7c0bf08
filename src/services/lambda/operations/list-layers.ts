/** ListLayers and ListLayerVersions */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Lambda } from "../deps.ts";
import { describeLayerVersion } from "../describe.ts";
import { layerArn, readLayerName, requireOwn } from "../layer-names.ts";
import { page, pageSize, readMarker } from "../paging.ts";
import { layerPage, layerVersionPage } from "../store-layers.ts";

/** In order of name, each with its newest version that matches; a layer without one is left out. */
export async function listLayers(
  lambda: Lambda,
  input: Input<Client, "ListLayers">,
  { account, region }: RequestContext,
): Promise<Output<Client, "ListLayers">> {
  const size = pageSize(input.MaxItems);
  const name = readMarker(input.Marker)?.name ?? "";
  const rows = await layerPage(lambda.database, { account, region, name }, filterOf(input), size + 1);
  const { items, ...next } = page(rows, size, (row) => row);
  return {
    ...next,
    Layers: items.map((row) => ({
      LayerName: row.name,
      LayerArn: layerArn(row),
      LatestMatchingVersion: describeLayerVersion(row),
    })),
  };
}

/** The newest first. A layer that is not there has no versions. */
export async function listLayerVersions(
  lambda: Lambda,
  input: Input<Client, "ListLayerVersions">,
  context: RequestContext,
): Promise<Output<Client, "ListLayerVersions">> {
  const id = readLayerName(input.LayerName ?? "", context);
  requireOwn(id, context);
  const size = pageSize(input.MaxItems);
  const below = readMarker(input.Marker)?.number ?? Number.MAX_SAFE_INTEGER;
  const rows = await layerVersionPage(lambda.database, id, below, filterOf(input), size + 1);
  const { items, ...next } = page(rows, size, (row) => row);
  return { ...next, LayerVersions: items.map(describeLayerVersion) };
}

function filterOf(input: Input<Client, "ListLayers">) {
  return { runtime: input.CompatibleRuntime, architecture: input.CompatibleArchitecture };
}
