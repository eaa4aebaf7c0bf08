/** Who tokens say that they are of. */
import type { UserPools } from "../deps.ts";
import type { Pool } from "../store/pools.ts";

/** The setting by which tokens have the name that AWS's have. */
const AWS = "aws";

/** `http://localhost:4566/us-east-1_AbCdEfGhI`, or AWS's name where the server is told to use it. */
export function issuerOf({ issuer }: Pick<UserPools, "issuer">, { region, poolId }: Pool): string {
  return issuer === AWS ? `https://cognito-idp.${region}.amazonaws.com/${poolId}` : `${issuer}/${poolId}`;
}
