/** What STS needs from IAM; satisfied in server/compose.ts. */
import type { Principal } from "../../aws/service.ts";

export interface TemporaryCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

export interface Sessions {
  /** Opens a session of a role for a caller that its trust policy lets in; throws AwsError where it does not. */
  assume(
    caller: Principal,
    request: {
      readonly roleArn: string;
      readonly sessionName: string;
      readonly durationSeconds: number;
      readonly externalId: string | undefined;
      readonly policy: string | undefined;
      readonly policyArns: readonly string[];
    },
  ): Promise<{
    readonly credentials: TemporaryCredentials;
    /** `AROA…:session`. */
    readonly userId: string;
    readonly arn: string;
    /** Present when session policies were given. */
    readonly packedPolicyPercent: number | undefined;
  }>;
  /** Temporary credentials of the caller (a user or an account's root). */
  ofCaller(caller: Principal, durationSeconds: number): Promise<TemporaryCredentials>;
  /** The account of an access key, or undefined for a key that was never given out. */
  accountOf(accessKeyId: string): Promise<string | undefined>;
}
