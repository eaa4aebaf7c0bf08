/**
 * The server's side of the Secure Remote Password protocol (RFC 5054, with Cognito's choices of group, hashes and key): of a password only
 * the verifier is kept, and the password itself never comes over the wire.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** The 3,072-bit group of RFC 3526. */
export const N_HEX =
  "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B" +
  "302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE6" +
  "49286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D" +
  "670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718" +
  "3995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7D" +
  "B3970F85A6E1E4C7ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C" +
  "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF";
const N = BigInt(`0x${N_HEX}`);
const G = 2n;
const K = toBigInt(sha256(padded(N), padded(G)));
/** Of the server's secret exponent; RFC 5054 asks for 256 bits at least. */
const EXPONENT_BYTES = 64;
const SALT_BYTES = 16;
const KEY_BYTES = 16;
const HKDF_INFO = Buffer.from("Caldera Derived Key\u0001");

/** What is kept of a password, in hexadecimal. */
export interface Verifier {
  readonly salt: string;
  readonly verifier: string;
}

/** One exchange, on the server, in hexadecimal. */
export interface SrpExchange {
  /** The client's public value. */
  readonly a: string;
  /** The server's secret. */
  readonly secret: string;
  /** The server's public value. */
  readonly b: string;
}

/** @param poolName What follows the underscore in the pool's id. */
export function makeVerifier(
  poolName: string,
  username: string,
  password: string,
  salt = newSalt(),
): Verifier {
  const x = privateKey(poolName, username, password, salt);
  return { salt, verifier: power(G, x).toString(16) };
}

/** Whether a verifier is of that password. */
export function isPasswordOf(
  { salt, verifier }: Verifier,
  poolName: string,
  username: string,
  password: string,
): boolean {
  return sameText(makeVerifier(poolName, username, password, salt).verifier, verifier);
}

/** Begins an exchange. Undefined for a client's value that would give the key away. */
export function beginExchange(a: string, { verifier }: Verifier): SrpExchange | undefined {
  if (!/^[0-9a-fA-F]{1,1024}$/.test(a) || BigInt(`0x${a}`) % N === 0n) return undefined;
  const exponent = toBigInt(randomBytes(EXPONENT_BYTES));
  const b = (K * BigInt(`0x${verifier}`) + power(G, exponent)) % N;
  return { a, secret: exponent.toString(16), b: b.toString(16) };
}

/** What a client proves to know the password by. */
export interface SrpProof {
  readonly poolName: string;
  /** The name that the server gave the client as USER_ID_FOR_SRP. */
  readonly username: string;
  readonly secretBlock: Buffer;
  /** As the client wrote it: `Tue Apr 7 12:00:00 UTC 2026`. */
  readonly timestamp: string;
}

/** What an honest client's signature is, in base64. */
export function expectedSignature(exchange: SrpExchange, { verifier }: Verifier, proof: SrpProof): string {
  const [a, b] = [BigInt(`0x${exchange.a}`), BigInt(`0x${exchange.b}`)];
  const u = toBigInt(sha256(padded(a), padded(b)));
  const shared = power(a * power(BigInt(`0x${verifier}`), u), BigInt(`0x${exchange.secret}`));
  const { poolName, username, secretBlock, timestamp } = proof;
  return createHmac("sha256", sessionKey(shared, u))
    .update(poolName + username)
    .update(secretBlock)
    .update(timestamp)
    .digest("base64");
}

export function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function newSalt(): string {
  return randomBytes(SALT_BYTES).toString("hex");
}

function privateKey(poolName: string, username: string, password: string, salt: string): bigint {
  const inner = sha256(Buffer.from(`${poolName}${username}:${password}`));
  return toBigInt(sha256(padded(BigInt(`0x${salt}`)), inner));
}

function sessionKey(shared: bigint, u: bigint): Buffer {
  const pseudoRandom = createHmac("sha256", padded(u)).update(padded(shared)).digest();
  return createHmac("sha256", pseudoRandom).update(HKDF_INFO).digest().subarray(0, KEY_BYTES);
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base % N;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % N;
    square = (square * square) % N;
  }
  return result;
}

/** Big-endian bytes of a number that is not negative, as Java's BigInteger writes it: the first bit is 0. */
function padded(value: bigint): Buffer {
  const hex = value.toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  return Buffer.from(/^[89a-f]/.test(even) ? `00${even}` : even, "hex");
}

function toBigInt(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString("hex")}`);
}

function sha256(...parts: readonly Buffer[]): Buffer {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}
