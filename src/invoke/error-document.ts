/** The error document that a runtime posts, as the caller gets it. */
import type { HttpRequest } from "./http-request.ts";

/** A document that carries, beside the error, its cause for X-Ray. */
const withCauseType = "application/vnd.aws.lambda.error.cause+json";

/** The bytes as posted; a document with a cause without it, in the fields that AWS keeps. */
export function errorDocument(request: HttpRequest): Buffer {
  if (request.headers.get("content-type") !== withCauseType) return request.body;
  try {
    const { errorMessage, errorType, stackTrace } = JSON.parse(request.body.toString()) as Record<
      string,
      unknown
    >;
    return Buffer.from(JSON.stringify({ errorMessage, errorType, stackTrace }));
  } catch {
    return Buffer.from('"Invalid error body"');
  }
}
