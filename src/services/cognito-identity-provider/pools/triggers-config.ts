/** A pool's LambdaConfig: which functions are called. */
import type { LambdaConfigType } from "@aws-sdk/client-cognito-identity-provider";
import { notImplemented } from "../../../aws/errors.ts";
import { invalidParameter } from "../errors.ts";

const FUNCTION_ARN =
  /^arn:aws:lambda:([a-z0-9-]+):\d{12}:function:[a-zA-Z0-9_-]{1,64}(:(\$LATEST|[a-zA-Z0-9_-]{1,128}))?$/;

export const TRIGGERS = [
  "PreSignUp",
  "CustomMessage",
  "PostConfirmation",
  "PreAuthentication",
  "PostAuthentication",
  "DefineAuthChallenge",
  "CreateAuthChallenge",
  "VerifyAuthChallengeResponse",
  "PreTokenGeneration",
  "UserMigration",
] as const;
export type TriggerName = (typeof TRIGGERS)[number];

/** What of a LambdaConfig is kept: nothing that is not called. @throws AwsError for what cannot be */
export function readTriggers(config: LambdaConfigType = {}, region: string): LambdaConfigType {
  const { CustomSMSSender, CustomEmailSender, KMSKeyID, InboundFederation } = config;
  if (CustomSMSSender) throw notImplemented("LambdaConfig CustomSMSSender: its codes are encrypted by KMS");
  if (CustomEmailSender)
    throw notImplemented("LambdaConfig CustomEmailSender: its codes are encrypted by KMS");
  if (KMSKeyID) throw notImplemented("LambdaConfig KMSKeyID");
  if (InboundFederation) throw notImplemented("LambdaConfig InboundFederation");
  const kept: Record<string, unknown> = {};
  for (const name of TRIGGERS) {
    const arn = config[name];
    if (arn === undefined) continue;
    checkArn(arn, name, region);
    kept[name] = arn;
  }
  const { PreTokenGenerationConfig: versioned } = config;
  if (versioned) {
    const { LambdaArn = "", LambdaVersion = "V1_0" } = versioned;
    checkArn(LambdaArn, "PreTokenGenerationConfig", region);
    if (config.PreTokenGeneration !== undefined && config.PreTokenGeneration !== LambdaArn)
      throw invalidParameter(
        "PreTokenGeneration and PreTokenGenerationConfig must name the same function in LambdaConfig.",
      );
    kept["PreTokenGeneration"] = LambdaArn;
    kept["PreTokenGenerationConfig"] = { LambdaArn, LambdaVersion };
  }
  return kept;
}

function checkArn(arn: string, name: string, region: string): void {
  const found = FUNCTION_ARN.exec(arn);
  if (!found) throw invalidParameter(`Invalid Lambda function ARN in LambdaConfig.${name}: ${arn}`);
  if (found[1] !== region)
    throw invalidParameter(
      `The function of LambdaConfig.${name} must be in the user pool's region ${region}: ${arn}`,
    );
}
