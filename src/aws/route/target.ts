/** What a request is for: service, protocol, operation and, for REST paths, their labels. */
import type { Catalogue } from "../catalogue.ts";
import { notImplemented } from "../errors.ts";
import type { WireRequest } from "../http/wire-request.ts";
import type { WireProtocol } from "../model/format.ts";
import type { OperationModel, ServiceModel } from "../model/model.ts";
import { otherRoots } from "../patches.ts";
import { protocolFor } from "../protocol/protocols.ts";
import type { Protocol } from "../protocol/protocol.ts";
import { bucketOfHost } from "./virtual-host.ts";
import type { ServiceIndex, ServiceTarget } from "./resolve-service.ts";

export interface Target {
  readonly model: ServiceModel;
  readonly protocolName: WireProtocol;
  readonly protocol: Protocol;
  readonly found: ServiceTarget;
}

export interface OperationTarget {
  readonly operation: OperationModel;
  readonly labels: Readonly<Record<string, string>>;
}

const NO_LABELS = {};

/**
 * Finds service and protocol.
 * @throws AwsError NotImplemented for a service that is not in the index
 */
export async function resolveTarget(
  request: WireRequest,
  signingName: string | undefined,
  services: ServiceIndex,
  catalogue: Catalogue,
): Promise<Target> {
  const found = await services.resolve(request, signingName);
  if (!found) throw notImplemented(`the service ${signingName}`);
  return {
    model: catalogue.model(found.metadata.name),
    protocolName: found.protocol,
    protocol: protocolFor(found),
    found,
  };
}

type RequestHead = Pick<WireRequest, "method" | "path" | "query" | "headers" | "host">;

/**
 * Finds the operation.
 * @throws AwsError in the service's own words for an operation it does not have
 */
export function resolveOperation(
  target: Target,
  request: RequestHead,
  catalogue: Catalogue,
): OperationTarget {
  const match = findOperation(target, request, catalogue);
  if (!match) throw target.protocol.unknownOperation(`${request.method} ${request.path}`);
  return match;
}

/**
 * The same for requests that may be to no operation, by method and path; undefined then.
 * @throws AwsError for an operation that is named and does not exist
 */
export function findOperation(
  { model, protocol, found }: Target,
  request: RequestHead,
  catalogue: Catalogue,
): OperationTarget | undefined {
  if (found.operation !== undefined) {
    const operation = model.operation(found.operation);
    if (!operation) throw protocol.unknownOperation(found.operation);
    return { operation, labels: NO_LABELS };
  }
  const { method, query, headers } = request;
  const other = headers["x-amz-account-id"] === undefined ? undefined : otherRoots[rootOf(request.path)];
  if (other !== undefined) throw notImplemented(other);
  const path = restPath(model, request);
  return catalogue.router(model)({ method, path, query, headers });
}

function rootOf(path: string): string {
  return path.split("/", 2)[1] ?? "";
}

/** A request's path as its service's routes have it: with the bucket that the host may name. */
export function restPath({ metadata }: ServiceModel, request: Pick<WireRequest, "path" | "host">): string {
  const bucket = metadata.protocols[0] === "restXml" ? bucketOfHost(request.host) : undefined;
  return bucket === undefined ? request.path : `/${bucket}${request.path}`;
}

/** For errors before a service is known: what the caller most likely speaks. */
export function fallbackTarget(
  catalogue: Catalogue,
  { headers }: WireRequest,
  signingName: string | undefined,
): Target {
  const protocol = likelyProtocol(headers, signingName);
  const found = catalogue.metadata.find((service) => service.protocols.includes(protocol));
  if (!found) throw new Error(`no service speaks ${protocol}`);
  return {
    model: catalogue.model(found.name),
    protocolName: protocol,
    protocol: protocolFor({ protocol }),
    found: { metadata: found, protocol },
  };
}

function likelyProtocol(headers: WireRequest["headers"], signingName: string | undefined): WireProtocol {
  if (headers["x-amz-target"] !== undefined) return "awsJson1_0";
  if (headers["smithy-protocol"] !== undefined) return "rpcv2Cbor";
  if (headers["content-type"]?.startsWith("application/x-www-form-urlencoded")) return "awsQuery";
  return signingName === undefined || signingName.startsWith("s3") ? "restXml" : "restJson1";
}
