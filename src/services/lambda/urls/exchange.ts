/** What answering a request to a function URL is told, and how a whole answer goes out. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { AwsError } from "../../../aws/errors.ts";
import type { OtherExchange } from "../../../aws/index.ts";
import type { Invocation } from "../../../invoke/index.ts";
import type { Target } from "../catalogue.ts";
import type { UrlRow } from "../store-urls.ts";
import { plainAnswer } from "./answer.ts";
import type { UrlAnswer } from "./answer.ts";

/** All that a caller is told who may not. */
export const FORBIDDEN =
  "Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html";

/** One request to a URL. */
export interface UrlExchange extends OtherExchange {
  readonly row: UrlRow;
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  /** What is said whatever the function answers. */
  readonly ownHeaders: Record<string, string>;
}

/** An invocation that is ready to run. */
export interface UrlInvocation {
  readonly target: Target;
  readonly invocation: Invocation;
}

/** Sends a whole answer. */
export function send(response: ServerResponse, answer: UrlAnswer, more: Record<string, string>): void {
  if (response.destroyed) return;
  const length =
    answer.status === 204 || answer.status === 304 ? {} : { "content-length": answer.body.length };
  response.writeHead(answer.status, { ...answer.headers, ...more, ...length });
  response.end(answer.body);
}

/** What is wrong with a request, or keeps its function from running. */
export function refusal(error: unknown): UrlAnswer {
  if (!(error instanceof AwsError)) throw error;
  const { code, message, status, members } = error;
  const isOurs = code === "AccessDeniedException" && message === FORBIDDEN;
  const text = isOurs ? { Message: message } : { ...members, message };
  const answered = plainAnswer(STATUSES[code] ?? status ?? 502, JSON.stringify(text));
  return { ...answered, headers: { ...answered.headers, "x-amzn-errortype": code } };
}

/** Where the status is not that of the API's errors. */
const STATUSES: Readonly<Record<string, number>> = {
  RequestTooLargeException: 413,
  RequestEntityTooLargeException: 413,
  TooManyRequestsException: 429,
  ResourceConflictException: 502,
  ResourceNotFoundException: 404,
  InvalidRuntimeException: 502,
  ServiceException: 502,
};
