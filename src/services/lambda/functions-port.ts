/** Functions for services that call them with events of their own (S3 notifications): permission, and the asynchronous queue. */
import type { Transaction } from "../../store/database.ts";
import type { Lambda } from "./deps.ts";
import { findVersion } from "./lookup.ts";
import { readFunctionArn } from "./names.ts";
import { mayInvoke } from "./resource-policies.ts";
import { readTags } from "./store.ts";

export interface ServiceInvocation {
  /** Full, with a qualifier where the caller was configured with one. */
  readonly functionArn: string;
  readonly payload: Uint8Array;
  /** `s3.amazonaws.com` */
  readonly principalService: string;
  readonly sourceArn: string;
  readonly sourceAccount: string;
  /** X-Amzn-Trace-Id of what caused the event. */
  readonly traceHeader?: string;
}

export interface Functions {
  /** Whether the function exists and its resource policy lets the service invoke it for that resource. */
  check(
    functionArn: string,
    principalService: string,
    sourceArn: string,
    sourceAccount: string,
  ): Promise<"ok" | "missing" | "denied">;
  /**
   * Queues an event in the caller's transaction; it runs once that is committed.
   * A function that is gone, or no longer allows the caller, drops it, as AWS does.
   */
  invokeAsync(transaction: Transaction, invocation: ServiceInvocation): Promise<void>;
}

export function createFunctions(lambda: Lambda): Functions {
  return {
    async check(functionArn, service, sourceArn, sourceAccount) {
      const reference = readFunctionArn(functionArn);
      if (!reference) return "missing";
      const found = await findVersion(lambda.database, reference).catch((error: Error) => {
        if (error.name === "ResourceNotFoundException") return undefined;
        throw error;
      });
      if (!found) return "missing";
      const places = { policies: lambda.policies, reader: lambda.database };
      return (await mayInvoke(places, reference, { service, sourceArn, sourceAccount })) ? "ok" : "denied";
    },
    async invokeAsync(transaction, invocation) {
      const { functionArn, payload, principalService, sourceArn, sourceAccount, traceHeader } = invocation;
      const reference = readFunctionArn(functionArn);
      const exists = reference && (await readTags(transaction, reference)) !== undefined;
      const caller = { service: principalService, sourceArn, sourceAccount };
      const places = { policies: lambda.policies, reader: transaction };
      if (!exists || !(await mayInvoke(places, reference, caller))) {
        const why = exists ? "its policy does not allow the caller" : "there is no such function";
        transaction.afterCommit(() =>
          lambda.log.warn(`An event for a function is dropped: ${why}`, {
            functionArn,
            principalService,
            sourceArn,
          }),
        );
        return;
      }
      await lambda.events.put(transaction, reference, {
        requestId: lambda.ids.uuid(),
        payload,
        traceHeader,
      });
    },
  };
}
