/** Users: how they sign up, are confirmed, change themselves and their passwords, and what administrators do with them. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  AdminConfirmSignUpCommand,
  AdminCreateUserCommand,
  AdminDeleteUserAttributesCommand,
  AdminDeleteUserCommand,
  AdminDisableUserCommand,
  AdminEnableUserCommand,
  AdminGetUserAuthFactorsCommand,
  AdminGetUserCommand,
  AdminResetUserPasswordCommand,
  AdminSetUserPasswordCommand,
  AdminUpdateUserAttributesCommand,
  ChangePasswordCommand,
  ConfirmForgotPasswordCommand,
  ConfirmSignUpCommand,
  DeleteUserAttributesCommand,
  DeleteUserCommand,
  ForgotPasswordCommand,
  GetUserAttributeVerificationCodeCommand,
  GetUserAuthFactorsCommand,
  GetUserCommand,
  InitiateAuthCommand,
  ListUsersCommand,
  ResendConfirmationCodeCommand,
  SignUpCommand,
  UpdateUserAttributesCommand,
  VerifyUserAttributeCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import type { CognitoIdentityProviderClient } from "@aws-sdk/client-cognito-identity-provider";
import { refusal, secretHash, startUserPools } from "../harness/user-pools.ts";
import type { TestPool, UserPoolsSetting } from "../harness/user-pools.ts";

const HOUR_MS = 3_600_000;
const Password = "Passw0rd!";
let setting: UserPoolsSetting;
let client: CognitoIdentityProviderClient;
before(async () => {
  setting = await startUserPools();
  client = setting.client;
});
after(() => setting.stop());

const email = (Value: string) => [{ Name: "email", Value }];
const signUp = (
  { clientId: ClientId }: TestPool,
  Username: string,
  UserAttributes = email("ada@example.com"),
) => client.send(new SignUpCommand({ ClientId, Username, Password, UserAttributes }));
const confirm = ({ clientId: ClientId }: TestPool, Username: string, ConfirmationCode: string, more = {}) =>
  client.send(new ConfirmSignUpCommand({ ClientId, Username, ConfirmationCode, ...more }));
const signIn = ({ clientId: ClientId }: TestPool, USERNAME: string, PASSWORD = Password) =>
  client.send(
    new InitiateAuthCommand({
      ClientId,
      AuthFlow: "USER_PASSWORD_AUTH",
      AuthParameters: { USERNAME, PASSWORD },
    }),
  );
const tokenOf = async (pool: TestPool, username: string, password = Password) =>
  (await signIn(pool, username, password)).AuthenticationResult?.AccessToken ?? "";
const attributesOf = async ({ id: UserPoolId }: TestPool, Username: string) => {
  const { UserAttributes = [] } = await client.send(new AdminGetUserCommand({ UserPoolId, Username }));
  return Object.fromEntries(UserAttributes.map(({ Name, Value }) => [Name, Value]));
};

test("SignUp, ConfirmSignUp: the code verifies the address, wrong codes are counted, and who is confirmed is not confirmed again", async () => {
  const pool = await setting.pool({ AutoVerifiedAttributes: ["email"] });
  const made = await signUp(pool, "ada");
  assert.equal(made.UserConfirmed, false);
  assert.deepEqual(made.CodeDeliveryDetails, {
    Destination: "a***@e***",
    DeliveryMedium: "EMAIL",
    AttributeName: "email",
  });
  assert.equal(await refusal(signUp(pool, "ada")), "UsernameExistsException: User already exists");
  const [message] = await setting.messages(pool);
  assert.equal(message?.destination, "ada@example.com");
  assert.equal(message?.message, `Your verification code is ${message?.code}.`);
  assert.equal(await refusal(signIn(pool, "ada")), "UserNotConfirmedException: User is not confirmed.");
  const wrong = String((Number(message?.code) + 1) % 1_000_000).padStart(6, "0");
  const mismatch = "CodeMismatchException: Invalid verification code provided, please try again.";
  for (let at = 0; at < 5; at++) assert.equal(await refusal(confirm(pool, "ada", wrong)), mismatch);
  assert.equal(
    await refusal(confirm(pool, "ada", message?.code ?? "")),
    "LimitExceededException: Attempt limit exceeded, please try after some time.",
  );
  setting.clock.leap(HOUR_MS);
  await confirm(pool, "ada", message?.code ?? "");
  assert.match(
    await refusal(confirm(pool, "ada", message?.code ?? "")),
    /^NotAuthorizedException: User cannot be confirmed. Current status is CONFIRMED/,
  );
  const { UserAttributes: _list, ...user } = await client.send(
    new AdminGetUserCommand({ UserPoolId: pool.id, Username: made.UserSub ?? "" }),
  );
  assert.deepEqual([user.Username, user.UserStatus, user.Enabled], ["ada", "CONFIRMED", true]);
  assert.deepEqual(await attributesOf(pool, "ada"), {
    sub: made.UserSub,
    email: "ada@example.com",
    email_verified: "true",
  });
  assert.ok((await signIn(pool, "ada")).AuthenticationResult?.AccessToken);
});

test("ResendConfirmationCode: a new code in the place of the old; codes end after a day", async () => {
  const pool = await setting.pool({ AutoVerifiedAttributes: ["email"] });
  await signUp(pool, "bob");
  const old = await setting.code(pool, "bob");
  const resend = () =>
    client.send(new ResendConfirmationCodeCommand({ ClientId: pool.clientId, Username: "bob" }));
  assert.equal((await resend()).CodeDeliveryDetails?.Destination, "a***@e***");
  const code = await setting.code(pool, "bob");
  if (old !== code) assert.match(await refusal(confirm(pool, "bob", old)), /^CodeMismatchException/);
  setting.clock.leap(24 * HOUR_MS);
  assert.equal(
    await refusal(confirm(pool, "bob", code)),
    "ExpiredCodeException: Invalid code provided, please request a code again.",
  );
  await resend();
  await confirm(pool, "bob", await setting.code(pool, "bob"));
  assert.equal(await refusal(resend()), "InvalidParameterException: User is already confirmed.");
});

test("SignUp refuses passwords, names and attributes that the pool does not take", async () => {
  const pool = await setting.pool(
    {
      Policies: { PasswordPolicy: { MinimumLength: 10 } },
      Schema: [
        { Name: "given_name", AttributeDataType: "String", Required: true },
        {
          Name: "age",
          AttributeDataType: "Number",
          NumberAttributeConstraints: { MinValue: "18", MaxValue: "99" },
        },
      ],
    },
    { WriteAttributes: ["given_name", "email", "custom:age"] },
  );
  const attempt = (Pass: string, attributes: Record<string, string>) =>
    refusal(
      client.send(
        new SignUpCommand({
          ClientId: pool.clientId,
          Username: "eve",
          Password: Pass,
          UserAttributes: Object.entries(attributes).map(([Name, Value]) => ({ Name, Value })),
        }),
      ),
    );
  const named = { given_name: "Eve" };
  assert.equal(
    await attempt("short", named),
    "InvalidPasswordException: Password did not conform with policy: Password not long enough",
  );
  assert.match(await attempt("long-enough", {}), /given_name: The attribute given_name is required/);
  assert.match(await attempt("long-enough", { ...named, email: "no" }), /Invalid email address format\.$/);
  assert.match(await attempt("long-enough", { ...named, "custom:age": "17" }), /cannot be less than 18/);
  assert.match(await attempt("long-enough", { ...named, "custom:age": "x" }), /is not a number/);
  for (const name of ["nickname", "custom:none", "email_verified", "sub"])
    assert.equal(
      await attempt("long-enough", { ...named, [name]: "x" }),
      "NotAuthorizedException: A client attempted to write unauthorized attribute",
    );
  const only = await setting.pool({ AdminCreateUserConfig: { AllowAdminCreateUserOnly: true } });
  assert.equal(
    await refusal(signUp(only, "eve")),
    "NotAuthorizedException: SignUp is not permitted for this user pool",
  );
  assert.equal(
    await refusal(signUp({ ...pool, clientId: "none" }, "eve")),
    "ResourceNotFoundException: User pool client none does not exist.",
  );
});

test("SignUp where e-mail addresses take the place of usernames, in any case of letters", async () => {
  const pool = await setting.pool({
    UsernameAttributes: ["email"],
    UsernameConfiguration: { CaseSensitive: false },
    AutoVerifiedAttributes: ["email"],
  });
  const { UserSub } = await signUp(pool, "Ada@Example.com", []);
  assert.equal(
    await refusal(signUp(pool, "ada@example.com", [])),
    "UsernameExistsException: An account with the given email already exists.",
  );
  assert.equal(
    await refusal(signUp(pool, "ada", [])),
    "InvalidParameterException: Username should be an email.",
  );
  await confirm(pool, "ada@example.com", await setting.code(pool, "Ada@Example.com"));
  const { AccessToken } = (await signIn(pool, "ADA@example.com")).AuthenticationResult ?? {};
  const user = await client.send(new GetUserCommand({ AccessToken }));
  assert.equal(user.Username, UserSub);
});

test("aliases: an address is one once it is verified, and can be taken over only by force", async () => {
  const pool = await setting.pool({ AliasAttributes: ["email"], AutoVerifiedAttributes: ["email"] });
  assert.match(await refusal(signUp(pool, "x@example.com")), /Username cannot be of email format/);
  await signUp(pool, "one", email("shared@example.com"));
  await signUp(pool, "two", email("shared@example.com"));
  await confirm(pool, "one", await setting.code(pool, "one"));
  assert.ok((await signIn(pool, "shared@example.com")).AuthenticationResult);
  const code = await setting.code(pool, "two");
  assert.equal(
    await refusal(confirm(pool, "two", code)),
    "AliasExistsException: An account with the given email already exists.",
  );
  await confirm(pool, "two", code, { ForceAliasCreation: true });
  const found = await client.send(
    new AdminGetUserCommand({ UserPoolId: pool.id, Username: "shared@example.com" }),
  );
  assert.equal(found.Username, "two");
});

test("a client with a secret proves it by SECRET_HASH", async () => {
  const pool = await setting.pool({}, { GenerateSecret: true });
  const { clientId: ClientId } = pool;
  const request = { ClientId, Username: "sam", Password };
  assert.equal(
    await refusal(client.send(new SignUpCommand(request))),
    `NotAuthorizedException: Client ${ClientId} is configured with secret but SECRET_HASH was not received`,
  );
  assert.equal(
    await refusal(client.send(new SignUpCommand({ ...request, SecretHash: "AAAA" }))),
    `NotAuthorizedException: Unable to verify secret hash for client ${ClientId}`,
  );
  await client.send(new SignUpCommand({ ...request, SecretHash: secretHash(pool, "sam") }));
  await client.send(new AdminConfirmSignUpCommand({ UserPoolId: pool.id, Username: "sam" }));
  const AuthParameters = { USERNAME: "sam", PASSWORD: Password, SECRET_HASH: secretHash(pool, "sam") };
  const flow = { ClientId, AuthFlow: "USER_PASSWORD_AUTH" } as const;
  const { AuthenticationResult } = await client.send(new InitiateAuthCommand({ ...flow, AuthParameters }));
  const refresh = {
    REFRESH_TOKEN: AuthenticationResult?.RefreshToken ?? "",
    SECRET_HASH: secretHash(pool, "sam"),
  };
  const again = await client.send(
    new InitiateAuthCommand({ ClientId, AuthFlow: "REFRESH_TOKEN_AUTH", AuthParameters: refresh }),
  );
  assert.ok(again.AuthenticationResult?.IdToken);
});

test("AdminConfirmSignUp, AdminGetUser, AdminDisableUser, AdminEnableUser, AdminDeleteUser, AdminGetUserAuthFactors", async () => {
  const pool = await setting.pool();
  const who = { UserPoolId: pool.id, Username: "mel" };
  await signUp(pool, "mel");
  await client.send(new AdminConfirmSignUpCommand(who));
  const AccessToken = await tokenOf(pool, "mel");
  const factors = await client.send(new AdminGetUserAuthFactorsCommand(who));
  assert.deepEqual(factors.ConfiguredUserAuthFactors, ["PASSWORD"]);
  await client.send(new AdminDisableUserCommand(who));
  assert.equal(await refusal(signIn(pool, "mel")), "NotAuthorizedException: User is disabled.");
  assert.match(await refusal(client.send(new GetUserCommand({ AccessToken }))), /^NotAuthorizedException/);
  await client.send(new AdminEnableUserCommand(who));
  assert.ok(await tokenOf(pool, "mel"));
  await client.send(new AdminDeleteUserCommand(who));
  assert.equal(await refusal(signIn(pool, "mel")), "UserNotFoundException: User does not exist.");
});

test("AdminCreateUser: an invitation with a temporary password, sent again, and none that nobody would get", async () => {
  const pool = await setting.pool({
    AdminCreateUserConfig: {
      InviteMessageTemplate: { EmailSubject: "Hi {username}", EmailMessage: "{username}, use {####} once" },
    },
    EmailConfiguration: { ReplyToEmailAddress: "help@example.com" },
  });
  const who = { UserPoolId: pool.id, Username: "kim" };
  const { User } = await client.send(
    new AdminCreateUserCommand({ ...who, UserAttributes: email("kim@example.com") }),
  );
  assert.equal(User?.UserStatus, "FORCE_CHANGE_PASSWORD");
  const [first] = await setting.messages(pool);
  assert.deepEqual(
    [first?.subject, first?.message, first?.replyTo],
    ["Hi kim", `kim, use ${first?.code} once`, "help@example.com"],
  );
  assert.equal((await signIn(pool, "kim", first?.code)).ChallengeName, "NEW_PASSWORD_REQUIRED");
  await client.send(new AdminCreateUserCommand({ ...who, MessageAction: "RESEND" }));
  const second = await setting.code(pool, "kim");
  assert.match(await refusal(signIn(pool, "kim", first?.code)), /Incorrect username or password\.$/);
  setting.clock.leap(7 * 24 * HOUR_MS);
  assert.equal(
    await refusal(signIn(pool, "kim", second)),
    "NotAuthorizedException: Temporary password has expired and must be reset by an administrator.",
  );
  assert.match(
    await refusal(
      client.send(new AdminCreateUserCommand({ ...who, Username: "lee", DesiredDeliveryMediums: ["SMS"] })),
    ),
    /^InvalidParameterException: The user has no phone_number/,
  );
  assert.match(
    await refusal(client.send(new AdminGetUserCommand({ ...who, Username: "lee" }))),
    /^UserNotFoundException/,
  );
});

test("AdminUpdateUserAttributes, AdminDeleteUserAttributes: a changed address is not verified, what is immutable stays", async () => {
  const pool = await setting.pool({
    Schema: [{ Name: "badge", AttributeDataType: "String", Mutable: false }],
  });
  const who = { UserPoolId: pool.id, Username: "pat" };
  await setting.user(pool, "pat", Password, "pat@example.com");
  const set = (Name: string, Value: string) =>
    client.send(new AdminUpdateUserAttributesCommand({ ...who, UserAttributes: [{ Name, Value }] }));
  await set("custom:badge", "7");
  assert.equal(
    await refusal(set("custom:badge", "8")),
    "InvalidParameterException: user.custom:badge: Attribute cannot be updated.",
  );
  await set("email", "p@example.com");
  const { sub: _sub, ...changed } = await attributesOf(pool, "pat");
  assert.deepEqual(changed, { email: "p@example.com", email_verified: "false", "custom:badge": "7" });
  await client.send(new AdminDeleteUserAttributesCommand({ ...who, UserAttributeNames: ["email"] }));
  assert.deepEqual(Object.keys(await attributesOf(pool, "pat")), ["sub", "custom:badge"]);
});

test("GetUser, UpdateUserAttributes, VerifyUserAttribute, GetUserAttributeVerificationCode, DeleteUserAttributes, GetUserAuthFactors, DeleteUser", async () => {
  const pool = await setting.pool({
    AutoVerifiedAttributes: ["email"],
    UserAttributeUpdateSettings: { AttributesRequireVerificationBeforeUpdate: ["email"] },
  });
  await setting.user(pool, "ann", Password, "ann@example.com");
  const AccessToken = await tokenOf(pool, "ann");
  const update = await client.send(
    new UpdateUserAttributesCommand({
      AccessToken,
      UserAttributes: [...email("new@example.com"), { Name: "nickname", Value: "Annie" }],
    }),
  );
  assert.equal(update.CodeDeliveryDetailsList?.[0]?.Destination, "n***@e***");
  const before = await attributesOf(pool, "ann");
  assert.deepEqual([before["email"], before["nickname"]], ["ann@example.com", "Annie"]);
  const verify = (Code: string) =>
    client.send(new VerifyUserAttributeCommand({ AccessToken, AttributeName: "email", Code }));
  await verify(await setting.code(pool, "ann"));
  const after = await attributesOf(pool, "ann");
  assert.deepEqual([after["email"], after["email_verified"]], ["new@example.com", "true"]);
  await client.send(new GetUserAttributeVerificationCodeCommand({ AccessToken, AttributeName: "email" }));
  await verify(await setting.code(pool, "ann"));
  await client.send(new DeleteUserAttributesCommand({ AccessToken, UserAttributeNames: ["nickname"] }));
  const user = await client.send(new GetUserCommand({ AccessToken }));
  assert.deepEqual(
    user.UserAttributes?.map(({ Name }) => Name),
    ["sub", "email", "email_verified"],
  );
  const factors = await client.send(new GetUserAuthFactorsCommand({ AccessToken }));
  assert.equal(factors.Username, "ann");
  await client.send(new DeleteUserCommand({ AccessToken }));
  assert.match(await refusal(client.send(new GetUserCommand({ AccessToken }))), /^UserNotFoundException/);
});

test("ForgotPassword, ConfirmForgotPassword: by a verified address, for an hour", async () => {
  const pool = await setting.pool();
  const { clientId: ClientId } = pool;
  await setting.user(pool, "joe", Password, "joe@example.com");
  await setting.user(pool, "jim", Password);
  const forgot = (Username: string) => client.send(new ForgotPasswordCommand({ ClientId, Username }));
  const reset = (ConfirmationCode: string, Pass: string) =>
    client.send(
      new ConfirmForgotPasswordCommand({ ClientId, Username: "joe", ConfirmationCode, Password: Pass }),
    );
  assert.match(await refusal(forgot("jim")), /no registered\/verified email or phone_number$/);
  assert.equal(await refusal(forgot("nobody")), "UserNotFoundException: User does not exist.");
  assert.equal((await forgot("joe")).CodeDeliveryDetails?.Destination, "j***@e***");
  const code = await setting.code(pool, "joe");
  assert.match(await refusal(reset(code, "no")), /^InvalidPasswordException/);
  setting.clock.leap(HOUR_MS);
  assert.match(await refusal(reset(code, "An0ther!")), /^ExpiredCodeException/);
  await forgot("joe");
  await reset(await setting.code(pool, "joe"), "An0ther!");
  assert.match(await refusal(signIn(pool, "joe")), /Incorrect/);
  assert.ok(await tokenOf(pool, "joe", "An0ther!"));
});

test("ChangePassword, AdminSetUserPassword, AdminResetUserPassword, and passwords that were used before", async () => {
  const pool = await setting.pool({
    Policies: { PasswordPolicy: { MinimumLength: 6, PasswordHistorySize: 2 } },
  });
  await setting.user(pool, "sue", "first-1", "sue@example.com");
  const AccessToken = await tokenOf(pool, "sue", "first-1");
  const change = (PreviousPassword: string, ProposedPassword: string) =>
    client.send(new ChangePasswordCommand({ AccessToken, PreviousPassword, ProposedPassword }));
  assert.equal(
    await refusal(change("wrong", "second-2")),
    "NotAuthorizedException: Incorrect username or password.",
  );
  await change("first-1", "second-2");
  assert.match(await refusal(change("second-2", "first-1")), /^PasswordHistoryPolicyViolationException/);
  const who = { UserPoolId: pool.id, Username: "sue" };
  await client.send(new AdminSetUserPasswordCommand({ ...who, Password: "third-3", Permanent: true }));
  assert.ok(await tokenOf(pool, "sue", "third-3"));
  await client.send(new AdminResetUserPasswordCommand(who));
  assert.equal(
    await refusal(signIn(pool, "sue", "third-3")),
    "PasswordResetRequiredException: Password reset required for the user",
  );
  const ConfirmationCode = await setting.code(pool, "sue");
  await client.send(
    new ConfirmForgotPasswordCommand({
      ClientId: pool.clientId,
      Username: "sue",
      ConfirmationCode,
      Password: "fourth-4",
    }),
  );
  assert.ok(await tokenOf(pool, "sue", "fourth-4"));
});

test("ListUsers: pages, filters and chosen attributes", async () => {
  const pool = await setting.pool();
  for (const name of ["ada", "ben", "cyd"]) await signUp(pool, name, email(`${name}@example.com`));
  const list = (more = {}) => client.send(new ListUsersCommand({ UserPoolId: pool.id, ...more }));
  const names = ({ Users = [] }: Awaited<ReturnType<typeof list>>) => Users.map(({ Username }) => Username);
  const one = await list({ Limit: 2 });
  assert.deepEqual(names(one), ["ada", "ben"]);
  const rest = await list({ Limit: 2, PaginationToken: one.PaginationToken });
  assert.deepEqual([names(rest), rest.PaginationToken], [["cyd"], undefined]);
  assert.deepEqual(names(await list({ Filter: 'email ^= "b"' })), ["ben"]);
  assert.deepEqual(names(await list({ Filter: 'cognito:user_status = "CONFIRMED"' })), []);
  const { Users } = await list({ AttributesToGet: ["email"], Limit: 1 });
  assert.deepEqual(Users?.[0]?.Attributes, email("ada@example.com"));
  assert.match(await refusal(list({ Filter: "email" })), /^InvalidParameterException: Error while parsing/);
  assert.match(await refusal(list({ AttributesToGet: ["no"] })), /^InvalidParameterException/);
});

test("clients that hide who is there tell the same of everybody", async () => {
  const pool = await setting.pool({}, { PreventUserExistenceErrors: "ENABLED" });
  const { clientId: ClientId } = pool;
  const forgot = () => client.send(new ForgotPasswordCommand({ ClientId, Username: "ghost" }));
  const [one, two] = [await forgot(), await forgot()];
  assert.match(one.CodeDeliveryDetails?.Destination ?? "", /^[a-z]\*\*\*@[a-z]\*\*\*$/);
  assert.deepEqual(one.CodeDeliveryDetails, two.CodeDeliveryDetails);
  assert.equal(
    await refusal(signIn(pool, "ghost")),
    "NotAuthorizedException: Incorrect username or password.",
  );
  assert.match(await refusal(confirm(pool, "ghost", "123456")), /^ExpiredCodeException/);
});
