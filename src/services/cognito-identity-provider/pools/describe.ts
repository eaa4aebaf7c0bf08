/** A pool in AWS's form. */
import type { UserPoolType } from "@aws-sdk/client-cognito-identity-provider";
import { poolArn } from "../names.ts";
import type { Pool } from "../store/pools.ts";

export function describePool(
  pool: Pool,
  more: { readonly users: number; readonly domain: string | undefined },
): UserPoolType {
  const { passwordPolicy, deletionProtection, triggers, schema, mfa, tier, ...rest } = pool.settings;
  const { softwareTokenMfa, smsMfa, ...told } = rest;
  void [softwareTokenMfa, smsMfa];
  return {
    ...told,
    Id: pool.poolId,
    Name: pool.name,
    Arn: poolArn(pool),
    Policies: {
      PasswordPolicy: passwordPolicy,
      // Which factors may come first can be chosen from the tier ESSENTIALS on.
      ...(tier !== "LITE" && { SignInPolicy: { AllowedFirstAuthFactors: ["PASSWORD"] } }),
    },
    DeletionProtection: deletionProtection,
    LambdaConfig: triggers,
    CreationDate: new Date(pool.createdAt),
    LastModifiedDate: new Date(pool.modifiedAt),
    SchemaAttributes: [...schema],
    MfaConfiguration: mfa,
    EstimatedNumberOfUsers: more.users,
    UserPoolTags: pool.tags,
    UserPoolTier: tier,
    ...(more.domain !== undefined && { Domain: more.domain }),
  };
}
