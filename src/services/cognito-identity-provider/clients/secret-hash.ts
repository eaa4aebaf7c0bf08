/** The proof that a client with a secret is who it says. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { notAuthorized } from "../errors.ts";
import type { PoolClient } from "../store/clients.ts";

/** Base64 of HMAC-SHA256, by the client's secret, of the user's name and the client's id. */
export function secretHash(secret: string, username: string, clientId: string): string {
  return createHmac("sha256", secret)
    .update(username + clientId)
    .digest("base64");
}

/**
 * @param usernames Any of the names that the user goes by: the client need not know which is theirs in the pool.
 * @throws AwsError NotAuthorizedException
 */
export function checkSecretHash(
  { clientId, secrets }: PoolClient,
  usernames: readonly string[],
  given: string | undefined,
): void {
  const wrong = () => notAuthorized(`Unable to verify secret hash for client ${clientId}`);
  if (secrets.length === 0) {
    if (given !== undefined) throw wrong();
    return;
  }
  if (given === undefined)
    throw notAuthorized(`Client ${clientId} is configured with secret but SECRET_HASH was not received`);
  const fits = secrets.some(({ value }) =>
    usernames.some((name) => isSame(secretHash(value, name, clientId), given)),
  );
  if (!fits) throw wrong();
}

/** Whether a secret is one of the client's. */
export function isSecretOf({ secrets }: PoolClient, given: string): boolean {
  return secrets.some(({ value }) => isSame(value, given));
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
