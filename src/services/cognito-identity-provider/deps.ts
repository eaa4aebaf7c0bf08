/** The dependencies of user pools: what createUserPools is given, and what its operations work with. */
import type { Clock } from "../../kit/clock.ts";
import type { Ids } from "../../kit/id.ts";
import type { Database } from "../../store/database.ts";
import type { Log } from "../../telemetry/log.ts";
import type { SmsRoles, TriggerFunctions } from "./ports.ts";
import type { SigningKeys } from "./tokens/signing-keys.ts";

export type Client = typeof import("@aws-sdk/client-cognito-identity-provider");

export interface UserPoolsDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly database: Database;
  readonly log: Log;
  readonly functions: TriggerFunctions;
  readonly roles: SmsRoles;
  /** What the issuer of tokens begins with, without a slash at the end; `aws` for the name that AWS's have. */
  readonly issuer: string;
  /** Where users reach the pages of pools, without a slash at the end. */
  readonly pages: string;
}

/** What every operation is called with. */
export interface UserPools extends UserPoolsDeps {
  readonly keys: SigningKeys;
}
