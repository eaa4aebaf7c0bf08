/** What a runtime says and is told, whichever way it speaks: frames of our bootstraps or the HTTP Runtime API. */
import type { Socket } from "node:net";
import type { AnswerIntake, AnswerSource } from "./answer-stream.ts";

/** An invocation on its way to the runtime. */
export interface Delivery {
  readonly requestId: string;
  /** Epoch milliseconds. */
  readonly deadline: number;
  readonly functionArn: string;
  readonly traceHeader: string;
  /** JSON text; empty when there is none. */
  readonly clientContext: string;
  readonly cognitoIdentity: string;
  readonly payload: Buffer;
}

export interface RuntimeListener {
  /** The runtime asks for an invocation: its first time ends the init phase, every other the invocation before. */
  next(): void;
  initError(errorType: string, payload: Buffer): void;
  /** The answer to the invocation under way; with an `errorType` when the handler failed. */
  answer(payload: Buffer, errorType?: string): void;
  /** An answer that is larger than AWS lets through. */
  answerTooLarge(bytes: number): void;
  /** An answer that the platform does not take, for a reason of its own. */
  answerRefused(errorType: string, errorMessage: string): void;
  /** The runtime begins to stream the answer to the invocation under way; its bytes and its end go to what is answered here. */
  stream(contentType: string, source: AnswerSource): AnswerIntake;
  /** Invocations that were handed over ahead and will not begin. */
  recalled?(requestIds: readonly string[]): void;
  /** A record that the runtime framed, or bytes that the function wrote. */
  log(record: boolean, payload: Buffer): void;
}

/** Invocations behind the one under way. */
export interface Ahead {
  /** Hands one over. False where that cannot be. */
  deliver(delivery: Delivery): boolean;
  /** The first of them is under way now; what the runtime said of it already is heard. */
  begin(): void;
  /**
   * Asks for all of them back; the runtime answers which will not begin. False where the question could not be written yet.
   * @param requestId The one under way.
   */
  recall(requestId: string): boolean;
  /** They will not begin, for certain, or are nobody's business any more. */
  forget(): void;
}

export interface RuntimeChannel {
  /** Present where the runtime can be handed more than one. */
  readonly ahead?: Ahead | undefined;
  /** Hands the runtime the invocation that it waits for. */
  deliver(delivery: Delivery): void;
  /** The process ended: resolves when the last that it said has been heard. */
  drained(): Promise<void>;
  close(): void;
}

/** Resolves when a connection is closed, however it came to that. */
export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once("close", () => resolve()));
}
