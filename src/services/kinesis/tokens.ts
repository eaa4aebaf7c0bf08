/** Pages of lists, by tokens that expire and that only we can read again. */
import { AwsError } from "../../aws/errors.ts";
import { invalidArgument } from "./errors.ts";
import { TOKEN_MS } from "./limits.ts";

/** @param position What the next page needs. @param now Epoch milliseconds. */
export function writeToken(kind: string, position: unknown, now: number): string {
  return Buffer.from(JSON.stringify([kind, now, position])).toString("base64");
}

/** @throws AwsError InvalidArgumentException; ExpiredNextTokenException */
export function readToken<T>(
  kind: string,
  token: string,
  now: number,
  isOurs: (position: unknown) => position is T,
): T {
  const parts = decode(token);
  const [ownKind, madeAt, position] = Array.isArray(parts) ? (parts as unknown[]) : [];
  if (ownKind !== kind || typeof madeAt !== "number" || !isOurs(position))
    throw invalidArgument("The NextToken is invalid.");
  if (now - madeAt > TOKEN_MS)
    throw new AwsError(
      "ExpiredNextTokenException",
      `The NextToken has expired: it was given ${now - madeAt} milliseconds ago, and is good for ${TOKEN_MS}.`,
    );
  return position;
}

function decode(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token, "base64").toString());
  } catch {
    return undefined;
  }
}
