/** JSON Web Tokens, signed by RS256. */
import { createPublicKey, sign, verify } from "node:crypto";
import type { KeyObject } from "node:crypto";

export type Claims = Readonly<Record<string, unknown>>;

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
}

export function signJwt({ kid, privateKey }: SigningKey, claims: Claims): string {
  const signed = `${encoded({ kid, alg: "RS256" })}.${encoded(claims)}`;
  return `${signed}.${sign("sha256", Buffer.from(signed), privateKey).toString("base64url")}`;
}

/** The claims of a token whose signature is of the key that it names; undefined for any other text. */
export function verifyJwt(token: string, keyOf: (kid: string) => KeyObject | undefined): Claims | undefined {
  const [head = "", body = "", signature = "", ...more] = token.split(".");
  if (more.length > 0) return undefined;
  const header = decoded(head);
  if (header?.["alg"] !== "RS256" || typeof header["kid"] !== "string") return undefined;
  const key = keyOf(header["kid"]);
  if (!key) return undefined;
  const isValid = verify("sha256", Buffer.from(`${head}.${body}`), key, Buffer.from(signature, "base64url"));
  return isValid ? decoded(body) : undefined;
}

/** The claims of a token whose signature nobody has looked at: to find what it must be held against. */
export function readJwt(token: string): Claims | undefined {
  return decoded(token.split(".")[1] ?? "");
}

/** A public key as JWKS have it. */
export function jwkOf({ kid, privateKey }: SigningKey): Readonly<Record<string, string | undefined>> {
  const { e, n } = createPublicKey(privateKey).export({ format: "jwk" });
  return { alg: "RS256", e, kid, kty: "RSA", n, use: "sig" };
}

function encoded(value: Claims): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function decoded(text: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Claims)
      : undefined;
  } catch {
    return undefined;
  }
}
