/** Invoke: synchronous, asynchronous (durable before it is answered), or a dry run. */
import { AwsError, notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Target } from "../catalogue.ts";
import type { Client, Lambda } from "../deps.ts";
import { invalidParameter } from "../errors.ts";
import { ImageError } from "../../../sandbox/index.ts";
import {
  InvokerStopped,
  RuntimeUnavailable,
  SnapStartFailed,
  SnapStartTimedOut,
  ThrottledError,
} from "../../../invoke/index.ts";
import type { Invocation } from "../../../invoke/index.ts";
import { jsonFault } from "../json-text.ts";
import { ASYNC_PAYLOAD_BYTES_MAX, CLIENT_CONTEXT_CHARS_MAX, SYNC_PAYLOAD_BYTES_MAX } from "../limits.ts";
import { CHAIN_RUNS_MAX, countRun } from "../lineage.ts";
import { denied } from "../lookup.ts";
import { functionArn, readFunctionName } from "../names.ts";
import type { FunctionReference } from "../names.ts";
import { mayInvoke } from "../resource-policies.ts";
import { newTraceHeader } from "../trace.ts";

type InvokeInput = Input<Client, "Invoke">;
type InvokeOutput = Output<Client, "Invoke">;

/** What a function gets for a request without a body. */
export const NO_PAYLOAD = Buffer.from("{}");

export async function invoke(
  lambda: Lambda,
  input: InvokeInput,
  context: RequestContext,
): Promise<InvokeOutput> {
  if (input.DurableExecutionName !== undefined) throw notImplemented("DurableExecutionName of Invoke");
  const asynchronous = input.InvocationType === "Event";
  const checked = await check(
    lambda,
    input,
    context,
    asynchronous ? ASYNC_PAYLOAD_BYTES_MAX : SYNC_PAYLOAD_BYTES_MAX,
  );
  const { reference, target, payload } = checked;
  if (input.InvocationType === "DryRun") return { StatusCode: 204, ExecutedVersion: target.executedVersion };
  if (asynchronous) return enqueue(lambda, reference, payload, context);
  const outcome = await lambda.invoker
    .invoke(target.version, invocationOf(lambda, input, checked, context))
    .catch((error: unknown) => {
      throw invocationError(error);
    });
  context.responseHeaders["content-type"] = "application/json";
  context.responseHeaders["x-amzn-remapped-content-length"] = "0";
  return {
    StatusCode: 200,
    ExecutedVersion: target.executedVersion,
    Payload: outcome.payload,
    ...(outcome.functionError ? { FunctionError: outcome.functionError } : {}),
    ...(outcome.logTail ? { LogResult: outcome.logTail.toString("base64") } : {}),
  };
}

/** What Invoke and InvokeWithResponseStream are told alike. */
type CommonInput = Pick<
  InvokeInput,
  "FunctionName" | "Qualifier" | "Payload" | "TenantId" | "ClientContext" | "LogType"
>;

/** A request that may be run. */
interface CheckedInvocation {
  readonly reference: FunctionReference;
  readonly target: Target;
  readonly payload: Buffer;
}

/** @throws AwsError when the function is not there, not the caller's to invoke, or not to be given this payload. */
export async function check(
  lambda: Lambda,
  input: CommonInput,
  context: RequestContext,
  payloadBytesMax: number,
): Promise<CheckedInvocation> {
  if (input.TenantId !== undefined)
    throw invalidParameter("The invoked function is not configured with tenant isolation.");
  const reference = readFunctionName(input.FunctionName ?? "", input.Qualifier, context);
  if (reference.account !== context.account) await requireCrossAccount(lambda, reference, context);
  const payload = input.Payload === undefined || input.Payload.length === 0 ? NO_PAYLOAD : input.Payload;
  checkSize(payload.length, payloadBytesMax);
  const target = await lambda.catalogue.target(reference);
  checkJson(payload);
  return { reference, target, payload };
}

/** The invocation of a synchronous request, whose trace the answer names too. @throws AwsError RecursiveInvocationException. */
export function invocationOf(
  lambda: Lambda,
  input: Pick<CommonInput, "ClientContext" | "LogType">,
  { reference, target, payload }: CheckedInvocation,
  context: Pick<RequestContext, "requestId" | "headers" | "responseHeaders">,
): Invocation {
  const clientContext = readClientContext(input.ClientContext);
  const step = countRun(givenTrace(context) ?? newTraceHeader(lambda.clock, lambda.ids), target.lineageId);
  if (step.runs > CHAIN_RUNS_MAX && target.recursiveLoop === "Terminate") {
    lambda.eventMetrics.add(reference, "RecursiveInvocationsDropped");
    throw recursiveInvocation();
  }
  context.responseHeaders["x-amzn-trace-id"] = step.traceHeader;
  return {
    requestId: context.requestId,
    payload,
    invokedFunctionArn: functionArn(reference, reference.qualifier),
    ...(clientContext === undefined ? {} : { clientContext }),
    traceHeader: step.traceHeader,
    wantLogTail: input.LogType === "Tail",
  };
}

/** Accepts an event: it is durable when this resolves. */
export async function enqueue(
  lambda: Lambda,
  reference: FunctionReference,
  payload: Buffer,
  context: RequestContext,
): Promise<InvokeOutput> {
  const traceHeader = givenTrace(context) ?? newTraceHeader(lambda.clock, lambda.ids);
  context.responseHeaders["x-amzn-trace-id"] = traceHeader;
  const event = { requestId: context.requestId, payload, traceHeader };
  await lambda.events.accept(reference, event);
  return { StatusCode: 202, Payload: Buffer.alloc(0) };
}

/** Another account may invoke what the function's policy gives it. @throws AccessDeniedException. */
async function requireCrossAccount(
  lambda: Lambda,
  reference: FunctionReference,
  context: RequestContext,
): Promise<void> {
  const places = { policies: lambda.policies, reader: lambda.database };
  if (!(await mayInvoke(places, reference, context.principal))) throw denied(reference, context);
}

/** @throws RequestTooLargeException. */
export function checkSize(bytes: number, bytesMax: number): void {
  if (bytes <= bytesMax) return;
  throw new AwsError(
    "RequestTooLargeException",
    `Request must be smaller than ${bytesMax} bytes for the InvokeFunction operation`,
    { Type: "User" },
  );
}

function checkJson(payload: Buffer): void {
  const fault = jsonFault(payload);
  if (fault !== undefined) throw invalidContent(`Could not parse request body into json: ${fault}`);
}

/** The client context as JSON text. @throws InvalidRequestContentException when it is not base64 of JSON. */
function readClientContext(encoded: string | undefined): string | undefined {
  if (encoded === undefined || encoded === "") return undefined;
  if (encoded.length > CLIENT_CONTEXT_CHARS_MAX)
    throw invalidContent(`Client context must be no more than ${CLIENT_CONTEXT_CHARS_MAX} bytes.`);
  const decoded = /^[A-Za-z0-9+/]*={0,2}$/.test(encoded) ? Buffer.from(encoded, "base64") : undefined;
  if (!decoded || jsonFault(decoded) !== undefined || decoded.toString("latin1").trimStart()[0] !== "{")
    throw invalidContent("Client context must be a valid Base64-encoded JSON object.");
  return decoded.toString();
}

/** The trace that the caller says the invocation belongs to. */
function givenTrace(context: Pick<RequestContext, "headers">): string | undefined {
  const given = context.headers["x-amzn-trace-id"];
  return typeof given === "string" && given !== "" ? given : undefined;
}

export function recursiveInvocation(): AwsError {
  return new AwsError(
    "RecursiveInvocationException",
    "Lambda has detected your function being invoked in a recursive loop with other AWS resources and stopped your function's invocation.",
    { Type: "User" },
  );
}

/** What the data path could not do, as the API says it; function errors are outcomes and do not come here. */
export function invocationError(error: unknown): unknown {
  if (error instanceof ThrottledError) return throttled(error);
  // It was here, and is not any more, nor to be had again.
  if (error instanceof InvokerStopped || error instanceof ImageError)
    return new AwsError("ServiceException", error.message, { Type: "Server" });
  if (error instanceof SnapStartFailed)
    return new AwsError("SnapStartException", error.message, { Type: "User" });
  if (error instanceof SnapStartTimedOut)
    return new AwsError("SnapStartTimeoutException", error.message, { Type: "User" });
  if (error instanceof RuntimeUnavailable)
    return new AwsError("InvalidRuntimeException", error.message, { Type: "Server" });
  return error;
}

/** The SDKs wait as long as Retry-After says, so it is said only where the wait is known. */
function throttled({ message, reason, retryAfterSeconds }: ThrottledError): AwsError {
  return new AwsError("TooManyRequestsException", message, {
    Type: "User",
    Reason: reason,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds: String(retryAfterSeconds) }),
  });
}

function invalidContent(message: string): AwsError {
  return new AwsError("InvalidRequestContentException", message, { Type: "User" });
}
