/** Whether code may be deployed to a function: only a configuration of code signing keeps any out. */
import { AwsError } from "../../../aws/errors.ts";
import type { Lambda } from "../deps.ts";
import { functionArn } from "../names.ts";
import type { FunctionId } from "../names.ts";
import type { CodeSigningConfigRow } from "../store-code-signing.ts";
import { judge } from "./judge.ts";
import type { Signer } from "./judge.ts";
import type { PackageSignature } from "./package-signature.ts";

/** A package that is to be deployed. */
interface Artifact {
  /** The ARN of the function, or of the layer version. */
  readonly arn: string;
  readonly signature?: PackageSignature | undefined;
}

/** Who signed a package; undefined where that is nobody, nobody who is known here, or no longer good. */
export async function signerOf(
  { profiles, clock }: Pick<Lambda, "profiles" | "clock">,
  signature: PackageSignature | undefined,
): Promise<Signer | undefined> {
  if (!signature) return undefined;
  const judgement = await judge(signature, (arn) => profiles.find(arn), clock.now());
  return "signer" in judgement ? judgement.signer : undefined;
}

/**
 * Lets packages into a function that has a configuration of code signing, or warns of them, as it says.
 * @throws InvalidCodeSignatureException, CodeVerificationFailedException.
 */
export async function admit(
  lambda: Lambda,
  id: FunctionId,
  config: CodeSigningConfigRow | undefined,
  artifacts: readonly Artifact[],
): Promise<void> {
  if (!config) return;
  for (const { arn, signature } of artifacts) {
    const judgement = await judge(signature, (one) => lambda.profiles.find(one), lambda.clock.now());
    let fault = "flaw" in judgement ? judgement : undefined;
    if ("signer" in judgement && !config.publishers.includes(judgement.signer.profileVersionArn)) {
      const { profileVersionArn } = judgement.signer;
      fault = {
        flaw: "mismatch",
        reason: `It is signed by ${profileVersionArn}, which is not among the AllowedPublishers.`,
      };
    }
    if (!fault) continue;
    lambda.eventMetrics.add({ ...id, qualifier: undefined }, "SignatureValidationErrors");
    if (fault.flaw === "integrity")
      throw new AwsError(
        "InvalidCodeSignatureException",
        `The code signature failed the integrity check. ${fault.reason} Sign ${arn} again.`,
        { Type: "User" },
      );
    if (config.untrusted === "Enforce")
      throw new AwsError(
        "CodeVerificationFailedException",
        "Lambda cannot deploy the function. The function or layer might be signed using a signature that the client is not " +
          `configured to accept. Check the provided signature for ${arn}. ${fault.reason}`,
        { Type: "User" },
      );
    lambda.log.warn("Code with a signature that is not trusted is deployed, as its configuration says", {
      function: functionArn(id),
      artifact: arn,
      check: fault.flaw,
      reason: fault.reason,
    });
  }
}
