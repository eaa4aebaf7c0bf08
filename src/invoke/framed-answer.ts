/** A streamed answer as it comes in frames: which frames belong to it, how far it may be ahead, and when the runtime is back. */
import { answerWindowBytes, weightOf } from "./answer-stream.ts";
import type { AnswerIntake, AnswerSource } from "./answer-stream.ts";
import { FrameError } from "./frames.ts";

export interface FramedAnswerPort {
  /** Tells the runtime that it may send more. */
  credit(weight: number): void;
  /** The answer is delivered and the runtime asks for the next invocation. */
  next(): void;
}

/** Credit is given in pieces of at least this weight, so that it costs few frames. */
const creditMin = answerWindowBytes / 4;

export class FramedAnswer implements AnswerSource {
  readonly #requestId: string;
  readonly #port: FramedAnswerPort;
  #intake: AnswerIntake | undefined;
  /** Weight that was sent and has got no credit back. */
  #sent = 0;
  #owed = 0;
  #isDelivered = false;
  #isAsked = false;

  constructor(requestId: string, port: FramedAnswerPort) {
    this.#requestId = requestId;
    this.#port = port;
  }

  begin(intake: AnswerIntake): void {
    this.#intake = intake;
  }

  /** @throws FrameError when the runtime sends more than it was given room for. */
  chunk(requestId: string, bytes: Buffer): void {
    if (!this.#intake || requestId !== this.#requestId) return;
    this.#sent += weightOf(bytes);
    if (this.#sent > answerWindowBytes)
      throw new FrameError("more of a streamed answer than there is room for");
    this.#intake.write(bytes);
  }

  end(requestId: string, failure?: { readonly errorType: string; readonly payload: Buffer }): void {
    if (requestId !== this.#requestId) return;
    const intake = this.#intake;
    this.#intake = undefined;
    intake?.end(failure);
  }

  next(): void {
    this.#isAsked = true;
    if (this.#isDelivered) this.#port.next();
  }

  taken(weight: number): void {
    this.#owed += weight;
    // After its end, or the runtime's, there is nobody to give it to.
    if (!this.#intake || this.#owed < creditMin) return;
    this.#sent -= this.#owed;
    this.#port.credit(this.#owed);
    this.#owed = 0;
  }

  ended(): void {
    this.#isDelivered = true;
    if (this.#isAsked) this.#port.next();
  }
}
