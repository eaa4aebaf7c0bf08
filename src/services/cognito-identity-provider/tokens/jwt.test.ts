/** Tokens: what is signed verifies, and nothing else does. */
import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { jwkOf, readJwt, signJwt, verifyJwt } from "./jwt.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
const key = { kid: "one", privateKey };
const keyOf = (kid: string) => (kid === "one" ? publicKey : undefined);

test("a token says what was signed", () => {
  const token = signJwt(key, { sub: "ada", exp: 12 });
  assert.deepEqual(verifyJwt(token, keyOf), { sub: "ada", exp: 12 });
  assert.deepEqual(readJwt(token), { sub: "ada", exp: 12 });
});

test("tokens that were changed, are of another key, or name no algorithm of ours are none", () => {
  const token = signJwt(key, { sub: "ada" });
  const [head = "", , signature = ""] = token.split(".");
  const text = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const forged = [
    `${head}.${text({ sub: "eve" })}.${signature}`,
    `${text({ alg: "none", kid: "one" })}.${text({ sub: "eve" })}.`,
    `${text({ alg: "HS256", kid: "one" })}.${text({ sub: "eve" })}.${signature}`,
    `${token}.more`,
    "",
    "a.b.c",
    signJwt({ ...key, kid: "two" }, { sub: "ada" }),
  ];
  for (const one of forged) assert.equal(verifyJwt(one, keyOf), undefined, one);
});

test("a JWK is of the public key alone", () => {
  const jwk = jwkOf(key);
  assert.deepEqual(Object.keys(jwk), ["alg", "e", "kid", "kty", "n", "use"]);
  const read = createPublicKey({ key: { ...jwk }, format: "jwk" });
  assert.ok(read.equals(publicKey));
});
