/** Authorization tokens: what `docker login` is given as a password, good for twelve hours or as long as the caller's credentials. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { RequestContext } from "../../aws/service.ts";
import type { Ecr } from "./deps.ts";
import { TOKEN_MS } from "./limits.ts";

/** The user name that goes with every token. */
export const TOKEN_USER = "AWS";

/** What a token says. */
interface Claim {
  readonly accessKeyId: string | undefined;
  readonly region: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

export interface ReadToken extends Claim {
  /** Whether it is one that this server gave out. */
  readonly isGenuine: boolean;
}

/** Stands for the caller's access key, which is looked up whenever the token is shown: it ends with the key. */
export async function newToken(
  ecr: Ecr,
  { principal, region }: RequestContext,
): Promise<{ password: string; expiresAt: number }> {
  const { accessKeyId } = principal;
  const end = accessKeyId === undefined ? undefined : await ecr.credentials.expiryOf(accessKeyId);
  const expiresAt = Math.min(ecr.clock.now() + TOKEN_MS, end ?? Number.POSITIVE_INFINITY);
  const claim = Buffer.from(JSON.stringify({ accessKeyId, region, expiresAt })).toString("base64url");
  return { password: `${claim}.${signature(ecr.secret, claim).toString("base64url")}`, expiresAt };
}

/** Undefined for what is no token at all. */
export function readToken(secret: string, password: string): ReadToken | undefined {
  const [, claim = "", signed = ""] = /^([\w-]{1,4096})\.([\w-]{43})$/.exec(password) ?? [];
  if (claim === "") return undefined;
  const isGenuine = timingSafeEqual(signature(secret, claim), Buffer.from(signed, "base64url"));
  try {
    const said = JSON.parse(Buffer.from(claim, "base64url").toString()) as Partial<Claim>;
    const { accessKeyId, region, expiresAt } = said;
    if (typeof region !== "string" || typeof expiresAt !== "number") return undefined;
    if (accessKeyId !== undefined && typeof accessKeyId !== "string") return undefined;
    return { accessKeyId, region, expiresAt, isGenuine };
  } catch {
    return undefined;
  }
}

function signature(secret: string, claim: string): Buffer {
  return createHmac("sha256", secret).update(`token ${claim}`).digest();
}
