/** Functions for those who call them with events of their own: services (S3 notifications), and what reads event sources. */
import { ThrottledError } from "../../invoke/index.ts";
import type { Reader, Transaction } from "../../store/database.ts";
import type { Lambda } from "./deps.ts";
import { ASYNC_PAYLOAD_BYTES_MAX } from "./limits.ts";
import { CHAIN_RUNS_MAX, countRun } from "./lineage.ts";
import { findVersion } from "./lookup.ts";
import { functionArn, readFunctionArn } from "./names.ts";
import type { FunctionReference } from "./names.ts";
import { invocationError, recursiveInvocation } from "./operations/invoke.ts";
import type { MappedFunction } from "./ports.ts";
import { askFunction, mayInvoke } from "./resource-policies.ts";
import { readTags } from "./store.ts";
import { newTraceHeader } from "./trace.ts";
import type { VersionRow } from "./version-row.ts";

const INVOKE = "lambda:InvokeFunction";

/** A service on its own behalf, for a resource of an account; or what acts for a role. */
export type FunctionCaller =
  | {
      /** `s3.amazonaws.com` */
      readonly service: string;
      readonly sourceArn: string;
      readonly sourceAccount: string;
    }
  | { readonly roleArn: string };

export interface NewEventFor {
  /** Full, with a qualifier where the caller was configured with one. */
  readonly functionArn: string;
  readonly payload: Uint8Array;
  /** X-Amzn-Trace-Id of what caused the event. */
  readonly traceHeader?: string;
}

export interface Functions {
  /**
   * Whether the function (its version, its alias) exists and the caller may invoke it: a service by the function's resource policy, a role by
   * its own policies or that one.
   * @param reader The transaction in which it is asked, if in any
   */
  check(functionArn: string, caller: FunctionCaller, reader?: Reader): Promise<"ok" | "missing" | "denied">;
  /** Queues an event in the caller's transaction; it runs once that is committed. Permission is not asked: that is `check`'s. */
  invokeAsync(transaction: Transaction, event: NewEventFor): Promise<"queued" | "missing" | "too-large">;
  /** The function, version or alias that an ARN names; undefined where it is gone. */
  describe(functionArn: string): Promise<MappedFunction | undefined>;
  /**
   * Runs a function once, and waits for it; for what reads event sources, on the function's own behalf, so that no policy is asked.
   * Never rejects.
   */
  invokeSync(functionArn: string, invocation: SourceInvocation): Promise<SourceOutcome>;
}

export interface SourceInvocation {
  /** At most 6 MB of JSON. */
  readonly payload: Buffer;
  /** X-Amzn-Trace-Id of what the events came from; that in whose chain the function ran most often goes on. */
  readonly traceHeaders: readonly string[];
}

/** What came of it: the function's answer or error, no room for it, or why it could not run. */
export type SourceOutcome =
  | {
      readonly kind: "ok" | "function-error";
      readonly payload: Buffer;
      readonly statusCode: 200;
      readonly executedVersion: string;
      readonly requestId: string;
    }
  | {
      readonly kind: "throttled";
      readonly reason: string;
      readonly isSwitchedOff: boolean;
      readonly requestId: string;
    }
  | { readonly kind: "failed"; readonly code: string; readonly message: string; readonly requestId: string };

export function createFunctions(lambda: Lambda): Functions {
  return {
    async check(functionArn, caller, reader = lambda.database) {
      const reference = readFunctionArn(functionArn);
      const found = reference && (await findVersion(reader, reference).catch(undefinedIfMissing));
      if (!found) return "missing";
      return (await mayCall(lambda, reference, caller, reader)) ? "ok" : "denied";
    },
    async invokeAsync(transaction, { functionArn, payload, traceHeader }) {
      if (payload.length > ASYNC_PAYLOAD_BYTES_MAX) return "too-large";
      const reference = readFunctionArn(functionArn);
      if (!reference || (await readTags(transaction, reference)) === undefined) return "missing";
      await lambda.events.put(transaction, reference, {
        requestId: lambda.ids.uuid(),
        payload,
        traceHeader,
      });
      return "queued";
    },
    async describe(arn) {
      const reference = readFunctionArn(arn);
      const found = reference && (await findVersion(lambda.database, reference).catch(undefinedIfMissing));
      return found && mappedFunction(reference, found.row);
    },
    invokeSync: (arn, invocation) => invokeSync(lambda, arn, invocation),
  };
}

async function mayCall(
  { policies, roles }: Pick<Lambda, "policies" | "roles">,
  reference: FunctionReference,
  caller: FunctionCaller,
  reader: Reader,
): Promise<boolean> {
  if ("service" in caller) return mayInvoke({ policies, reader }, reference, caller);
  const { roleArn } = caller;
  const account = roleArn.split(":")[4] ?? "";
  const said = await askFunction({ policies, reader }, reference, INVOKE, { account, arn: roleArn });
  if (said === "denied") return false;
  const isOwn = reference.account === account;
  // Within one account either is enough; across accounts both sides must allow.
  if (isOwn && (said === "principal" || said === "role")) return true;
  const arn = functionArn(reference, reference.qualifier);
  return (isOwn || said !== "none") && (await roles.allows(roleArn, INVOKE, arn));
}

/** A function as event source mappings see it. */
export function mappedFunction(reference: FunctionReference, { configuration }: VersionRow): MappedFunction {
  return {
    functionArn: functionArn(reference, reference.qualifier),
    roleArn: configuration.role,
    timeoutSeconds: configuration.timeoutSeconds,
  };
}

function undefinedIfMissing(error: Error): undefined {
  if (error.name !== "ResourceNotFoundException") throw error;
}

async function invokeSync(
  lambda: Lambda,
  arn: string,
  { payload, traceHeaders }: SourceInvocation,
): Promise<SourceOutcome> {
  const requestId = lambda.ids.uuid();
  try {
    const reference = readFunctionArn(arn);
    if (!reference) throw new Error(`${arn} is no function's ARN`);
    const target = await lambda.catalogue.target(reference);
    const headers = traceHeaders.length > 0 ? traceHeaders : [newTraceHeader(lambda.clock, lambda.ids)];
    const furthest = headers
      .map((header) => countRun(header, target.lineageId))
      .reduce((most, step) => (step.runs > most.runs ? step : most));
    if (furthest.runs > CHAIN_RUNS_MAX && target.recursiveLoop === "Terminate") {
      lambda.eventMetrics.add(reference, "RecursiveInvocationsDropped");
      throw recursiveInvocation();
    }
    const outcome = await lambda.invoker.invoke(target.version, {
      requestId,
      payload,
      invokedFunctionArn: functionArn(reference, reference.qualifier),
      traceHeader: furthest.traceHeader,
      wantLogTail: false,
    });
    return {
      kind: outcome.functionError === undefined ? "ok" : "function-error",
      payload: outcome.payload,
      statusCode: 200,
      executedVersion: target.executedVersion,
      requestId,
    };
  } catch (error) {
    if (error instanceof ThrottledError)
      return { kind: "throttled", reason: error.reason, isSwitchedOff: error.isSwitchedOff, requestId };
    const { name, message } = invocationError(error) as Error;
    return { kind: "failed", code: name, message, requestId };
  }
}
