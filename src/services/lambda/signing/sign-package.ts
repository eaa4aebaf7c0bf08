/** Signs a deployment package, as AWS Signer's jobs do. */
import { readFile, rename, writeFile } from "node:fs/promises";
import { appendFile } from "./append-file.ts";
import { SIGNATURE_FILE, readPackage, signClaims } from "./package-signature.ts";
import { newJobArn } from "./profiles.ts";
import type { SigningProfile, SigningProfiles } from "./profiles.ts";

/**
 * Writes a signed copy of a zip. Answers the ARN of the job.
 * @throws Error for a zip that is empty, broken or signed already, and where there is no private key.
 */
export async function signPackage(
  profiles: SigningProfiles,
  profile: SigningProfile,
  { source, target, now }: { readonly source: string; readonly target: string; readonly now: number },
): Promise<string> {
  const key = await profiles.privateKey(profile);
  const zip = await readFile(source);
  const { token, packageSha384 } = await readPackage(source).catch((error: Error) => {
    throw new Error(`${source} is no zip file that can be signed: ${error.message}`, { cause: error });
  });
  if (token !== undefined) throw new Error(`${source} is signed already.`);
  const jti = newJobArn(profile);
  const iat = Math.floor(now / 1_000);
  const claims = { iss: profile.profileVersionArn, jti, iat, exp: expiry(now, profile), packageSha384 };
  const signed = appendFile(zip, SIGNATURE_FILE, Buffer.from(signClaims(claims, key)));
  await writeFile(`${target}.new`, signed);
  await rename(`${target}.new`, target);
  return jti;
}

function expiry(now: number, { validityMonths }: SigningProfile): number {
  const date = new Date(now);
  date.setUTCMonth(date.getUTCMonth() + validityMonths);
  return Math.floor(date.getTime() / 1_000);
}
