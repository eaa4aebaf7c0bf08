/** Pages of lists, by tokens that only we can read again. */
import { invalid } from "./errors.ts";

/** @param position Where the next page begins: what is after it. */
export function writeToken(position: readonly string[]): string {
  return Buffer.from(JSON.stringify(position)).toString("base64url");
}

/** The position that a token tells; the beginning for no token. @throws AwsError ValidationException */
export function readPosition(token: string | undefined, parts: number): string[] {
  if (token === undefined) return Array.from({ length: parts }, () => "");
  try {
    const position: unknown = JSON.parse(Buffer.from(token, "base64url").toString());
    if (
      Array.isArray(position) &&
      position.length === parts &&
      position.every((one) => typeof one === "string")
    )
      return position;
  } catch {
    // Answered below.
  }
  throw invalid("Invalid NextToken.");
}
