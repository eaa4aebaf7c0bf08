/** What a package's signature is worth: AWS's four checks. https://docs.aws.amazon.com/lambda/latest/dg/configuration-codesigning.html */
import { isSignedBy, readClaims } from "./package-signature.ts";
import type { PackageSignature } from "./package-signature.ts";
import { publicKeyOf } from "./profiles.ts";
import type { SigningProfile } from "./profiles.ts";

/** Who signed a package, verified. */
export interface Signer {
  readonly profileVersionArn: string;
  readonly jobArn: string;
}

/** `integrity` blocks a deployment always, the others where the policy is Enforce. */
export type Flaw = "integrity" | "expiry" | "mismatch" | "revocation";

export type Judgement = { readonly signer: Signer } | { readonly flaw: Flaw; readonly reason: string };

/**
 * @param find The profile version of an ARN; undefined where this server does not know it.
 * @param now Epoch milliseconds.
 */
export async function judge(
  signature: PackageSignature | undefined,
  find: (profileVersionArn: string) => Promise<SigningProfile | undefined>,
  now: number,
): Promise<Judgement> {
  if (!signature) return { flaw: "mismatch", reason: "It is not signed." };
  const claims = readClaims(signature.token);
  if (!claims) return { flaw: "integrity", reason: "Its signature cannot be read." };
  const profile = await find(claims.iss);
  if (!profile)
    return {
      flaw: "mismatch",
      reason: `It names the signing profile version ${claims.iss}, of which this server has no key.`,
    };
  if (!isSignedBy(signature.token, publicKeyOf(profile)))
    return { flaw: "integrity", reason: `It was not signed with the key of ${claims.iss}.` };
  if (claims.packageSha384 !== signature.packageSha384)
    return { flaw: "integrity", reason: "It was changed after it had been signed." };
  if (claims.exp * 1_000 <= now)
    return {
      flaw: "expiry",
      reason: `Its signature expired at ${new Date(claims.exp * 1_000).toISOString()}.`,
    };
  const isRevoked =
    profile.revokedJobs?.includes(claims.jti) === true ||
    (profile.revokedFrom !== undefined && claims.iat * 1_000 >= Date.parse(profile.revokedFrom));
  if (isRevoked) return { flaw: "revocation", reason: `Its signature by ${claims.iss} was revoked.` };
  return { signer: { profileVersionArn: claims.iss, jobArn: claims.jti } };
}
