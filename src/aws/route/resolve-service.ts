/** Finds the service, and the protocol, that a request is for. */
import { gunzipSync } from "node:zlib";
import type { ServiceMetadata, WireProtocol } from "../model/format.ts";
import { pathMembers } from "../patches.ts";
import { headerText } from "../http/wire-request.ts";
import type { WireRequest } from "../http/wire-request.ts";
import { MalformedInput } from "../protocol/malformed-input.ts";

export interface ServiceTarget {
  readonly metadata: ServiceMetadata;
  readonly protocol: WireProtocol;
  /** The body's notation where it is not the protocol's own: Kinesis clients in Java send JSON's shapes as CBOR. */
  readonly cbor?: true;
  /** Undefined where method and path tell it. */
  readonly operation?: string;
  /** The query protocol's fields. */
  readonly form?: readonly (readonly [string, string])[];
}

export interface ServiceIndex {
  resolve(request: WireRequest, signingName: string | undefined): Promise<ServiceTarget | undefined>;
}

const RPC_PATH = /\/service\/([^/]+)\/operation\/([^/]+)$/;
const FORM_BYTES_MAX = 16 * 1024 * 1024;
const CBOR_1_1 = "application/x-amz-cbor-1.1";

/** Prepares the look-ups once. */
export function createServiceIndex(services: readonly ServiceMetadata[]): ServiceIndex {
  const byTarget = new Map(services.map((service) => [service.target, service]));
  const bySigningName = Map.groupBy(services, (service) => service.signingName);
  const queryServices = services.filter((service) => service.protocols.includes("awsQuery"));
  const byPathRoot = new Map(
    services.flatMap((service) => (service.pathRoots ?? []).map((root) => [root, service])),
  );
  const restXml = services.find((service) => service.protocols[0] === "restXml");

  /** The order matters: what is most explicit comes first. */
  async function resolve(request: WireRequest, signingName: string | undefined) {
    const signed = signingName === undefined ? [] : (bySigningName.get(signingName) ?? []);
    return (
      byTargetHeader(request) ??
      byRpcPath(request) ??
      (await byForm(request, signed, signingName !== undefined)) ??
      byScope(request, signed) ??
      byPath(request, signingName !== undefined)
    );
  }

  function byTargetHeader(request: WireRequest): ServiceTarget | undefined {
    const target = headerText(request.headers, "x-amz-target");
    if (target === undefined) return undefined;
    const dot = target.lastIndexOf(".");
    const metadata = byTarget.get(target.slice(0, dot));
    if (!metadata) return undefined;
    const type = headerText(request.headers, "content-type") ?? "";
    const operation = target.slice(dot + 1);
    if (type.startsWith(CBOR_1_1)) return { metadata, protocol: "awsJson1_1", cbor: true, operation };
    return { metadata, protocol: type.includes("json-1.0") ? "awsJson1_0" : "awsJson1_1", operation };
  }

  function byRpcPath(request: WireRequest): ServiceTarget | undefined {
    if (headerText(request.headers, "smithy-protocol") !== "rpc-v2-cbor") return undefined;
    const [, target = "", operation = ""] = RPC_PATH.exec(request.path) ?? [];
    const metadata = byTarget.get(target);
    return metadata && { metadata, protocol: "rpcv2Cbor", operation };
  }

  async function byForm(
    request: WireRequest,
    signed: readonly ServiceMetadata[],
    isSigned: boolean,
  ): Promise<ServiceTarget | undefined> {
    const candidates = isSigned ? signed.filter((service) => queryServices.includes(service)) : queryServices;
    if (candidates.length === 0) return undefined;
    const form = await readFields(request);
    const field = (name: string) => form?.find(([key]) => key === name)?.[1];
    const operation = field("Action");
    if (!form || operation === undefined) return undefined;
    const version = field("Version");
    const metadata =
      candidates.find((service) => service.apiVersion === version) ??
      (isSigned ? candidates[0] : candidates.find(({ name }) => pathMembers[name]?.path.test(request.path)));
    return metadata && { metadata, protocol: "awsQuery", operation, form: withPath(form, metadata, request) };
  }

  /** Unsigned requests: a dated first segment is told from a bucket's name, all else is S3's. */
  function byPath(request: WireRequest, isSigned: boolean): ServiceTarget | undefined {
    if (isSigned) return undefined;
    const metadata = byPathRoot.get(request.path.split("/", 2)[1] ?? "");
    if (metadata) return { metadata, protocol: "restJson1" };
    return restXml && { metadata: restXml, protocol: "restXml" };
  }

  return { resolve };
}

function byScope(request: WireRequest, signed: readonly ServiceMetadata[]): ServiceTarget | undefined {
  const rest = signed.filter((service) => service.protocols[0]?.startsWith("rest"));
  const root = request.path.split("/", 2)[1] ?? "";
  // API Gateway's two versions share a scope; all paths of the newer one begin with its version.
  const metadata =
    rest.find((service) => service.pathRoots?.includes(root)) ??
    rest.find((service) => !service.pathRoots) ??
    rest[0] ??
    signed[0];
  return metadata && { metadata, protocol: metadata.protocols[0] ?? "restJson1" };
}

type Form = readonly (readonly [string, string])[];

/** The form with the member that the path stands for, where it does not name that itself. */
function withPath(form: Form, { name: service }: ServiceMetadata, { path }: WireRequest): Form {
  const member = pathMembers[service];
  if (!member?.path.test(path) || form.some(([name]) => name === member.name)) return form;
  return [...form, [member.name, path]];
}

async function readFields(request: WireRequest): Promise<Form | undefined> {
  if (request.query.has("Action"))
    return [...request.query].map(([name, values]) => [name, values[0] ?? ""] as const);
  const type = headerText(request.headers, "content-type");
  if (request.method !== "POST" || !type?.startsWith("application/x-www-form-urlencoded")) return undefined;
  const raw = await request.body.raw();
  const isGzip = headerText(request.headers, "content-encoding") === "gzip";
  return [...new URLSearchParams((isGzip ? gunzip(raw) : raw).toString("utf8"))];
}

function gunzip(bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: FORM_BYTES_MAX });
  } catch (error) {
    throw new MalformedInput(
      `The body is not valid gzip: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
