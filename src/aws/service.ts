/** What a service gives the front door: typed operations, derived from the SDK clients at compile time only. */
import type { IncomingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import type { Caller } from "./auth/authenticate.ts";
import type { SignedText } from "./auth/signed-text.ts";
import type { WireResponse } from "./protocol/protocol.ts";

export type ProtocolName = "restJson1" | "restXml" | "awsJson1_0" | "awsJson1_1" | "awsQuery" | "rpcv2Cbor";

/** Who calls. With authentication off this is the account's root. */
export interface Principal {
  readonly type: "root" | "user" | "assumed-role" | "anonymous";
  readonly account: string;
  /** `arn:aws:iam::123456789012:root`, `…:user/name`, `arn:aws:sts::…:assumed-role/role/session`. */
  readonly arn: string;
  readonly userId: string;
  readonly accessKeyId: string | undefined;
  /** For an assumed role: the role's own ARN. */
  readonly roleArn?: string;
}

/** Facts of a request by condition key (`s3:prefix`), as the policy language compares them. */
export type ConditionValues = Readonly<Record<string, string | readonly string[]>>;

/** One thing that the caller's policies must allow for a request to be served. */
export interface Requirement {
  /** As AWS's Service Authorization Reference names it: `s3:GetObject`. */
  readonly action: string;
  /** An ARN, or `*` for actions that have none. */
  readonly resource: string;
  /** Condition keys of the service; the keys that every request has come from the front door. */
  readonly conditions?: ConditionValues;
  /** The whole text of the refusal, where the service words it otherwise. */
  readonly refusal?: string;
  /** The refusal's code, where the service has one of its own. */
  readonly code?: string;
  /** Another action that is as good. */
  readonly alternative?: string;
  /** The account that the resource belongs to, where its ARN does not say: callers of other accounts then need its policy's leave. */
  readonly owner?: string;
}

/** One request, as an operation sees it. State is keyed by account and region. */
export interface RequestContext {
  readonly requestId: string;
  readonly account: string;
  readonly region: string;
  readonly principal: Principal;
  readonly service: string;
  readonly operation: string;
  readonly protocol: ProtocolName;
  /** Lower-case names. */
  readonly headers: IncomingHttpHeaders;
  /** Scheme, host and port the caller used: `http://localhost:4566`; for URLs we hand out. */
  readonly endpoint: string;
  /** Verified trailing headers of an aws-chunked body; complete once the body has ended. */
  readonly trailers: Readonly<Record<string, string>>;
  /** The body of a request that does not stream, as it was sent: for digests that a service is to verify. */
  readonly bodyBytes?: () => Promise<Buffer>;
  /** Aborts when the caller has gone. */
  readonly signal: AbortSignal;
  /** The caller's address, as events and logs tell it. */
  readonly sourceIp?: string;
  /** Further response headers, for the few that no model carries; also those of an error's answer. */
  readonly responseHeaders: Record<string, string>;
  /** The status of a success that is not the model's own: S3's 206 for a range. */
  responseStatus?: number;
  /**
   * For requirements that only show while the operation works: one key of many, an object that is not there. Absent
   * where the caller may do everything in the account. @throws AwsError as the service refuses
   */
  authorize?: (requirement: Requirement) => Promise<void>;
}

type Bytes = Uint8Array;
type Replace<T, Name extends string, V> = Name extends keyof T
  ? undefined extends T[Name]
    ? Omit<T, Name> & { [K in Name]?: V | undefined }
    : Omit<T, Name> & { [K in Name]: V }
  : T;

export type OperationName<M> = {
  [K in keyof M]: K extends `${infer N}Command` ? (N extends "$" ? never : N) : never;
}[keyof M] &
  string;

type CommandOf<M, N extends string> = `${N}Command` extends keyof M ? M[`${N}Command`] : never;
type RawInput<M, N extends string> =
  CommandOf<M, N> extends abstract new (...a: never[]) => infer C
    ? C extends { input: infer I }
      ? I
      : never
    : never;
type RawOutput<M, N extends string> =
  CommandOf<M, N> extends abstract new (...a: never[]) => infer C
    ? C extends { resolveMiddleware(...a: never[]): (...a: never[]) => Promise<{ output: infer O }> }
      ? O
      : never
    : never;

/** An operation's input: a streaming `Body` (or `InvokeArgs`) is a Readable, a blob `Payload` a Buffer, dates are Date, blobs Uint8Array. */
export type Input<M, N extends string> = Replace<
  Replace<Replace<RawInput<M, N>, "Body", Readable>, "InvokeArgs", Readable>,
  "Payload",
  Buffer
>;
/** An operation's output. A streaming `Body` may be a Readable or bytes. */
export type Output<M, N extends string> = Replace<
  Replace<Omit<RawOutput<M, N>, "$metadata">, "Body", Readable | AsyncIterable<Bytes> | Bytes | string>,
  "Payload",
  Bytes | string
>;

/** A service's operations by AWS name, each a plain function of the service's dependencies. */
export type OperationTable<M, Deps> = {
  readonly [N in OperationName<M>]?: (
    deps: Deps,
    input: Input<M, N>,
    context: RequestContext,
  ) => Promise<Output<M, N>> | Output<M, N>;
};

export type BoundOperation = (input: never, context: RequestContext) => Promise<unknown>;

/** A request that has come whole, of a caller who may do everything in the account. */
export interface DirectCall {
  readonly requestId: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Whose signal aborts when the caller has gone. */
  readonly caller: { readonly signal: AbortSignal };
  /** Headers of the success and of the error alike, as in a `RequestContext`. */
  readonly responseHeaders: Record<string, string>;
}

/** Answers a call as the general way would; undefined, with nothing done, where it cannot, or where that would refuse. */
export type DirectAnswer = (call: DirectCall) => Promise<WireResponse> | undefined;

/** A service's short cuts past reading, checking and writing by its model, for what is called most. */
export interface DirectService {
  /** How their paths begin; absent for a service whose requests name the operation in X-Amz-Target. */
  readonly pathRoot?: string;
  /** Lower-case names of headers that they understand, beside those that every request has. */
  readonly headers: ReadonlySet<string>;
  find(
    operation: string,
    labels: Readonly<Record<string, string>>,
    place: { readonly account: string; readonly region: string },
  ): DirectAnswer | undefined;
}

export interface Service {
  /** The folder and model name: `s3`, `cloudwatch-logs`. */
  readonly name: string;
  readonly operations: ReadonlyMap<string, BoundOperation>;
  /** What its requests need of the caller's policies. */
  readonly authorization?: ServiceAuthorization;
  readonly direct?: DirectService;
  readonly crossOrigin?: CrossOrigin;
  readonly others?: OtherRequests;
}

/** A request that none of the model's operations answers. */
export interface OtherRequest {
  readonly method: string;
  /** Still encoded; begins with the bucket for S3. */
  readonly path: string;
  /** Host and port the caller used. */
  readonly host: string;
  /** Lower-case names. */
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
  /** Who signed a text of the request's with their key; for none, nobody with authentication on. @throws AwsError */
  identify(signed: SignedText | undefined): Promise<Caller>;
  /**
   * Does by `run` what one of the model's operations would be asked to by these labels, headers and body, and answers as that would.
   * @throws AwsError, for a caller who may not do it too
   */
  call(as: OtherCall): Promise<WireResponse>;
}

export interface OtherCall {
  readonly operation: string;
  readonly caller: Caller;
  readonly labels: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
  readonly run: BoundOperation;
}

/** A service's answers to requests of which its model says nothing: S3's uploads by forms. */
export interface OtherRequests {
  /** Undefined for a request that it does not know either. */
  answer(request: OtherRequest): Promise<WireResponse> | undefined;
}

type Loosely<T> = T | Promise<T>;

/** What a policy on a resource grants or denies a caller. `account`: it names their account, whose own policies must allow it too. */
export type ResourceGrant = "denied" | "principal" | "role" | "account" | "none";

/** A service's part in deciding who may do what; of root, which needs nobody's leave, only whether a resource's policy denies it. */
export interface ServiceAuthorization {
  /** The operations whose requirements it knows: all that the service has. */
  readonly operations: ReadonlySet<string>;
  /** Everything that the caller's policies must allow. @throws AwsError for input that names nothing */
  requirements(
    operation: string,
    input: Readonly<Record<string, unknown>>,
    context: RequestContext,
  ): Loosely<readonly Requirement[]>;
  /**
   * What a policy on the resource itself grants: to the `principal` (their user, session, or everyone), which then needs no
   * identity-based policy; to their `role`, which boundaries and session policies still limit; or nothing. What it denies stays denied
   * whatever else allows it. @param requirement With every condition key that is known of the request.
   */
  resourceGrant?(requirement: Requirement, context: RequestContext): Promise<ResourceGrant>;
  /** Whether `resourceGrant` is to be asked of root too, whom nothing but a denial by the resource keeps from anything. */
  readonly bindsRoot?: boolean;
  /** Whether a policy on a resource may let in callers who are nobody. */
  readonly admitsAnonymous?: boolean;
}

/** A request of a page elsewhere, or a browser's question whether there may be one. */
export interface CrossOriginRequest {
  readonly method: string;
  /** Still encoded; begins with the bucket for S3. */
  readonly path: string;
  /** Lower-case names. */
  readonly headers: IncomingHttpHeaders;
}

/** A service's part in what browsers let pages of other origins do. */
export interface CrossOrigin {
  /** The headers that answer a preflight. @throws AwsError for what is not allowed */
  preflight(request: CrossOriginRequest): Promise<Readonly<Record<string, string>>>;
  /** The headers with which a request that has an Origin is answered, whatever comes of it. */
  headers(request: CrossOriginRequest): Promise<Readonly<Record<string, string>>>;
}

/** What each operation of a service needs, by the operation's name. `needsNothing` says that it was thought of. */
export type RequirementTable<M> = {
  readonly [N in OperationName<M>]?: (input: Input<M, N>, context: RequestContext) => readonly Requirement[];
};

/** The requirement of operations that AWS lets every known caller use, or that decide by themselves. */
export const needsNothing = (): readonly Requirement[] => [];

/** Looks operations up in a table. */
export function authorizationFrom<M>(table: RequirementTable<M>): ServiceAuthorization {
  type Loose = (input: unknown, context: RequestContext) => readonly Requirement[];
  const byName = new Map(Object.entries(table) as [string, Loose][]);
  return {
    operations: new Set(byName.keys()),
    requirements: (operation, input, context) => byName.get(operation)?.(input, context) ?? [],
  };
}

/** Binds a table of operations to its dependencies. */
export function bindService<M, Deps>(
  name: string,
  table: OperationTable<M, Deps>,
  deps: Deps,
  authorization?: ServiceAuthorization,
): Service {
  type Loose = (deps: Deps, input: never, context: RequestContext) => unknown;
  const operations = new Map<string, BoundOperation>();
  for (const [operation, run] of Object.entries(table) as [string, Loose][])
    operations.set(operation, async (input, context) => run(deps, input, context));
  return authorization ? { name, operations, authorization } : { name, operations };
}
