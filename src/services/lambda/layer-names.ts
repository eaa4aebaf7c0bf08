/** Layers and their versions as requests name them, and the ARNs they stand for. */
import type { RequestContext } from "../../aws/service.ts";
import { invalidParameter, notAuthorized } from "./errors.ts";

/** A layer of one account and region. */
export interface LayerId {
  readonly account: string;
  readonly region: string;
  readonly name: string;
}

export interface LayerVersionId extends LayerId {
  readonly number: number;
}

const ARN = /^arn:aws[a-zA-Z-]*:lambda:([a-z0-9-]+):(\d{12}):layer:([a-zA-Z0-9-_]+)(?::(\d+))?$/;

/** Reads a layer's name, or its ARN, of any account and region. */
export function readLayerName(name: string, here: { account: string; region: string }): LayerId {
  const [, region, account, inner] = ARN.exec(name) ?? [];
  return region !== undefined && account !== undefined && inner !== undefined
    ? { account, region, name: inner }
    : { account: here.account, region: here.region, name };
}

/** Reads the ARN of a layer version; undefined when it is none. */
export function readLayerVersionArn(arn: string): LayerVersionId | undefined {
  const [, region, account, name, number] = ARN.exec(arn) ?? [];
  if (region === undefined || account === undefined || name === undefined || number === undefined)
    return undefined;
  return { account, region, name, number: Number(number) };
}

interface Named {
  readonly LayerName?: string | undefined;
  readonly VersionNumber?: number | undefined;
}

/** @throws InvalidParameterValueException for a version below 1. */
export function readLayerVersion(input: Named, here: { account: string; region: string }): LayerVersionId {
  const number = input.VersionNumber ?? 0;
  if (number < 1) throw invalidParameter("Layer Version Cannot be less than 1");
  return { ...readLayerName(input.LayerName ?? "", here), number };
}

/** @throws AccessDeniedException for what is another account's or region's, which only its own may change. */
export function requireOwn(id: LayerId, context: RequestContext): void {
  if (id.account === context.account && id.region === context.region) return;
  const arn = "number" in id ? layerVersionArn(id as LayerVersionId) : layerArn(id);
  throw notAuthorized(arn, context, context.operation);
}

export function layerArn({ account, region, name }: LayerId): string {
  return `arn:aws:lambda:${region}:${account}:layer:${name}`;
}

export function layerVersionArn(id: LayerVersionId): string {
  return `${layerArn(id)}:${id.number}`;
}

/** Where a layer version's policy is kept: beside those of functions, whose names have no colon. */
export function layerPolicyKey({ account, region, name, number }: LayerVersionId) {
  return { id: { account, region, name: `layer:${name}` }, qualifier: String(number) };
}
