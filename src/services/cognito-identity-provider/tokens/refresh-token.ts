/** Refresh tokens: random, and marked as ours, so that one which is ended is told from one that never was. Only their hashes are kept. */
import { createHash, createHmac, randomBytes } from "node:crypto";
import { sameText } from "../auth/srp.ts";
import type { Pool } from "../store/pools.ts";

const RANDOM_BYTES = 64;
/** When it ends, in epoch milliseconds. */
const TIME_BYTES = 8;
const BODY_BYTES = RANDOM_BYTES + TIME_BYTES;
const MARK_BYTES = 24;

/** @param expiresAt Epoch milliseconds. */
export function newRefreshToken(pool: Pick<Pool, "secret">, expiresAt: number): string {
  const time = Buffer.alloc(TIME_BYTES);
  time.writeBigUInt64BE(BigInt(expiresAt));
  const body = Buffer.concat([randomBytes(RANDOM_BYTES), time]);
  return Buffer.concat([body, markOf(pool, body)]).toString("base64url");
}

/** As what it is kept. */
export function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("base64url");
}

/** When a token of the pool ends (epoch ms); undefined for one that the pool never gave. */
export function endOf(pool: Pick<Pool, "secret">, token: string): number | undefined {
  const bytes = Buffer.from(token, "base64url");
  if (bytes.length !== BODY_BYTES + MARK_BYTES) return undefined;
  const body = bytes.subarray(0, BODY_BYTES);
  const isOurs = sameText(bytes.subarray(BODY_BYTES).toString("hex"), markOf(pool, body).toString("hex"));
  return isOurs ? Number(body.readBigUInt64BE(RANDOM_BYTES)) : undefined;
}

function markOf({ secret }: Pick<Pool, "secret">, body: Buffer): Buffer {
  return createHmac("sha256", secret).update("refresh:").update(body).digest().subarray(0, MARK_BYTES);
}
