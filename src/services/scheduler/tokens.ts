/** ClientTokens: a request that is sent again with its token changes nothing a second time. */
import { hash } from "node:crypto";
import type { Transaction } from "../../store/database.ts";
import { conflict } from "./errors.ts";
import { TOKEN_MS } from "./limits.ts";
import type { Place } from "./names.ts";
import { rememberToken, requestOfToken } from "./store/groups.ts";

interface Request extends Place {
  readonly operation: string;
  readonly token: string | undefined;
  /** All of the input but the token. */
  readonly input: object;
}

/**
 * Runs `work` unless the request was made before with the same token.
 * @returns whether it ran
 * @throws AwsError ConflictException where the token stands for another request
 */
export async function once(
  tx: Transaction,
  { operation, token, input, ...place }: Request,
  now: number,
  work: () => Promise<void>,
): Promise<boolean> {
  if (token === undefined) {
    await work();
    return true;
  }
  const request = hash("sha256", `${operation} ${JSON.stringify(input)}`);
  const since = now - TOKEN_MS;
  const known = await requestOfToken(tx, place, token, since);
  if (known === request) return false;
  if (known !== undefined) throw conflict(`The ClientToken ${token} was used by another request.`);
  await work();
  await rememberToken(tx, place, token, request, { now, since });
  return true;
}
