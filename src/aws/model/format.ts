/** The format of the generated model files: compact, so that a service loads in a few milliseconds. */

/** One service, as `index.gen.json` lists it: enough to find the service a request is for. */
export interface ServiceMetadata {
  /** The folder and file name: `cloudwatch-logs`. */
  readonly name: string;
  /** AWS's identifier: `CloudWatch Logs`. */
  readonly serviceId: string;
  /** The service name in a credential scope: `logs`. */
  readonly signingName: string;
  readonly apiVersion: string;
  /** All that the service speaks; the first is what today's SDK for JavaScript uses. */
  readonly protocols: readonly WireProtocol[];
  /** The part of X-Amz-Target before the dot. */
  readonly target: string;
  readonly namespace: string;
  readonly xmlNamespace?: string;
  /** JSON and CBOR errors also carry the code that the service's old query protocol used. */
  readonly queryCompatible?: true;
  /** First path segments that belong to this service alone, for requests that carry no credentials. */
  readonly pathRoots?: readonly string[];
}

export type WireProtocol = "restJson1" | "restXml" | "awsJson1_0" | "awsJson1_1" | "awsQuery" | "rpcv2Cbor";

/** The name of a simple type, or the index of a shape. */
export type TypeReference = string | number;
export type MemberReference = TypeReference | readonly [TypeReference, MemberTraits];

/** Smithy traits of a member, merged with those of its target. */
export interface MemberTraits {
  readonly httpLabel?: 1;
  readonly httpQuery?: string;
  readonly httpQueryParams?: 1;
  readonly httpHeader?: string;
  readonly httpPrefixHeaders?: string;
  readonly httpPayload?: 1;
  readonly httpResponseCode?: 1;
  readonly jsonName?: string;
  readonly xmlName?: string;
  readonly xmlFlattened?: 1;
  readonly xmlAttribute?: 1;
  readonly xmlNamespace?: readonly [prefix: string, uri: string];
  readonly streaming?: 1;
  readonly eventPayload?: 1;
  readonly eventHeader?: 1;
  readonly mediaType?: string;
  readonly sparse?: 1;
  readonly sensitive?: 1;
  readonly idempotencyToken?: 1;
}

export interface StructureTraits {
  readonly xmlName?: string;
  readonly xmlNamespace?: readonly [prefix: string, uri: string];
  readonly streaming?: 1;
}

export type ShapeRecord =
  | readonly [
      kind: "structure" | "union",
      name: string,
      requiredCount: number,
      members: { readonly [name: string]: MemberReference },
      traits?: StructureTraits,
    ]
  | readonly [kind: "list", member: MemberReference]
  | readonly [kind: "map", key: MemberReference, value: MemberReference];

export interface OperationRecord {
  readonly http: readonly [method: string, uri: string, status: number];
  /** Absent for an operation without input (or output). */
  readonly input?: number;
  readonly output?: number;
}

export interface ErrorRecord {
  readonly shape: number;
  readonly fault: "client" | "server";
  readonly status: number;
  /** The code on the query protocol, where it differs from the name. */
  readonly queryCode?: string;
  /** The status on the query protocol, where it differs. */
  readonly queryStatus?: number;
}

/** `<service>.gen.json`: from the SDK client package alone. */
export interface ModelFile {
  readonly source: string;
  readonly operations: { readonly [name: string]: OperationRecord };
  readonly errors: { readonly [name: string]: ErrorRecord };
  readonly shapes: readonly ShapeRecord[];
}

/** What botocore's model says about one type; `of`, `key` and `value` are indexes into the same table. */
export interface ConstraintRecord {
  readonly type?: "integer" | "long" | "float" | "double";
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly of?: number;
  readonly key?: number;
  readonly value?: number;
}

/** `<service>.constraints.gen.json`: what the SDK packages drop. */
export interface ConstraintsFile {
  readonly source: string;
  /** Structure name, member name, index into the table. */
  readonly members: { readonly [structure: string]: { readonly [member: string]: number } };
  readonly table: readonly ConstraintRecord[];
  /** Names of the errors that each operation declares. */
  readonly errors: { readonly [operation: string]: readonly string[] };
}
