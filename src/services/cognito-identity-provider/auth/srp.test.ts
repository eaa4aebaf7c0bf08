/** SRP against the client's own mathematics. */
import assert from "node:assert/strict";
import { createHash, createHmac, hkdfSync } from "node:crypto";
import { test } from "node:test";
import { N_HEX, beginExchange, expectedSignature, isPasswordOf, makeVerifier } from "./srp.ts";
import type { SrpProof } from "./srp.ts";

const N = BigInt(`0x${N_HEX}`);
const sha = (hex: string) => createHash("sha256").update(Buffer.from(hex, "hex")).digest("hex");
/** As amazon-cognito-identity-js pads numbers. */
const pad = (value: bigint) => {
  const hex = value.toString(16);
  if (hex.length % 2 === 1) return `0${hex}`;
  return "89abcdef".includes(hex[0] ?? "") ? `00${hex}` : hex;
};
const power = (base: bigint, exponent: bigint) => {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = (result * result) % N;
    if (bit === "1") result = (result * base) % N;
  }
  return result;
};

/** The client's side, by the protocol's description. */
function clientSignature(a: bigint, b: bigint, salt: string, password: string, proof: SrpProof): string {
  const A = power(2n, a);
  const u = BigInt(`0x${sha(pad(A) + pad(b))}`);
  const inner = createHash("sha256").update(`${proof.poolName}${proof.username}:${password}`).digest("hex");
  const x = BigInt(`0x${sha(pad(BigInt(`0x${salt}`)) + inner)}`);
  const k = BigInt(`0x${sha(`00${N_HEX}02`)}`);
  const base = (((b - k * power(2n, x)) % N) + N) % N;
  const shared = Buffer.from(pad(power(base, a + u * x)), "hex");
  const key = hkdfSync("sha256", shared, Buffer.from(pad(u), "hex"), "Caldera Derived Key", 16);
  return createHmac("sha256", Buffer.from(key))
    .update(`${proof.poolName}${proof.username}`)
    .update(proof.secretBlock)
    .update(proof.timestamp)
    .digest("base64");
}

const proof: SrpProof = {
  poolName: "AbCdEfGhI",
  username: "ada",
  secretBlock: Buffer.from("a block"),
  timestamp: "Mon Nov 30 01:02:03 UTC 2026",
};

test("an honest client's signature is what the server expects, for any client value and salt", () => {
  for (const a of [3n, 0xdeadbeefcafen, 2n ** 1023n + 12_345n])
    for (const salt of ["ff00ff00", "0001", "7f"]) {
      const kept = makeVerifier(proof.poolName, proof.username, "Passw0rd!", salt);
      const exchange = beginExchange(power(2n, a).toString(16), kept);
      assert.ok(exchange);
      const signed = clientSignature(a, BigInt(`0x${exchange.b}`), salt, "Passw0rd!", proof);
      assert.equal(expectedSignature(exchange, kept, proof), signed);
      const other = clientSignature(a, BigInt(`0x${exchange.b}`), salt, "passw0rd!", proof);
      assert.notEqual(expectedSignature(exchange, kept, proof), other);
    }
});

test("client values that would give the key away are refused", () => {
  const kept = makeVerifier(proof.poolName, proof.username, "Passw0rd!");
  for (const a of ["0", N_HEX, (2n * N).toString(16), "", "xyz", "0x2"])
    assert.equal(beginExchange(a, kept), undefined, a);
});

test("a verifier knows its password, and its salt is another each time", () => {
  const [one, two] = [makeVerifier("p", "u", "secret"), makeVerifier("p", "u", "secret")];
  assert.notEqual(one.salt, two.salt);
  assert.ok(isPasswordOf(one, "p", "u", "secret"));
  for (const [pool, user, password] of [
    ["q", "u", "secret"],
    ["p", "v", "secret"],
    ["p", "u", "Secret"],
  ] as const)
    assert.ok(!isPasswordOf(one, pool, user, password));
});
