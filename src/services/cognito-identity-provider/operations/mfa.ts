/** Second factors of users: AssociateSoftwareToken, VerifySoftwareToken, SetUserMFAPreference and what administrators do of it. */
import { AwsError, notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { checkAttempts, countAttempt } from "../auth/attempts.ts";
import { challenge, userOfTicket } from "../auth/door.ts";
import type { ChallengeState } from "../auth/door.ts";
import { readTicket, takeTicket } from "../auth/tickets.ts";
import { newTotpSecret, totpStep } from "../auth/totp.ts";
import type { Client, UserPools } from "../deps.ts";
import { expiredSession, invalidParameter, invalidSession } from "../errors.ts";
import { CODE_FAILURES_MAX } from "../limits.ts";
import { clientWithPool, requirePool } from "../pools/lookup.ts";
import type { Pool } from "../store/pools.ts";
import { getUser } from "../store/users.ts";
import { requireAccess } from "../tokens/access.ts";
import type { SignedIn } from "../tokens/issue.ts";
import { askingOf } from "../triggers/call.ts";
import { editUser } from "../users/edit.ts";
import type { User } from "../users/user.ts";
import { requireUser } from "../users/username.ts";

type Setup = Extract<ChallengeState, { name: "MFA_SETUP" }>;
const FAILURES = "wrong:new-totp";

interface Who {
  readonly AccessToken?: string | undefined;
  readonly Session?: string | undefined;
}

/** Who sets up a factor: somebody signed in, or at a challenge that asks for one. */
async function whoOf(
  userPools: UserPools,
  { AccessToken, Session }: Who,
): Promise<SignedIn & { readonly setup: Setup | undefined }> {
  if (AccessToken !== undefined)
    return { ...(await requireAccess(userPools, AccessToken)), setup: undefined };
  if (Session === undefined) throw invalidParameter("AccessToken or Session is required.");
  const ticket = await readTicket<ChallengeState>(userPools, "challenge", Session);
  if (!ticket) throw expiredSession();
  if (ticket.state.name !== "MFA_SETUP") throw invalidSession();
  const { pool, client } = await clientWithPool(userPools, ticket.clientId);
  const user = await userOfTicket({ userPools, pool }, ticket);
  if (!user) throw invalidSession();
  return { pool, client, user, setup: ticket.state };
}

/** A ticket in the place of another. */
async function exchanged(
  userPools: UserPools,
  { pool, client, user }: SignedIn,
  session: string,
  state: Setup,
  context: Pick<RequestContext, "headers">,
): Promise<string> {
  if (!(await takeTicket(userPools, "challenge", session))) throw invalidSession();
  const door = { userPools, pool, client, asking: askingOf(context) };
  const outcome = await challenge(door, user, state, {});
  return outcome.kind === "challenge" ? outcome.session : "";
}

export async function associateSoftwareToken(
  userPools: UserPools,
  input: Input<Client, "AssociateSoftwareToken">,
  context: Pick<RequestContext, "headers">,
): Promise<Output<Client, "AssociateSoftwareToken">> {
  const who = await whoOf(userPools, input);
  if (!who.pool.settings.softwareTokenMfa)
    throw new AwsError(
      "SoftwareTokenMFANotFoundException",
      "Software Token MFA has not been enabled by the userPool",
    );
  const secret = newTotpSecret();
  if (who.setup && input.Session !== undefined) {
    const Session = await exchanged(userPools, who, input.Session, { ...who.setup, secret }, context);
    return { SecretCode: secret, Session };
  }
  await userPools.database.tx((tx) =>
    editUser(tx, who.user, (user) => ({ ...user, credentials: { ...user.credentials, newTotp: secret } })),
  );
  return { SecretCode: secret };
}

export async function verifySoftwareToken(
  userPools: UserPools,
  input: Input<Client, "VerifySoftwareToken">,
  context: Pick<RequestContext, "headers">,
): Promise<Output<Client, "VerifySoftwareToken">> {
  const who = await whoOf(userPools, input);
  const { user, setup } = who;
  const now = userPools.clock.now();
  const isVerified = await userPools.database.tx(async (tx) => {
    await checkAttempts(tx, user, FAILURES, now, CODE_FAILURES_MAX);
    const secret = setup ? setup.secret : (await getUser(tx, user.poolId, user.key))?.credentials.newTotp;
    if (secret === undefined)
      throw invalidParameter("There is no software token to verify: associate one first.");
    const step = totpStep(secret, input.UserCode ?? "", now);
    if (step === undefined) {
      await countAttempt(tx, user, FAILURES, now);
      return false;
    }
    const name = input.FriendlyDeviceName;
    await editUser(tx, user, (current) => withTotp(current, secret, name, step));
    return true;
  });
  if (!isVerified) throw new AwsError("EnableSoftwareTokenMFAException", "Code mismatch");
  if (!setup || input.Session === undefined) return { Status: "SUCCESS" };
  const state: Setup = { ...setup, isVerified: true };
  const Session = await exchanged(userPools, who, input.Session, state, context);
  return { Status: "SUCCESS", Session };
}

function withTotp(user: User, secret: string, name: string | undefined, step: number): User {
  const { newTotp: _taken, totpName: _before, ...rest } = user.credentials;
  return {
    ...user,
    credentials: { ...rest, totp: secret, totpStep: step, ...(name !== undefined && { totpName: name }) },
  };
}

interface Wanted {
  readonly Enabled?: boolean | undefined;
  readonly PreferredMfa?: boolean | undefined;
}

interface Preference {
  readonly SMSMfaSettings?: Wanted | undefined;
  readonly EmailMfaSettings?: { readonly Enabled?: boolean | undefined } | undefined;
  readonly WebAuthnMfaSettings?: unknown;
  readonly SoftwareTokenMfaSettings?: Wanted | undefined;
}

/** Sets which second factors a user chose, and which of them is preferred. @throws AwsError InvalidParameterException */
export async function setPreference(
  userPools: UserPools,
  pool: Pool,
  user: User,
  input: Preference,
): Promise<void> {
  if (input.EmailMfaSettings?.Enabled === true) throw notImplemented("EmailMfaSettings: MFA by e-mail");
  if (input.WebAuthnMfaSettings) throw notImplemented("WebAuthnMfaSettings: passkeys");
  const { SMSMfaSettings: sms, SoftwareTokenMfaSettings: totp } = input;
  if (!sms && !totp) return;
  checkPreference(pool, user, { sms, totp });
  const isTotp = totp?.PreferredMfa === true;
  const isSms = sms?.PreferredMfa === true;
  await userPools.database.tx((tx) =>
    editUser(tx, user, (current) => ({
      ...current,
      credentials: {
        ...current.credentials,
        ...(totp && { mfaEnabled: totp.Enabled === true }),
        ...(sms && { smsEnabled: sms.Enabled === true }),
        // One at most is preferred.
        ...((totp || isSms) && { mfaPreferred: isTotp }),
        ...((sms || isTotp) && { smsPreferred: isSms }),
      },
      modifiedAt: userPools.clock.now(),
    })),
  );
}

/** @throws AwsError InvalidParameterException for a factor that the user or the pool does not have */
function checkPreference(
  { settings }: Pool,
  { attributes, credentials }: User,
  { sms, totp }: { readonly sms: Wanted | undefined; readonly totp: Wanted | undefined },
): void {
  if (sms?.Enabled === true) {
    if (settings.smsMfa !== true) throw invalidParameter("SMS MFA has not been enabled by the userPool");
    if (attributes["phone_number"] === undefined)
      throw invalidParameter("User does not have a phone_number set to turn on SMS MFA");
  }
  if (totp?.Enabled === true && credentials.totp === undefined)
    throw invalidParameter("User has not verified software token mfa");
  for (const one of [sms, totp])
    if (one?.PreferredMfa === true && one.Enabled !== true)
      throw invalidParameter("A preferred MFA method must be enabled.");
  if (sms?.PreferredMfa === true && totp?.PreferredMfa === true)
    throw invalidParameter("Only one MFA method can be preferred.");
}

export async function setUserMfaPreference(
  userPools: UserPools,
  input: Input<Client, "SetUserMFAPreference">,
): Promise<object> {
  const { pool, user } = await requireAccess(userPools, input.AccessToken);
  await setPreference(userPools, pool, user, input);
  return {};
}

export async function adminSetUserMfaPreference(
  userPools: UserPools,
  input: Input<Client, "AdminSetUserMFAPreference">,
  context: RequestContext,
): Promise<object> {
  const pool = await requirePool(userPools.database, context, input.UserPoolId);
  const user = await requireUser(userPools.database, pool, input.Username);
  await setPreference(userPools, pool, user, input);
  return {};
}

/** Takes a user's authenticator away, as when it was lost. */
export async function adminDeleteSoftwareToken(
  { clock, database }: UserPools,
  { UserPoolId, Username }: Input<Client, "AdminDeleteSoftwareToken">,
  context: RequestContext,
): Promise<object> {
  const pool = await requirePool(database, context, UserPoolId);
  await database.tx(async (tx) => {
    const user = await requireUser(tx, pool, Username);
    if (user.credentials.totp === undefined)
      throw new AwsError("SoftwareTokenMFANotFoundException", "The user has no software token.");
    await editUser(tx, user, (current) => {
      const {
        totp,
        totpName,
        totpStep: step,
        newTotp,
        mfaEnabled,
        mfaPreferred,
        ...credentials
      } = current.credentials;
      void [totp, totpName, step, newTotp, mfaEnabled, mfaPreferred];
      return { ...current, credentials, modifiedAt: clock.now() };
    });
  });
  return {};
}
