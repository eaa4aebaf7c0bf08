/** The documents that a caller reads when the platform, not the handler, ends an invocation. */
import type { SandboxExit } from "../sandbox/sandbox.ts";
import { errorBytesMax } from "./limits.ts";

/** A failure with the type that goes on the REPORT line and the document that goes to the caller. */
export interface Failure {
  readonly errorType: string;
  readonly payload: Buffer;
}

/** Go's words for signals, which AWS's platform prints. */
const SIGNAL_WORDS: Partial<Record<NodeJS.Signals, string>> = {
  SIGHUP: "hangup",
  SIGINT: "interrupt",
  SIGQUIT: "quit",
  SIGILL: "illegal instruction",
  SIGTRAP: "trace/breakpoint trap",
  SIGABRT: "aborted",
  SIGBUS: "bus error",
  SIGFPE: "floating point exception",
  SIGKILL: "killed",
  SIGUSR1: "user defined signal 1",
  SIGSEGV: "segmentation fault",
  SIGUSR2: "user defined signal 2",
  SIGPIPE: "broken pipe",
  SIGALRM: "alarm clock",
  SIGTERM: "terminated",
  SIGSYS: "bad system call",
  SIGXCPU: "CPU time limit exceeded",
  SIGXFSZ: "file size limit exceeded",
};

/** The whole invocation took longer than the function's timeout. */
export function timeout(requestId: string, timeoutMs: number): Failure {
  return failure(
    "Sandbox.Timedout",
    `RequestId: ${requestId} Error: Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`,
  );
}

/** The runtime's process ended while it owed an answer. */
export function exited(requestId: string, exit: SandboxExit): Failure {
  const prefix = `RequestId: ${requestId} Error: `;
  if (exit.outOfMemory)
    return failure("Runtime.OutOfMemory", `${prefix}Runtime exited with error: signal: killed`);
  return failure("Runtime.ExitError", `${prefix}${exitWords(exit)}`);
}

/** The handler's answer is larger than AWS lets through. @param bytes Undefined for one that was cut off while it came. */
export function tooLarge(bytes: number | undefined, bytesMax: number): Failure {
  const size = bytes === undefined ? "" : ` (${bytes} bytes)`;
  return failure(
    "Function.ResponseSizeTooLarge",
    `Response payload size${size} exceeded maximum allowed payload size (${bytesMax} bytes).`,
  );
}

/** What the caller reads where the connection of a runtime that posts its answer breaks. */
export const truncatedMessage = "The connection ended before the response was complete";

/** An error document as the runtime posted it, cut to what AWS keeps. */
export function cutError(payload: Buffer): Buffer {
  return payload.length <= errorBytesMax ? payload : payload.subarray(0, errorBytesMax);
}

/** The type that the platform records for one that a runtime named: only names of its own families are kept. */
export function recordedType(errorType: string): string {
  if (/^(Runtime|Function)\.[A-Z][a-zA-Z]+$/.test(errorType)) return errorType;
  return errorType.startsWith("Function.") ? "Function.Unknown" : "Runtime.Unknown";
}

/** Go's word for a signal. */
export function signalWords(signal: NodeJS.Signals): string {
  return SIGNAL_WORDS[signal] ?? signal;
}

export function exitWords(exit: SandboxExit): string {
  if (exit.signal) return `Runtime exited with error: signal: ${signalWords(exit.signal)}`;
  if (exit.code) return `Runtime exited with error: exit status ${exit.code}`;
  return "Runtime exited without providing a reason";
}

/** A document with the two members that all of the platform's have. */
export function failure(errorType: string, errorMessage: string): Failure {
  return { errorType, payload: Buffer.from(JSON.stringify({ errorType, errorMessage })) };
}
