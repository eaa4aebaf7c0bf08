/** The direct way of Invoke: synchronous or asynchronous, unqualified or by name, of a function that is known already. */
import type { DirectCall, DirectService } from "../../../aws/service.ts";
import type { WireResponse } from "../../../aws/index.ts";
import type { Outcome } from "../../../invoke/index.ts";
import type { Lambda } from "../deps.ts";
import { jsonFault } from "../json-text.ts";
import { ASYNC_PAYLOAD_BYTES_MAX, SYNC_PAYLOAD_BYTES_MAX } from "../limits.ts";
import { CHAIN_RUNS_MAX, countRun } from "../lineage.ts";
import { functionArn, readFunctionName } from "../names.ts";
import type { FunctionReference } from "../names.ts";
import { newTraceHeader } from "../trace.ts";
import { NO_PAYLOAD, invocationError } from "./invoke.ts";

const HEADERS: ReadonlySet<string> = new Set(["x-amz-invocation-type", "x-amzn-trace-id"]);

/** By the type of the invocation. */
const PAYLOAD_BYTES_MAX: ReadonlyMap<unknown, number> = new Map([
  ["RequestResponse", SYNC_PAYLOAD_BYTES_MAX],
  ["Event", ASYNC_PAYLOAD_BYTES_MAX],
]);

interface Named {
  readonly reference: FunctionReference;
  readonly functionArn: string;
  /** With the qualifier, as it was invoked. */
  readonly invokedArn: string;
}

export function createDirectInvoke(lambda: Lambda): DirectService {
  return {
    pathRoot: "/2015-03-31/functions/",
    headers: HEADERS,
    find(operation, { FunctionName = "" }, place) {
      if (operation !== "Invoke") return undefined;
      let reference: FunctionReference;
      try {
        reference = readFunctionName(FunctionName, undefined, place);
      } catch {
        return undefined;
      }
      if (reference.account !== place.account) return undefined;
      const invokedArn = functionArn(reference, reference.qualifier);
      const named = { reference, functionArn: functionArn(reference), invokedArn };
      return (call) => invokeNow(lambda, named, call);
    },
  };
}

function invokeNow(
  lambda: Lambda,
  { reference, functionArn, invokedArn }: Named,
  { requestId, headers, body, responseHeaders }: DirectCall,
): Promise<WireResponse> | undefined {
  const { "x-amz-invocation-type": type = "RequestResponse", "x-amzn-trace-id": givenTrace } = headers;
  const bytesMax = PAYLOAD_BYTES_MAX.get(type);
  if (bytesMax === undefined || Array.isArray(givenTrace)) return undefined;
  if (body.length > bytesMax || (body.length > 0 && jsonFault(body) !== undefined)) return undefined;
  const target = lambda.catalogue.targetNow(reference, functionArn);
  if (!target) return undefined;
  const payload = body.length === 0 ? NO_PAYLOAD : body;
  const trace = givenTrace || newTraceHeader(lambda.clock, lambda.ids);
  if (type === "Event") {
    responseHeaders["x-amzn-trace-id"] = trace;
    return lambda.events
      .accept(reference, { requestId, payload, traceHeader: trace })
      .then(() => accepted(requestId, responseHeaders));
  }
  const { traceHeader, runs } = countRun(trace, target.lineageId);
  if (runs > CHAIN_RUNS_MAX) return undefined;
  responseHeaders["x-amzn-trace-id"] = traceHeader;
  return lambda.invoker
    .invoke(target.version, {
      requestId,
      payload,
      invokedFunctionArn: invokedArn,
      traceHeader,
      wantLogTail: false,
    })
    .then(
      (outcome) => responseOf(outcome, target.executedVersion, requestId, responseHeaders),
      (error: unknown) => {
        throw invocationError(error);
      },
    );
}

function accepted(requestId: string, headers: Record<string, string>): WireResponse {
  headers["x-amzn-requestid"] = requestId;
  headers["content-type"] = "application/octet-stream";
  return { status: 202, headers, body: "" };
}

/** As the model says, and with the headers that AWS sends beyond it. */
function responseOf(
  { payload, functionError }: Outcome,
  executedVersion: string,
  requestId: string,
  headers: Record<string, string>,
): WireResponse {
  headers["x-amzn-requestid"] = requestId;
  headers["content-type"] = "application/json";
  headers["x-amz-executed-version"] = executedVersion;
  headers["x-amzn-remapped-content-length"] = "0";
  if (functionError) headers["x-amz-function-error"] = functionError;
  return { status: 200, headers, body: payload };
}
