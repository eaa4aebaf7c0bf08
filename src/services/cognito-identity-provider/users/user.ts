/** A user of a pool. */
import type { UserStatusType } from "@aws-sdk/client-cognito-identity-provider";
import type { Verifier } from "../auth/srp.ts";

export type UserStatus = Extract<
  UserStatusType,
  "UNCONFIRMED" | "CONFIRMED" | "FORCE_CHANGE_PASSWORD" | "RESET_REQUIRED"
>;

/** What proves that a user is who they say. */
export interface Credentials {
  readonly verifier?: Verifier;
  /** Those of earlier passwords, the newest first, where the pool's policy asks for them. */
  readonly earlier?: readonly Verifier[];
  /** Epoch milliseconds: when a temporary password ends. */
  readonly temporaryUntil?: number;
  /** Base32. */
  readonly totp?: string;
  readonly totpName?: string;
  /** One that has not been verified by a code. */
  readonly newTotp?: string;
  /** The time step of the last code that was taken, so that none is taken twice. */
  readonly totpStep?: number;
  /** Whether the user asked for MFA by TOTP, and prefers it. */
  readonly mfaEnabled?: boolean;
  readonly mfaPreferred?: boolean;
  /** The same by SMS. */
  readonly smsEnabled?: boolean;
  readonly smsPreferred?: boolean;
}

export interface User {
  readonly poolId: string;
  /** The username as it is compared. */
  readonly key: string;
  readonly username: string;
  readonly sub: string;
  readonly status: UserStatus;
  readonly enabled: boolean;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly modifiedAt: number;
  /** By name, without `sub`. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly credentials: Credentials;
}

/** Attributes in AWS's form, `sub` among them. */
export function attributeList({ sub, attributes }: Pick<User, "sub" | "attributes">) {
  return Object.entries({ sub, ...attributes }).map(([Name, Value]) => ({ Name, Value }));
}

/** The values of a list of attributes by their names; the last one of a name counts. */
export function attributeRecord(
  list: readonly { readonly Name?: string | undefined; readonly Value?: string | undefined }[] = [],
): Record<string, string> {
  return Object.fromEntries(list.map(({ Name = "", Value = "" }) => [Name, Value]));
}
