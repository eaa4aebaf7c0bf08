/** AssumeRole: temporary credentials of a role whose trust policy lets the caller in. */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { toCredentials } from "../credentials.ts";
import type { StsDeps } from "../deps.ts";

type Client = typeof import("@aws-sdk/client-sts");

const DURATION_SECONDS_DEFAULT = 3_600;

export async function assumeRole(
  { roles }: StsDeps,
  input: Input<Client, "AssumeRole">,
  context: RequestContext,
): Promise<Output<Client, "AssumeRole">> {
  if (input.Tags?.length) throw notImplemented("session Tags of AssumeRole");
  if (input.TransitiveTagKeys?.length) throw notImplemented("TransitiveTagKeys of AssumeRole");
  if (input.SerialNumber !== undefined || input.TokenCode !== undefined)
    throw notImplemented("multi-factor authentication (SerialNumber, TokenCode) of AssumeRole");
  if (input.SourceIdentity !== undefined) throw notImplemented("SourceIdentity of AssumeRole");
  if (input.ProvidedContexts?.length) throw notImplemented("ProvidedContexts of AssumeRole");
  const assumed = await roles.assume(context.principal, {
    roleArn: input.RoleArn ?? "",
    sessionName: input.RoleSessionName ?? "",
    durationSeconds: input.DurationSeconds ?? DURATION_SECONDS_DEFAULT,
    externalId: input.ExternalId,
    policy: input.Policy,
    policyArns: (input.PolicyArns ?? []).flatMap((one) => one.arn ?? []),
  });
  return {
    Credentials: toCredentials(assumed.credentials),
    AssumedRoleUser: { AssumedRoleId: assumed.userId, Arn: assumed.arn },
    ...(assumed.packedPolicyPercent !== undefined && { PackedPolicySize: assumed.packedPolicyPercent }),
  };
}
