/** Operations that are called by their names, by one service for a role: as a request of the role's would be, without one. */
import { Readable } from "node:stream";
import { createHash } from "node:crypto";
import type { Ids } from "../kit/id.ts";
import type { Log } from "../telemetry/log.ts";
import type { Catalogue } from "./catalogue.ts";
import { targetOf } from "./direct.ts";
import { AwsError } from "./errors.ts";
import { CallerPresence } from "./http/caller-presence.ts";
import { wireRequest } from "./http/wire-request.ts";
import type { OperationModel, ServiceModel } from "./model/model.ts";
import { bodyOf, readNamedInput } from "./named-input.ts";
import { errorStatus } from "./protocol/error-response.ts";
import { eventStreamMember } from "./protocol/event-stream.ts";
import { MalformedInput } from "./protocol/malformed-input.ts";
import { ServedRequest } from "./request-context.ts";
import type { Principal, RequestContext, Service } from "./service.ts";

/** `sqs` and `createQueue`, as in `arn:aws:scheduler:::aws-sdk:sqs:createQueue`; `input` is JSON. */
export interface NamedOperation {
  readonly service: string;
  readonly action: string;
  readonly input: string;
}

export interface NamedCall extends NamedOperation {
  readonly principal: Principal;
  readonly region: string;
  /** The caller, as requests name it in User-Agent. */
  readonly agent: string;
  /** Stands for an idempotency token that the input lacks: the same for each attempt at one thing. */
  readonly token: string;
}

/** Why an operation was not done: an error as its API has it. */
export interface CallFailure {
  readonly code: string;
  readonly message: string;
  /** It may succeed later: the service is at fault, or has too much to do. */
  readonly isTransient: boolean;
  readonly isThrottled: boolean;
}

export interface NamedCalls {
  /**
   * Why a call could never be done: `unsupported` where AWS has such an operation and this server has not, `invalid` where nobody has, or
   * the input is not one of it. Values are looked at when it is called.
   */
  fault(
    call: NamedOperation,
  ): { readonly code: "unsupported" | "invalid"; readonly message: string } | undefined;
  /** Does it, with the principal's permissions. Undefined once it is done; never throws. */
  call(call: NamedCall): Promise<CallFailure | undefined>;
}

interface Deps {
  readonly services: readonly Service[];
  readonly catalogue: Catalogue;
  readonly ids: Ids;
  readonly log: Log;
  /** Host and port of this server. */
  readonly host: string;
  readonly authorize?: (context: RequestContext, input: Readonly<Record<string, unknown>>) => Promise<void>;
}

const SERVER_FAULT_MIN = 500;
const NOT_IMPLEMENTED = 501;
const TOO_MANY_REQUESTS = 429;
/** Codes after which SDKs try again. */
const THROTTLED: ReadonlySet<string> = new Set([
  "BandwidthLimitExceeded",
  "LimitExceededException",
  "PriorRequestNotComplete",
  "ProvisionedThroughputExceededException",
  "RequestLimitExceeded",
  "RequestThrottled",
  "RequestThrottledException",
  "SlowDown",
  "ThrottledException",
  "Throttling",
  "ThrottlingException",
  "TooManyRequestsException",
  "TransactionInProgressException",
]);

export function createNamedCalls(deps: Deps): NamedCalls {
  const implementations = new Map(deps.services.map((service) => [service.name, service]));
  return {
    fault(call) {
      const found = find(deps, implementations, call);
      if (!("operation" in found)) return found;
      try {
        const input = readNamedInput(found.operation.input, parse(call.input));
        const missing = requiredOf(found.operation).find((name) => input[name] === undefined);
        if (missing !== undefined) return { code: "invalid", message: `the input needs ${missing}` };
      } catch (error) {
        if (!(error instanceof MalformedInput)) throw error;
        return { code: "invalid", message: error.message };
      }
      return undefined;
    },
    async call(call) {
      const found = find(deps, implementations, call);
      if (!("operation" in found)) return failed("ValidationException", found.message);
      try {
        await perform(deps, found, call);
        return undefined;
      } catch (error) {
        return failureOf(deps, found, error);
      }
    },
  };
}

interface Found {
  readonly model: ServiceModel;
  readonly operation: OperationModel;
  readonly run: (input: never, context: RequestContext) => Promise<unknown>;
}

type Fault = NonNullable<ReturnType<NamedCalls["fault"]>>;

/** Services are named by their id in the SDKs: `cloudwatchlogs`, `cognitoidentityprovider`. */
function find(
  { catalogue }: Deps,
  implementations: ReadonlyMap<string, Service>,
  { service, action }: NamedOperation,
): Found | Fault {
  const metadata = catalogue.metadata.find(
    (one) => one.serviceId.replaceAll(" ", "").toLowerCase() === service,
  );
  if (!metadata) return { code: "unsupported", message: `this server has no service '${service}'` };
  const model = catalogue.model(metadata.name);
  const operation = model.operation(`${action.charAt(0).toUpperCase()}${action.slice(1)}`);
  if (!operation || !/^[a-z]/.test(action))
    return { code: "invalid", message: `${metadata.serviceId} has no operation '${action}'` };
  const run = implementations.get(metadata.name)?.operations.get(operation.name);
  const isStream = [operation.input, operation.output].some((shape) => shape && eventStreamMember(shape));
  if (!run || isStream) {
    const what = `${metadata.serviceId} ${operation.name}`;
    return {
      code: "unsupported",
      message: run ? `${what} answers with a stream` : `this server has no ${what}`,
    };
  }
  return { model, operation, run };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new MalformedInput("the input must be well-formed JSON");
  }
}

/** Without the tokens that SDKs make up. */
function requiredOf({ input }: OperationModel): readonly string[] {
  return (input?.required ?? []).filter((name) => !input?.members.get(name)?.traits.idempotencyToken);
}

async function perform(deps: Deps, { model, operation, run }: Found, call: NamedCall): Promise<void> {
  const { catalogue, ids, host, authorize } = deps;
  const input = readNamedInput(operation.input, parse(call.input));
  for (const { name, traits } of operation.input?.members.values() ?? [])
    if (traits.idempotencyToken && input[name] === undefined) input[name] = call.token;
  const body = operation.input && bodyOf(operation.input);
  const bytes = (body && (input[body.name] as Buffer | undefined)) ?? Buffer.from(call.input);
  const request = wireRequest(
    { method: operation.method, url: "/", headers: headersFor(host, call, bytes) },
    bytes,
  );
  if (body?.traits.streaming && input[body.name] !== undefined) input[body.name] = request.body.stream();
  catalogue.validator(model).validate(operation, input);
  const exchange = {
    request,
    requestId: ids.uuid(),
    caller: new CallerPresence(),
    responseHeaders: {},
    sourceIp: undefined,
  };
  const caller = { principal: call.principal, region: call.region, proof: {} };
  const context = new ServedRequest(exchange, targetOf(catalogue, model.metadata.name), operation, caller);
  await authorize?.(context, input);
  const output = (await run(input as never, context)) as Record<string, unknown> | undefined;
  // Nobody reads the answer.
  for (const value of Object.values(output ?? {})) if (value instanceof Readable) value.destroy();
}

/** What operations look for beside their input: a digest of the body, as SDKs send it. */
function headersFor(host: string, { agent }: NamedCall, bytes: Buffer) {
  return {
    host,
    "user-agent": agent,
    "content-length": String(bytes.length),
    "content-md5": createHash("md5").update(bytes).digest("base64"),
  };
}

function failureOf(deps: Deps, { model, operation }: Found, error: unknown): CallFailure {
  if (error instanceof MalformedInput) return failed("ValidationException", error.message);
  const { serviceId, name } = model.metadata;
  if (!(error instanceof AwsError)) {
    deps.log.error("internal error", { service: name, operation: operation.name, error });
    const message = `${serviceId} ${operation.name} failed within the server`;
    return { ...failed("InternalFailure", message), isTransient: true };
  }
  const status = errorStatus(targetOf(deps.catalogue, name), error);
  const isThrottled = status === TOO_MANY_REQUESTS || THROTTLED.has(error.code);
  const isTransient = isThrottled || (status >= SERVER_FAULT_MIN && status !== NOT_IMPLEMENTED);
  return { code: error.code, message: error.message, isTransient, isThrottled };
}

function failed(code: string, message: string): CallFailure {
  return { code, message, isTransient: false, isThrottled: false };
}
