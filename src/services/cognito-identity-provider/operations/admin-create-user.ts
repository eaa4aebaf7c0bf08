/** AdminCreateUser: users whom an administrator makes, and invites. */
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { withPassword } from "../auth/password.ts";
import type { Client, UserPools } from "../deps.ts";
import { invalidParameter } from "../errors.ts";
import { keepMessage } from "../messages/codes.ts";
import { composeMessage } from "../messages/message.ts";
import type { Destination, Message } from "../messages/message.ts";
import { newPassword } from "../pools/password-policy.ts";
import { requirePool } from "../pools/lookup.ts";
import { insertUser } from "../store/users.ts";
import type { Pool } from "../store/pools.ts";
import { askingOf } from "../triggers/call.ts";
import type { Asking } from "../triggers/call.ts";
import { checkAttributes } from "../users/attributes.ts";
import { addressOf } from "../users/deliver.ts";
import { editUser } from "../users/edit.ts";
import { newUser } from "../users/new-user.ts";
import { attributeList, attributeRecord } from "../users/user.ts";
import { mfaOptionsOf } from "../users/factors.ts";
import type { User } from "../users/user.ts";
import { EMAIL, PHONE, requireFree, requireUser, settleAliases } from "../users/username.ts";
import { askPreSignUp } from "./sign-up.ts";

type Request = Input<Client, "AdminCreateUser">;
type Answer = Output<Client, "AdminCreateUser">;

export async function adminCreateUser(
  userPools: UserPools,
  input: Request,
  context: RequestContext,
): Promise<Answer> {
  const pool = await requirePool(userPools.database, context, input.UserPoolId);
  const asking = askingOf(context, input.ClientMetadata);
  checkMedia(input);
  const password = input.TemporaryPassword ?? newPassword(pool.settings.passwordPolicy);
  const user =
    input.MessageAction === "RESEND"
      ? await renewed(userPools, pool, input, password)
      : await created(userPools, pool, asking, input, password);
  if (input.MessageAction !== "SUPPRESS") await invite(userPools, pool, user, asking, input, password);
  return { User: describeUser(user) };
}

export function describeUser(user: User) {
  return {
    Username: user.username,
    Attributes: attributeList(user),
    UserCreateDate: new Date(user.createdAt),
    UserLastModifiedDate: new Date(user.modifiedAt),
    Enabled: user.enabled,
    UserStatus: user.status,
    ...mfaOptionsOf(user),
  };
}

async function created(
  userPools: UserPools,
  pool: Pool,
  asking: Asking,
  input: Request,
  password: string,
): Promise<User> {
  const given = attributeRecord(input.UserAttributes);
  const user = newUser(userPools, pool, input.Username ?? "", given, "FORCE_CHANGE_PASSWORD");
  checkAttributes(pool, user.attributes);
  if (given["sub"] !== undefined) throw invalidParameter("user.sub: Attribute cannot be updated.");
  const now = userPools.clock.now();
  const withOne = withPassword(pool, user, password, { temporary: true, now });
  await requireFree(userPools.database, pool, withOne);
  const validationData = input.ValidationData && attributeRecord(input.ValidationData);
  await askPreSignUp(userPools, pool, withOne, asking, "PreSignUp_AdminCreateUser", validationData);
  await userPools.database.tx(async (tx) => {
    await requireFree(tx, pool, withOne);
    await insertUser(tx, withOne);
    await settleAliases(tx, pool, withOne, input.ForceAliasCreation === true);
  });
  return withOne;
}

/** An invited user who has not come yet, with another temporary password. */
async function renewed(
  { clock, database }: UserPools,
  pool: Pool,
  input: Request,
  password: string,
): Promise<User> {
  const now = clock.now();
  return database.tx(async (tx) => {
    const user = await requireUser(tx, pool, input.Username);
    if (user.status !== "FORCE_CHANGE_PASSWORD")
      throw new AwsError("UnsupportedUserStateException", `Resend not possible. ${user.status} status`);
    return editUser(tx, user, (current) => ({
      ...withPassword(pool, current, password, { temporary: true, now }),
      modifiedAt: now,
    }));
  });
}

async function invite(
  userPools: UserPools,
  pool: Pool,
  user: User,
  asking: Asking,
  { DesiredDeliveryMediums: media, Username = "" }: Request,
  password: string,
): Promise<void> {
  const source = "CustomMessage_AdminCreateUser";
  const messages: Message[] = [];
  for (const to of invitationAddresses(user, media))
    messages.push(
      await composeMessage(userPools, pool, user, asking, { source, to, code: password, name: Username }),
    );
  await userPools.database.tx(async (tx) => {
    for (const message of messages) await keepMessage(tx, userPools, pool, user, message);
  });
}

/** Those that are asked for; else the phone, and without one the e-mail address. */
function invitationAddresses(user: User, media: Request["DesiredDeliveryMediums"]): Destination[] {
  const [phone, email] = [addressOf(user, "phone_number"), addressOf(user, "email")];
  if (!media?.length) return [phone ?? email].flatMap((one) => one ?? []);
  return media.flatMap((medium) => (medium === "EMAIL" ? email : phone) ?? []);
}

/** @throws AwsError before anybody is made who could not be told */
function checkMedia({
  MessageAction,
  DesiredDeliveryMediums = [],
  UserAttributes,
  Username = "",
}: Request): void {
  if (MessageAction !== undefined) return;
  const attributes = attributeRecord(UserAttributes);
  for (const medium of DesiredDeliveryMediums) {
    const isEmail = medium === "EMAIL";
    const name = isEmail ? "email" : "phone_number";
    const pattern = isEmail ? EMAIL : PHONE;
    if (attributes[name] === undefined && !pattern.test(Username))
      throw invalidParameter(`The user has no ${name} to be invited by ${medium}.`);
  }
}
