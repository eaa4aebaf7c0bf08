/** A streamed answer as a custom runtime posts it: its body as it comes, its failure in the trailers. */
import type { Socket } from "node:net";
import { accepted, tooLargeReply, writeReply } from "./api-reply.ts";
import { answerWindowBytes, weightOf } from "./answer-stream.ts";
import type { AnswerIntake, AnswerSource } from "./answer-stream.ts";
import type { BodyReceiver, HttpRequest } from "./http-request.ts";
import { truncatedMessage } from "./payloads.ts";

const errorTypeTrailer = "lambda-runtime-function-error-type";
const errorBodyTrailer = "lambda-runtime-function-error-body";

export class PostedAnswer implements AnswerSource, BodyReceiver {
  readonly #socket: Socket;
  readonly #ended: () => void;
  #intake: AnswerIntake | undefined;
  /** Weight of what waits for the caller. */
  #waiting = 0;
  /** The request, once all of it has come: it is answered when the caller has the answer. */
  #request: HttpRequest | undefined;

  /** @param ended Called when the answer is over and the runtime may ask for the next invocation. */
  constructor(socket: Socket, ended: () => void) {
    this.#socket = socket;
    this.#ended = ended;
  }

  begin(intake: AnswerIntake): void {
    this.#intake = intake;
  }

  /** Whether a request on that connection is the one whose body this takes. */
  isFrom(socket: Socket): boolean {
    return socket === this.#socket && !this.#request;
  }

  /** A caller that is slow to take the answer has the runtime's connection not read. */
  data(bytes: Buffer): void {
    this.#waiting += weightOf(bytes);
    this.#intake?.write(bytes);
    if (this.#waiting > answerWindowBytes) this.#socket.pause();
  }

  /** All of the body has come. */
  end(request: HttpRequest): void {
    this.#request = request;
    this.#intake?.end(failureOf(request.trailers));
  }

  /** The connection ended inside the body. */
  breakOff(): void {
    this.#intake?.refuse("Runtime.TruncatedResponse", truncatedMessage);
  }

  taken(weight: number): void {
    this.#waiting -= weight;
    if (this.#waiting <= answerWindowBytes && this.#socket.isPaused()) this.#socket.resume();
  }

  ended(isTooLarge: boolean): void {
    this.#ended();
    if (!this.#request || !this.#socket.writable) return;
    writeReply(this.#socket, isTooLarge ? tooLargeReply() : accepted(), this.#request.keepAlive);
  }
}

/** The failure that the trailers tell, if any. */
function failureOf(trailers: ReadonlyMap<string, string>) {
  const errorType = trailers.get(errorTypeTrailer) ?? "";
  if (errorType === "") return undefined;
  const body = Buffer.from(trailers.get(errorBodyTrailer) ?? "", "base64");
  return { errorType, payload: body.length > 0 ? body : Buffer.from(JSON.stringify({ errorType })) };
}
