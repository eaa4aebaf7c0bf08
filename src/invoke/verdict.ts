/** What a runtime was heard to do, and what that means to the caller and to the log. */
import type { SandboxExit } from "../sandbox/sandbox.ts";
import type { Status } from "./platform-events.ts";
import { cutError, exited, failure, recordedType, timeout, tooLarge } from "./payloads.ts";
import type { Failure } from "./payloads.ts";

/** What ended the wait for a runtime. */
export type Verdict =
  | { readonly kind: "next" }
  | { readonly kind: "answer"; readonly payload: Buffer; readonly errorType?: string }
  | { readonly kind: "tooLarge"; readonly bytesMax: number; readonly bytes?: number }
  | { readonly kind: "refused"; readonly errorType: string; readonly errorMessage: string }
  | { readonly kind: "initError"; readonly errorType: string; readonly payload: Buffer }
  | { readonly kind: "exit"; readonly exit: SandboxExit }
  /** Every external extension has registered. */
  | { readonly kind: "registered" }
  /** Every extension waits for its next event. */
  | { readonly kind: "ready" }
  | { readonly kind: "extensionFailed"; readonly errorType: string; readonly message: string }
  | { readonly kind: "timeout" }
  /** The runtime gives it back: it has not begun. */
  | { readonly kind: "withdrawn" };

/** Verdicts in the order in which they came; one waits for the next at a time. */
export class VerdictQueue {
  #verdicts: Verdict[] = [];
  #waiter: ((verdict: Verdict) => void) | undefined;

  push(verdict: Verdict): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    if (waiter) waiter(verdict);
    else this.#verdicts.push(verdict);
  }

  /** One that came already. */
  take(): Verdict | undefined {
    return this.#verdicts.shift();
  }

  next(): Promise<Verdict> {
    const verdict = this.take();
    if (verdict) return Promise.resolve(verdict);
    return new Promise((resolve) => {
      this.#waiter = resolve;
    });
  }

  clear(): void {
    this.#verdicts = [];
  }
}

/** Whether it says that the runtime, or every extension, asks for more: nothing failed. */
export function isGood(verdict: Verdict): boolean {
  return verdict.kind === "next" || verdict.kind === "ready";
}

export interface Judgement {
  readonly payload: Buffer;
  readonly functionError: boolean;
  /** What failed, as the function or the platform names it; with `functionError`. */
  readonly cause?: string;
  readonly status: Status;
  /** For the REPORT line: the platform's own, or one of its families. */
  readonly errorType?: string;
}

/** What a verdict means to the caller and to the REPORT line. */
export function judge(verdict: Verdict, requestId: string, timeoutMs: number): Judgement {
  switch (verdict.kind) {
    case "answer":
      // A handler's own error is no failure of the phase: AWS's REPORT line says nothing of it.
      return verdict.errorType === undefined
        ? { payload: verdict.payload, functionError: false, status: "success" }
        : { ...failedBy(verdict.errorType, verdict.payload), status: "success" };
    case "tooLarge":
      return failed(tooLarge(verdict.bytes, verdict.bytesMax));
    case "refused":
      return failed(failure(verdict.errorType, verdict.errorMessage));
    case "initError":
      return {
        ...failedBy(verdict.errorType, verdict.payload),
        status: "error",
        errorType: recordedType(verdict.errorType),
      };
    case "exit":
      return failed(exited(requestId, verdict.exit));
    case "extensionFailed":
      return failed(failure(verdict.errorType, `RequestId: ${requestId} Error: ${verdict.message}`));
    case "timeout": {
      const { errorType, payload } = timeout(requestId, timeoutMs);
      return { ...failedBy(errorType, payload), status: "timeout" };
    }
    default:
      throw new Error("a runtime asked for an invocation while it owed an answer");
  }
}

function failed({ errorType, payload }: Failure): Judgement {
  return { ...failedBy(errorType, payload), status: "error", errorType };
}

function failedBy(cause: string, payload: Buffer) {
  return { payload: cutError(payload), functionError: true, cause };
}
