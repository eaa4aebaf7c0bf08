/** A pool's SmsConfiguration: the role by which it would publish SMS, checked as AWS does. */
import type { SmsConfigurationType } from "@aws-sdk/client-cognito-identity-provider";
import { AwsError, notImplemented } from "../../../aws/errors.ts";
import type { UserPools } from "../deps.ts";
import { invalidParameter } from "../errors.ts";
import { poolArn } from "../names.ts";
import type { Pool } from "../store/pools.ts";

const PRINCIPAL = "cognito-idp.amazonaws.com";

/** What of an SmsConfiguration is kept. @throws AwsError for what cannot be */
export function readSms(
  given: SmsConfigurationType | undefined,
  region: string,
): SmsConfigurationType | undefined {
  if (!given) return undefined;
  const { SnsCallerArn, ExternalId, SnsRegion = region, EumsSms } = given;
  if (EumsSms) throw notImplemented("user pools with SmsConfiguration EumsSms: End User Messaging SMS");
  if (SnsCallerArn === undefined) throw invalidParameter("SmsConfiguration needs an SnsCallerArn.");
  return { SnsCallerArn, ...(ExternalId !== undefined && { ExternalId }), SnsRegion };
}

/**
 * That Cognito may assume the role, for the pool and by the configuration's external id, and that the role may publish SMS.
 * @throws AwsError InvalidSmsRoleTrustRelationshipException, InvalidSmsRoleAccessPolicyException
 */
export async function requireSmsRole(
  { roles }: Pick<UserPools, "roles">,
  pool: Pick<Pool, "account" | "region" | "poolId">,
  configuration: SmsConfigurationType | undefined,
): Promise<void> {
  if (!configuration) return;
  const { SnsCallerArn: role = "", ExternalId } = configuration;
  const isOwn = role.split(":")[4] === pool.account;
  if (!isOwn || !(await roles.canBeAssumedBy(role, PRINCIPAL, poolArn(pool), ExternalId)))
    throw new AwsError(
      "InvalidSmsRoleTrustRelationshipException",
      "Role does not have a trust relationship allowing Cognito to assume the role",
    );
  // A phone number is no resource of its own: an SMS is published to "*".
  if (!(await roles.allows(role, "sns:Publish", "*")))
    throw new AwsError(
      "InvalidSmsRoleAccessPolicyException",
      "Role does not have permission to publish with SNS",
    );
}
