/**
 * The signature of a deployment package: a token (JSON Web Token, ES384) in a file of the zip, over the SHA-384 of everything else in it.
 * What AWS Signer puts into a zip is not documented; this is what it is documented to vouch for (docs/decisions/010).
 */
import { createHash, sign, verify } from "node:crypto";
import type { KeyObject } from "node:crypto";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import yauzl from "yauzl";
import type { Entry, ZipFile } from "yauzl";
import { unixMode } from "../code/unpack.ts";

export const SIGNATURE_FILE = "META-INF/lambent-signature.jwt";
/** A token has a few names and a digest. */
const TOKEN_BYTES_MAX = 8_192;
const HEADER = { alg: "ES384", typ: "JWT" } as const;

/** A package's signature as it was found: nothing of it is verified. */
export interface PackageSignature {
  readonly token: string;
  /** Of what is in the package, lower-case hex. */
  readonly packageSha384: string;
}

/** What a signer vouches for. */
export interface SignatureClaims {
  /** ARN of the signing profile version. */
  readonly iss: string;
  /** ARN of the signing job. */
  readonly jti: string;
  /** Epoch seconds: when it was signed, and until when that is good. */
  readonly iat: number;
  readonly exp: number;
  readonly packageSha384: string;
}

const open = promisify<string, yauzl.Options, ZipFile>(yauzl.open);

/** The content of a zip and its token, if it has one. A second token is content: it makes the package another. */
export async function readPackage(zipFile: string): Promise<{ token?: string; packageSha384: string }> {
  const zip = await open(zipFile, { lazyEntries: true, autoClose: false, strictFileNames: false });
  try {
    const hash = createHash("sha384");
    let token: string | undefined;
    for (const entry of await entriesOf(zip)) {
      if (
        entry.fileName === SIGNATURE_FILE &&
        token === undefined &&
        entry.uncompressedSize <= TOKEN_BYTES_MAX
      ) {
        token = (await contentOf(zip, entry)).toString();
        continue;
      }
      const content = createHash("sha384");
      if (!entry.fileName.endsWith("/"))
        for await (const chunk of await streamOf(zip, entry)) content.update(chunk as Buffer);
      const mode = unixMode(entry).toString(8);
      hash.update(`${content.digest("hex")} ${mode} ${JSON.stringify(entry.fileName)}\n`);
    }
    return { ...(token !== undefined && { token }), packageSha384: hash.digest("hex") };
  } finally {
    zip.close();
  }
}

export function signClaims(claims: SignatureClaims, key: KeyObject): string {
  const text = `${encode(HEADER)}.${encode(claims)}`;
  return `${text}.${sign("sha384", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

/** What a token claims, whether it is true or not; undefined for what is no token. */
export function readClaims(token: string): SignatureClaims | undefined {
  try {
    const [header, claims, signature] = token.split(".");
    if (signature === undefined || decode(header)["alg"] !== HEADER.alg) return undefined;
    const { iss, jti, iat, exp, packageSha384 } = decode(claims);
    if (![iss, jti, packageSha384].every((one) => typeof one === "string")) return undefined;
    if (![iat, exp].every((one) => Number.isSafeInteger(one))) return undefined;
    return { iss, jti, iat, exp, packageSha384 } as SignatureClaims;
  } catch {
    return undefined;
  }
}

/** Whether the holder of the key signed the token. */
export function isSignedBy(token: string, key: KeyObject): boolean {
  const at = token.lastIndexOf(".");
  const signature = Buffer.from(token.slice(at + 1), "base64url");
  return verify("sha384", Buffer.from(token.slice(0, at)), { key, dsaEncoding: "ieee-p1363" }, signature);
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function decode(text = ""): Record<string, unknown> {
  return JSON.parse(Buffer.from(text, "base64url").toString()) as Record<string, unknown>;
}

async function entriesOf(zip: ZipFile): Promise<Entry[]> {
  const entries: Entry[] = [];
  await new Promise<void>((resolve, reject) => {
    zip.on("entry", (entry: Entry) => {
      entries.push(entry);
      zip.readEntry();
    });
    zip.once("end", resolve);
    zip.once("error", reject);
    zip.readEntry();
  });
  return entries;
}

async function contentOf(zip: ZipFile, entry: Entry): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of await streamOf(zip, entry)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function streamOf(zip: ZipFile, entry: Entry): Promise<Readable> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(stream)));
  });
}
