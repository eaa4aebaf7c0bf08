/** The names of pools and clients. */
import { randomInt } from "node:crypto";

const POOL_ARN = /^arn:aws:cognito-idp:([a-z0-9-]+):(\d{12}):userpool\/([a-z0-9-]+_[0-9a-zA-Z]+)$/;
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const LOWER = "abcdefghijklmnopqrstuvwxyz0123456789";
const POOL_ID_CHARS = 9;
const CLIENT_ID_CHARS = 26;
const SECRET_CHARS = 51;

export function poolArn(pool: {
  readonly account: string;
  readonly region: string;
  readonly poolId: string;
}): string {
  return `arn:aws:cognito-idp:${pool.region}:${pool.account}:userpool/${pool.poolId}`;
}

/** The pool that an ARN names. */
export function readPoolArn(
  arn: string,
): { readonly account: string; readonly region: string; readonly poolId: string } | undefined {
  const [, region, account, poolId] = POOL_ARN.exec(arn) ?? [];
  return region && account && poolId ? { region, account, poolId } : undefined;
}

export const newPoolId = (region: string) => `${region}_${randomText(LETTERS, POOL_ID_CHARS)}`;
export const newClientId = () => randomText(LOWER, CLIENT_ID_CHARS);
export const newClientSecret = () => randomText(LOWER, SECRET_CHARS);

/** Characters drawn by the machine's secure generator: some of these are secrets. */
export function randomText(alphabet: string, characters: number): string {
  return Array.from({ length: characters }, () => alphabet[randomInt(alphabet.length)]).join("");
}
