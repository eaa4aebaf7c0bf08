/** Users who come from elsewhere: a trigger says who they are when they first sign in, or forgot their password. */
import { AwsError } from "../../../aws/errors.ts";
import { hidesUsers } from "../clients/settings.ts";
import { newUser } from "../users/new-user.ts";
import { checkAttributes } from "../users/attributes.ts";
import type { User } from "../users/user.ts";
import { requireFree, settleAliases } from "../users/username.ts";
import { insertUser } from "../store/users.ts";
import { callTrigger, flagOf, isRecord, textOf, textsOf } from "../triggers/call.ts";
import type { TriggerResponse } from "../triggers/call.ts";
import type { Door } from "./door.ts";
import { withPassword } from "./password.ts";

/** What a function says that knows nobody. */
const NOBODY: TriggerResponse = {};

type Source = "UserMigration_Authentication" | "UserMigration_ForgotPassword";

/**
 * Makes the user that the pool's UserMigration trigger knows; undefined where there is no such trigger, or it knows nobody and the client
 * does not tell.
 * @param password What they signed in by; they keep it where the trigger says that they are confirmed.
 * @throws AwsError UserNotFoundException where it knows nobody
 */
export async function migrateUser(
  door: Door,
  source: Source,
  username: string,
  password?: string,
): Promise<User | undefined> {
  const { userPools, pool, asking } = door;
  const response = await callTrigger(userPools, pool, asking, {
    trigger: "UserMigration",
    source,
    username,
    request: {
      ...(password !== undefined && { password }),
      validationData: asking.validationData ?? null,
      clientMetadata: asking.clientMetadata,
    },
    response: {
      userAttributes: null,
      forceAliasCreation: null,
      finalUserStatus: null,
      messageAction: null,
      desiredDeliveryMediums: null,
    },
  }).catch((error: unknown) => {
    // A function that knows nobody says so by an error of its own.
    if (error instanceof AwsError && error.code === "UserLambdaValidationException") return NOBODY;
    throw error;
  });
  if (!response) return undefined;
  if (isRecord(response["userAttributes"])) return keep(door, username, response, password);
  if (hidesUsers(door.client.settings)) return undefined;
  throw new AwsError(
    "UserNotFoundException",
    `Exception migrating user in app client ${door.client.clientId}`,
  );
}

async function keep(
  { userPools, pool }: Door,
  username: string,
  response: TriggerResponse,
  password: string | undefined,
): Promise<User> {
  const given = textsOf(response, "userAttributes");
  const { username: named = username, sub: _theirs, ...attributes } = given;
  const isConfirmed = textOf(response, "finalUserStatus") === "CONFIRMED";
  const user = newUser(userPools, pool, named, attributes, "CONFIRMED");
  checkAttributes(pool, user.attributes);
  const now = userPools.clock.now();
  const status = isConfirmed || password === undefined ? "CONFIRMED" : "RESET_REQUIRED";
  const kept =
    password === undefined
      ? { ...user, status: "RESET_REQUIRED" as const }
      : {
          // As on AWS a password from elsewhere need not be what the policy asks for.
          ...withPassword(pool, user, password, { temporary: false, now, unchecked: true }),
          status: status as User["status"],
        };
  const force = flagOf(response, "forceAliasCreation");
  await userPools.database.tx(async (tx) => {
    await requireFree(tx, pool, kept);
    await insertUser(tx, kept);
    await settleAliases(tx, pool, kept, force);
  });
  return kept;
}
