/** Pages of lists, by tokens that only we can read again. */
import { invalidParameter } from "./errors.ts";

/** @param position Where the next page begins: what is after it. */
export function writeToken(position: readonly string[]): string {
  return Buffer.from(JSON.stringify(position)).toString("base64url");
}

/** The position that a token tells; undefined for no token. @throws AwsError InvalidParameterException */
export function readPosition(token: string | undefined, parts: number): string[] | undefined {
  if (token === undefined) return undefined;
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
  throw invalidParameter("NextToken", "Invalid token");
}
