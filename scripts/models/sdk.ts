/** Reads one `@aws-sdk/client-*` package's exported schemas into a model. */
import { createRequire } from "node:module";
import { NormalizedSchema } from "@smithy/core/schema";
import type {
  ErrorRecord,
  MemberReference,
  MemberTraits,
  ModelFile,
  OperationRecord,
  ServiceMetadata,
  ShapeRecord,
  StructureTraits,
  TypeReference,
  WireProtocol,
} from "../../src/aws/model/format.ts";
import type { GeneratedService } from "./services.ts";

const require = createRequire(import.meta.url);

/** The first slot of an operation's and of an error's schema tuple. */
const OPERATION = 9;
const ERROR = -3;

interface ClientConfig {
  readonly serviceId: string;
  readonly apiVersion: string;
  readonly defaultSigningName: string;
  readonly protocol: { readonly constructor: { readonly name: string } };
  readonly protocolSettings?: {
    readonly defaultNamespace: string;
    readonly xmlNamespace?: string;
    readonly serviceTarget: string;
    readonly awsQueryCompatible?: boolean;
  };
}

type Schema = Parameters<typeof NormalizedSchema.of>[0];
type OperationTuple = readonly [9, string, string, { http?: [string, string, number] }, Schema, Schema];
interface ErrorTraits {
  readonly error?: "client" | "server";
  readonly httpError?: number;
  readonly awsQueryError?: readonly [code: string, status: number];
}
type ErrorTuple = readonly [-3, string, string, ErrorTraits, ...unknown[]];

const PROTOCOL_OF_CLASS: Readonly<Record<string, WireProtocol>> = {
  AwsRestJsonProtocol: "restJson1",
  S3RestXmlProtocol: "restXml",
  AwsRestXmlProtocol: "restXml",
  AwsJson1_0Protocol: "awsJson1_0",
  AwsJson1_1Protocol: "awsJson1_1",
  AwsQueryProtocol: "awsQuery",
  AwsSmithyRpcV2CborProtocol: "rpcv2Cbor",
};

/** Traits that are kept; the others do not concern a server. */
const MEMBER_TRAITS = [
  "httpLabel",
  "httpQuery",
  "httpQueryParams",
  "httpHeader",
  "httpPrefixHeaders",
  "httpPayload",
  "httpResponseCode",
  "jsonName",
  "xmlName",
  "xmlFlattened",
  "xmlAttribute",
  "xmlNamespace",
  "streaming",
  "eventPayload",
  "eventHeader",
  "mediaType",
  "sparse",
  "sensitive",
  "idempotencyToken",
] as const satisfies readonly (keyof MemberTraits)[];

/** Metadata and model of a service, from its client package alone. */
export function readClientPackage(service: GeneratedService): {
  metadata: ServiceMetadata;
  model: ModelFile;
} {
  const packageName = `@aws-sdk/client-${service.name}`;
  const client = require(packageName) as Record<string, unknown>;
  const version = (require(`${packageName}/package.json`) as { version: string }).version;
  const model = readSchemas(client, `${packageName}@${version}`);
  return { metadata: readMetadata(service, client, model), model };
}

function readMetadata(
  service: GeneratedService,
  client: Record<string, unknown>,
  model: ModelFile,
): ServiceMetadata {
  const config = clientConfig(client);
  const settings = config.protocolSettings;
  const protocol = PROTOCOL_OF_CLASS[config.protocol.constructor.name];
  if (!protocol || !settings)
    throw new Error(`${service.name}: unknown protocol ${config.protocol.constructor.name}`);
  const xmlNamespace = settings.xmlNamespace ?? service.xmlNamespace;
  const pathRoots = protocol === "restJson1" ? ownPathRoots(model) : [];
  return {
    name: service.name,
    serviceId: config.serviceId,
    signingName: config.defaultSigningName,
    apiVersion: config.apiVersion,
    protocols: [protocol, ...(service.alsoSpeaks ?? [])],
    target: settings.serviceTarget,
    namespace: settings.defaultNamespace,
    ...(xmlNamespace === undefined ? {} : { xmlNamespace }),
    ...(settings.awsQueryCompatible ? { queryCompatible: true as const } : {}),
    ...(pathRoots.length ? { pathRoots } : {}),
  };
}

/** Only dated segments (`/2015-03-31/…`), and those too short (`/v2/…`), can be told from a bucket's name. */
function ownPathRoots(model: ModelFile): string[] {
  const roots = Object.values(model.operations).map((operation) => operation.http[1].split(/[/?]/)[1] ?? "");
  return [...new Set(roots)].filter((root) => /^(\d{4}-\d{2}-\d{2}|[^{]{1,2})$/.test(root)).sort();
}

function clientConfig(client: Record<string, unknown>): ClientConfig {
  type ClientClass = new (config: object) => { readonly config: ClientConfig };
  const name = Object.keys(client).find((key) => key.endsWith("Client") && !key.startsWith("_"));
  const Client = client[name ?? ""] as ClientClass;
  return new Client({ region: "us-east-1", credentials: { accessKeyId: "a", secretAccessKey: "b" } }).config;
}

function readSchemas(client: Record<string, unknown>, source: string): ModelFile {
  const walk = new SchemaWalk();
  const operations: Record<string, OperationRecord> = {};
  const errors: Record<string, ErrorRecord> = {};
  for (const key of Object.keys(client).sort()) {
    const value = client[key];
    if (!Array.isArray(value)) continue;
    if (value[0] === OPERATION) {
      const [, , name, traits, input, output] = value as unknown as OperationTuple;
      operations[name] = {
        http: traits.http ?? ["POST", "/", 200],
        ...walk.optional("input", input),
        ...walk.optional("output", output),
      };
    } else if (value[0] === ERROR && (value as unknown as ErrorTuple)[3].error) {
      const [, , name, traits] = value as unknown as ErrorTuple;
      errors[name] = errorRecord(name, traits, walk.structure(NormalizedSchema.of(value as never)));
    }
  }
  return { source, operations, errors, shapes: walk.shapes };
}

function errorRecord(name: string, traits: ErrorTraits, shape: number): ErrorRecord {
  const fault = traits.error ?? "client";
  const [queryCode = name, queryStatus] = traits.awsQueryError ?? [];
  const status = traits.httpError ?? queryStatus ?? (fault === "client" ? 400 : 500);
  return {
    shape,
    fault,
    status,
    ...(queryCode === name ? {} : { queryCode }),
    ...(queryStatus === undefined || queryStatus === status ? {} : { queryStatus }),
  };
}

/** Numbers every reachable list, map, structure and union once. */
class SchemaWalk {
  readonly shapes: ShapeRecord[] = [];
  readonly #indexes = new Map<unknown, number>();

  optional<K extends string>(key: K, schema: Schema): { [P in K]?: number } {
    const normal = NormalizedSchema.of(schema);
    return (normal.isUnitSchema() ? {} : { [key]: this.structure(normal) }) as { [P in K]?: number };
  }

  structure(schema: NormalizedSchema): number {
    const identity = schema.getSchema() as unknown as readonly unknown[];
    const known = this.#indexes.get(identity);
    if (known !== undefined) return known;
    const index = this.#reserve(identity);
    const members: Record<string, MemberReference> = {};
    for (const [name, member] of schema.structIterator()) members[name] = this.#member(member);
    const requiredCount = (identity[6] as number | undefined) ?? 0;
    const kind = schema.isUnionSchema() ? "union" : "structure";
    const traits = structureTraits(schema);
    const name = String(identity[2]);
    this.shapes[index] = traits
      ? [kind, name, requiredCount, members, traits]
      : [kind, name, requiredCount, members];
    return index;
  }

  #reserve(identity: unknown): number {
    const index = this.shapes.length;
    this.#indexes.set(identity, index);
    this.shapes.push(["list", "string"]);
    return index;
  }

  #member(schema: NormalizedSchema): MemberReference {
    const merged = schema.getMergedTraits() as Record<string, unknown>;
    const traits: Record<string, unknown> = {};
    for (const name of MEMBER_TRAITS) if (merged[name] !== undefined) traits[name] = merged[name];
    const type = this.#type(schema);
    return Object.keys(traits).length ? [type, traits] : type;
  }

  #type(schema: NormalizedSchema): TypeReference {
    if (schema.isStructSchema() || schema.isUnionSchema()) return this.structure(schema);
    if (schema.isListSchema() || schema.isMapSchema()) return this.#collection(schema);
    return simpleType(schema);
  }

  #collection(schema: NormalizedSchema): number {
    const identity = schema.getSchema();
    const known = this.#indexes.get(identity);
    if (known !== undefined) return known;
    const index = this.#reserve(identity);
    this.shapes[index] = schema.isListSchema()
      ? ["list", this.#member(schema.getValueSchema())]
      : ["map", this.#member(schema.getKeySchema()), this.#member(schema.getValueSchema())];
    return index;
  }
}

function structureTraits(schema: NormalizedSchema): StructureTraits | undefined {
  const own = schema.getOwnTraits() as Record<string, unknown>;
  const kept = Object.entries(own).filter(([name]) =>
    ["xmlName", "xmlNamespace", "streaming"].includes(name),
  );
  return kept.length ? (Object.fromEntries(kept) as StructureTraits) : undefined;
}

/** Schema numbers 4 to 7 are the four timestamp formats. */
const TIMESTAMP_TYPES = ["timestamp", "date-time", "http-date", "epoch-seconds"] as const;
const FIRST_TIMESTAMP = 4;

function simpleType(schema: NormalizedSchema): string {
  if (schema.isStringSchema()) return "string";
  if (schema.isBooleanSchema()) return "boolean";
  if (schema.isNumericSchema()) return "number";
  if (schema.isBlobSchema()) return "blob";
  if (schema.isTimestampSchema()) {
    const format = TIMESTAMP_TYPES[Number(simpleNumber(schema)) - FIRST_TIMESTAMP];
    if (format) return format;
  }
  if (schema.isDocumentSchema()) return "document";
  throw new Error(`unknown schema ${JSON.stringify(schema.getSchema())} of ${schema.getName(true)}`);
}

/** A simple schema is its number, or a named tuple whose last slot is the number. */
function simpleNumber(schema: NormalizedSchema): unknown {
  const raw = schema.getSchema() as unknown;
  return Array.isArray(raw) ? raw[4] : raw;
}
