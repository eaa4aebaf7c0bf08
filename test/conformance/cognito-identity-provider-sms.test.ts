/** MFA by SMS: the pool's role, codes as the second factor in each flow, which of two factors, devices, and the pages. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  AdminGetUserCommand,
  AdminInitiateAuthCommand,
  AdminRespondToAuthChallengeCommand,
  AdminSetUserMFAPreferenceCommand,
  AdminSetUserSettingsCommand,
  AdminUpdateUserAttributesCommand,
  AssociateSoftwareTokenCommand,
  CognitoIdentityProviderClient,
  CreateUserPoolCommand,
  DescribeUserPoolCommand,
  ForgotPasswordCommand,
  GetUserCommand,
  GetUserPoolMfaConfigCommand,
  InitiateAuthCommand,
  RespondToAuthChallengeCommand,
  SetUserMFAPreferenceCommand,
  SetUserPoolMfaConfigCommand,
  SetUserSettingsCommand,
  UpdateUserPoolCommand,
  VerifySoftwareTokenCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import type {
  AdminSetUserMFAPreferenceCommandInput,
  CreateUserPoolCommandInput,
  InitiateAuthCommandOutput,
  MFAOptionType,
} from "@aws-sdk/client-cognito-identity-provider";
import {
  CreateRoleCommand,
  DeleteRolePolicyCommand,
  IAMClient,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { AuthenticationDetails, CognitoUser, CognitoUserPool } from "amazon-cognito-identity-js";
import type { CognitoUserSession } from "amazon-cognito-identity-js";
import { totpCode } from "../../src/services/cognito-identity-provider/auth/totp.ts";
import { makeUser } from "../harness/principals.ts";
import { Password, allTriggers, startTriggers } from "../harness/user-pool-triggers.ts";
import type { TriggerSetting } from "../harness/user-pool-triggers.ts";
import {
  asked,
  browser,
  codeOf,
  hidden,
  makeSite,
  signIn as signInOnPage,
} from "../harness/user-pool-sites.ts";
import { makePool, refusal } from "../harness/user-pools.ts";
import type { TestPool } from "../harness/user-pools.ts";

const ROLE = "arn:aws:iam::000000000000:role/sms";
const ExternalId = "of-the-pool";
const PHONE = "+15550100123";
const MASKED = "+*******0123";
const sms: Partial<CreateUserPoolCommandInput> = { SmsConfiguration: { SnsCallerArn: ROLE, ExternalId } };

let setting: TriggerSetting;
let client: CognitoIdentityProviderClient;
let iam: IAMClient;
before(async () => {
  setting = await startTriggers();
  client = setting.client;
  iam = new IAMClient(setting.server.client());
  const trust = (Service: string) =>
    JSON.stringify({
      Version: "2012-10-17",
      Statement: {
        Effect: "Allow",
        Principal: { Service },
        Action: "sts:AssumeRole",
        Condition: { StringEquals: { "sts:ExternalId": ExternalId } },
      },
    });
  const make = (RoleName: string, service: string) =>
    iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust(service) }));
  await make("sms", "cognito-idp.amazonaws.com");
  await make("other", "lambda.amazonaws.com");
  await mayPublish();
});
after(async () => {
  iam.destroy();
  await setting.stop();
});

const policy = { RoleName: "sms", PolicyName: "publish" };
async function mayPublish() {
  const Statement = { Effect: "Allow", Action: "sns:Publish", Resource: "*" };
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
  await iam.send(new PutRolePolicyCommand({ ...policy, PolicyDocument }));
}

const give = (UserPoolId: string, attributes: Record<string, string>) =>
  client.send(
    new AdminUpdateUserAttributesCommand({
      UserPoolId,
      Username: "ada",
      UserAttributes: Object.entries(attributes).map(([Name, Value]) => ({ Name, Value })),
    }),
  );
const seenUser = (UserPoolId: string) =>
  client.send(new AdminGetUserCommand({ UserPoolId, Username: "ada" }));
const attribute = async ({ id }: TestPool, name: string) =>
  (await seenUser(id)).UserAttributes?.find(({ Name }) => Name === name)?.Value;
const prefer = (
  UserPoolId: string,
  settings: Pick<AdminSetUserMFAPreferenceCommandInput, "SMSMfaSettings" | "SoftwareTokenMfaSettings">,
) => client.send(new AdminSetUserMFAPreferenceCommand({ UserPoolId, Username: "ada", ...settings }));

/** A pool with a user who has a phone. */
async function poolOf(more: Partial<CreateUserPoolCommandInput> = {}): Promise<TestPool> {
  const pool = await makePool(client, { ...sms, MfaConfiguration: "OPTIONAL", ...more });
  await setting.user(pool, "ada", Password);
  await give(pool.id, { phone_number: PHONE });
  return pool;
}

const begin = ({ clientId: ClientId }: TestPool) =>
  client.send(
    new InitiateAuthCommand({
      ClientId,
      AuthFlow: "USER_PASSWORD_AUTH",
      AuthParameters: { USERNAME: "ada", PASSWORD: Password },
    }),
  );
const answer = (
  { clientId: ClientId }: TestPool,
  { ChallengeName, Session }: Pick<InitiateAuthCommandOutput, "ChallengeName" | "Session">,
  responses: Record<string, string>,
  ClientMetadata?: Record<string, string>,
) =>
  client.send(
    new RespondToAuthChallengeCommand({
      ClientId,
      ChallengeName,
      Session,
      ChallengeResponses: { USERNAME: "ada", ...responses },
      ...(ClientMetadata && { ClientMetadata }),
    }),
  );
const wrongOf = (code: string) => (code === "000000" ? "000001" : "000000");

test("SmsConfiguration: the role must be Cognito's to assume by the external id, and may publish", async () => {
  const refused = (more: Partial<CreateUserPoolCommandInput>) => refusal(makePool(client, more));
  const trust =
    "InvalidSmsRoleTrustRelationshipException: Role does not have a trust relationship allowing Cognito to assume the role";
  const by = (SnsCallerArn: string, more: object = {}) => ({ SmsConfiguration: { SnsCallerArn, ...more } });
  assert.equal(await refused(by(ROLE)), trust);
  assert.equal(await refused(by(ROLE, { ExternalId: "another" })), trust);
  assert.equal(await refused(by(`${ROLE}-none`, { ExternalId })), trust);
  assert.equal(await refused(by("arn:aws:iam::000000000000:role/other", { ExternalId })), trust);
  assert.equal(await refused(by(ROLE.replace("000000000000", "111111111111"), { ExternalId })), trust);
  assert.match(await refused({ ...sms, SmsAuthenticationMessage: "no code" }), /^InvalidParameterException/);
  const EumsSms = { CallerArn: ROLE, OriginationIdentity: "x" };
  assert.match(await refused({ SmsConfiguration: { EumsSms } }), /^NotImplemented: .*EumsSms/);
  await iam.send(new DeleteRolePolicyCommand(policy));
  assert.equal(
    await refused(sms),
    "InvalidSmsRoleAccessPolicyException: Role does not have permission to publish with SNS",
  );
  await mayPublish();
});

test("who gives a pool its role for SMS needs iam:PassRole on it", async () => {
  const { id: UserPoolId } = await makePool(client);
  const user = await makeUser(setting.server.client(), "operator", { Action: "cognito-idp:*" });
  const limited = new CognitoIdentityProviderClient(user.options);
  const { SmsConfiguration } = sms;
  const MfaConfiguration = "ON";
  const SmsMfaConfiguration = { SmsConfiguration };
  const each = [
    () => limited.send(new CreateUserPoolCommand({ PoolName: "p", ...sms })),
    () => limited.send(new UpdateUserPoolCommand({ UserPoolId, ...sms })),
    () =>
      limited.send(new SetUserPoolMfaConfigCommand({ UserPoolId, MfaConfiguration, SmsMfaConfiguration })),
  ];
  for (const one of each)
    assert.match(
      await refusal(one()),
      /^AccessDeniedException: .* is not authorized to perform: iam:PassRole on resource: .*:role\/sms /,
    );
  const Condition = { StringEquals: { "iam:PassedToService": "cognito-idp.amazonaws.com" } };
  await user.may({ Action: "cognito-idp:*" }, { Action: "iam:PassRole", Resource: ROLE, Condition });
  for (const one of each) assert.equal(await refusal(one()), "(accepted)");
  limited.destroy();
});

test("CreateUserPool, UpdateUserPool, SetUserPoolMfaConfig, GetUserPoolMfaConfig: SMS as a factor, or for other messages alone", async () => {
  const text = { SmsAuthenticationMessage: "Use {####}" };
  const { id: UserPoolId } = await makePool(client, { ...sms, ...text, MfaConfiguration: "ON" });
  const config = async () => {
    const got = await client.send(new GetUserPoolMfaConfigCommand({ UserPoolId }));
    return [got.MfaConfiguration, got.SmsMfaConfiguration, got.SoftwareTokenMfaConfiguration];
  };
  const SmsConfiguration = { SnsCallerArn: ROLE, ExternalId, SnsRegion: "us-east-1" };
  assert.deepEqual(await config(), ["ON", { ...text, SmsConfiguration }, undefined]);
  const { UserPool } = await client.send(new DescribeUserPoolCommand({ UserPoolId }));
  assert.deepEqual(
    [UserPool?.MfaConfiguration, UserPool?.SmsConfiguration, UserPool?.SmsAuthenticationMessage],
    ["ON", SmsConfiguration, text.SmsAuthenticationMessage],
  );
  const set = (input: object) => client.send(new SetUserPoolMfaConfigCommand({ UserPoolId, ...input }));
  const SoftwareTokenMfaConfiguration = { Enabled: true };
  await set({ MfaConfiguration: "ON", SoftwareTokenMfaConfiguration });
  assert.deepEqual(await config(), ["ON", undefined, { Enabled: true }]);
  await client.send(new UpdateUserPoolCommand({ UserPoolId, ...sms }));
  assert.deepEqual(await config(), ["ON", undefined, { Enabled: true }]);
  const off = { MfaConfiguration: "OFF", SmsMfaConfiguration: sms };
  assert.match(await refusal(set(off)), /can't turn off MFA and configure an MFA together/);
  await set({ MfaConfiguration: "OPTIONAL", SmsMfaConfiguration: {} });
  assert.deepEqual(await config(), ["OPTIONAL", { SmsConfiguration }, undefined]);
  const update = (input: object) => client.send(new UpdateUserPoolCommand({ UserPoolId, ...input }));
  assert.match(await refusal(update({ MfaConfiguration: "ON" })), /SMS configuration and Auto verification/);
  const { id: bare } = await makePool(client);
  const none = { UserPoolId: bare, MfaConfiguration: "ON", SmsMfaConfiguration: {} } as const;
  assert.match(
    await refusal(client.send(new SetUserPoolMfaConfigCommand(none))),
    /SMS configuration and Auto verification/,
  );
});

test("a code by SMS: CustomMessage_Authentication words it, a wrong one may be typed again, the right one verifies the phone", async () => {
  const pool = await poolOf({ LambdaConfig: allTriggers });
  assert.ok((await begin(pool)).AuthenticationResult, "who has not asked for MFA is not asked");
  await prefer(pool.id, { SMSMfaSettings: { Enabled: true } });
  await setting.seen();
  const challenge = await begin(pool);
  assert.equal(challenge.ChallengeName, "SMS_MFA");
  assert.deepEqual(challenge.ChallengeParameters, {
    USER_ID_FOR_SRP: "ada",
    CODE_DELIVERY_DELIVERY_MEDIUM: "SMS",
    CODE_DELIVERY_DESTINATION: MASKED,
  });
  const [message] = await setting.messages(pool);
  const { code = "" } = message ?? {};
  assert.match(code, /^\d{6}$/);
  assert.deepEqual(
    [message?.medium, message?.destination, message?.reason, message?.message],
    ["SMS", PHONE, "CustomMessage_Authentication", `Your authentication code is ${code}. `],
  );
  const events = await setting.seen();
  const word = events.find(({ triggerSource }) => triggerSource === "CustomMessage_Authentication");
  assert.equal(word?.request["codeParameter"], "{####}");
  assert.equal(word?.request["usernameParameter"], null);
  assert.ok(!JSON.stringify(word).includes(code), "the function is not told the code");
  const mistyped = "CodeMismatchException: Invalid code or auth state for the user.";
  assert.equal(await refusal(answer(pool, challenge, { SMS_MFA_CODE: wrongOf(code) })), mistyped);
  assert.match(await refusal(answer(pool, challenge, {})), /Missing required parameter SMS_MFA_CODE/);
  const other = await begin(pool);
  assert.equal(
    await refusal(answer(pool, other, { SMS_MFA_CODE: code })),
    mistyped,
    "a code is of its challenge alone",
  );
  assert.equal(await attribute(pool, "phone_number_verified"), "false");
  await setting.seen();
  const done = await answer(pool, challenge, { SMS_MFA_CODE: code }, { from: "here" });
  assert.ok(done.AuthenticationResult?.AccessToken);
  assert.equal(await attribute(pool, "phone_number_verified"), "true");
  assert.deepEqual(await setting.sources(), [
    "PostAuthentication_Authentication",
    "TokenGeneration_Authentication",
  ]);
  assert.match(await refusal(answer(pool, challenge, { SMS_MFA_CODE: code })), /^NotAuthorizedException/);
});

test("SmsAuthenticationMessage, the trigger's own text, three minutes, and a role that may send no more", async () => {
  const pool = await poolOf({ SmsAuthenticationMessage: "Use {####}", MfaConfiguration: "ON" });
  const first = await begin(pool);
  const [message] = await setting.messages(pool);
  assert.equal(message?.message, `Use ${message?.code}`);
  setting.clock.leap(3 * 60_000 + 1);
  assert.equal(
    await refusal(answer(pool, first, { SMS_MFA_CODE: message?.code ?? "" })),
    "NotAuthorizedException: Invalid session for the user, session is expired.",
  );
  await iam.send(new DeleteRolePolicyCommand(policy));
  assert.match(await refusal(begin(pool)), /^InvalidSmsRoleAccessPolicyException/);
  await mayPublish();
  const again = await begin(pool);
  const code = await setting.code(pool, "ada");
  for (let tries = 0; tries < 5; tries++)
    assert.match(await refusal(answer(pool, again, { SMS_MFA_CODE: wrongOf(code) })), /^CodeMismatch/);
  assert.match(await refusal(answer(pool, again, { SMS_MFA_CODE: code })), /^LimitExceededException/);
  setting.clock.leap(60 * 60_000);
  const custom = await poolOf({ MfaConfiguration: "ON", LambdaConfig: allTriggers });
  const AuthFlow = "ADMIN_USER_PASSWORD_AUTH";
  const who = { UserPoolId: custom.id, ClientId: custom.clientId };
  const AuthParameters = { USERNAME: "ada", PASSWORD: Password };
  const ClientMetadata = { CustomMessage_Authentication: "{}" };
  const asks = await client.send(
    new AdminInitiateAuthCommand({ ...who, AuthFlow, AuthParameters, ClientMetadata }),
  );
  const { ChallengeName, Session } = asks;
  const SMS_MFA_CODE = await setting.code(custom, "ada");
  const ChallengeResponses = { USERNAME: "ada", SMS_MFA_CODE };
  const done = await client.send(
    new AdminRespondToAuthChallengeCommand({ ...who, ChallengeName, Session, ChallengeResponses }),
  );
  assert.ok(done.AuthenticationResult?.IdToken);
});

test("custom authentication is followed by the code", async () => {
  const pool = await poolOf({ MfaConfiguration: "ON", LambdaConfig: allTriggers });
  const { clientId: ClientId } = pool;
  const AuthParameters = { USERNAME: "ada" };
  const sum = await client.send(
    new InitiateAuthCommand({ ClientId, AuthFlow: "CUSTOM_AUTH", AuthParameters }),
  );
  const say = JSON.stringify({ response: { smsMessage: "Psst: {####}" } });
  const challenge = await answer(pool, sum, { ANSWER: "2" }, { CustomMessage_Authentication: say });
  assert.equal(challenge.ChallengeName, "SMS_MFA");
  const [message] = await setting.messages(pool);
  assert.equal(message?.message, `Psst: ${message?.code}`);
  const done = await answer(pool, challenge, { SMS_MFA_CODE: message?.code ?? "" });
  assert.ok(done.AuthenticationResult);
});

test("SetUserMFAPreference, AdminSetUserMFAPreference and SELECT_MFA_TYPE: who has both is asked, or has the preferred one", async () => {
  const pool = await poolOf({});
  const { id: UserPoolId } = pool;
  const MfaConfiguration = "OPTIONAL";
  const SoftwareTokenMfaConfiguration = { Enabled: true };
  const config = { UserPoolId, MfaConfiguration, SoftwareTokenMfaConfiguration } as const;
  const on = { Enabled: true };
  await client.send(new SetUserPoolMfaConfigCommand(config));
  assert.match(await refusal(prefer(UserPoolId, { SMSMfaSettings: on })), /SMS MFA has not been enabled/);
  await client.send(new SetUserPoolMfaConfigCommand({ ...config, SmsMfaConfiguration: {} }));
  const { AuthenticationResult } = await begin(pool);
  const AccessToken = AuthenticationResult?.AccessToken;
  const { SecretCode = "" } = await client.send(new AssociateSoftwareTokenCommand({ AccessToken }));
  const totp = () => {
    setting.clock.leap(30_000);
    return totpCode(SecretCode, setting.clock.now());
  };
  await client.send(new VerifySoftwareTokenCommand({ AccessToken, UserCode: totp() }));
  const both = { SMSMfaSettings: on, SoftwareTokenMfaSettings: on };
  await client.send(new SetUserMFAPreferenceCommand({ AccessToken, ...both }));
  const choice = await begin(pool);
  assert.equal(choice.ChallengeName, "SELECT_MFA_TYPE");
  const { MFAS_CAN_CHOOSE } = choice.ChallengeParameters ?? {};
  assert.equal(MFAS_CAN_CHOOSE, '["SMS_MFA","SOFTWARE_TOKEN_MFA"]');
  assert.match(await refusal(answer(pool, choice, { ANSWER: "EMAIL_OTP" })), /ANSWER must be one of SMS_MFA/);
  const bySms = await answer(pool, choice, { ANSWER: "SMS_MFA" });
  assert.equal(bySms.ChallengeParameters?.["CODE_DELIVERY_DESTINATION"], MASKED);
  const SMS_MFA_CODE = await setting.code(pool, "ada");
  assert.ok((await answer(pool, bySms, { SMS_MFA_CODE })).AuthenticationResult);
  const byTotp = await answer(pool, await begin(pool), { ANSWER: "SOFTWARE_TOKEN_MFA" });
  assert.ok((await answer(pool, byTotp, { SOFTWARE_TOKEN_MFA_CODE: totp() })).AuthenticationResult);
  const preferred = { Enabled: true, PreferredMfa: true };
  await prefer(UserPoolId, { SoftwareTokenMfaSettings: preferred });
  assert.equal((await begin(pool)).ChallengeName, "SOFTWARE_TOKEN_MFA");
  await prefer(UserPoolId, { SMSMfaSettings: preferred });
  assert.equal((await begin(pool)).ChallengeName, "SMS_MFA");
  const { UserMFASettingList, PreferredMfaSetting } = await seenUser(UserPoolId);
  assert.deepEqual(UserMFASettingList, ["SMS_MFA", "SOFTWARE_TOKEN_MFA"]);
  assert.equal(PreferredMfaSetting, "SMS_MFA");
  const two = { SMSMfaSettings: preferred, SoftwareTokenMfaSettings: preferred };
  assert.match(await refusal(prefer(UserPoolId, two)), /Only one MFA method can be preferred/);
  const half = { SMSMfaSettings: { PreferredMfa: true } };
  assert.match(await refusal(prefer(UserPoolId, half)), /A preferred MFA method must be enabled/);
  await prefer(UserPoolId, { SMSMfaSettings: { Enabled: false } });
  assert.equal((await begin(pool)).ChallengeName, "SOFTWARE_TOKEN_MFA");
});

test("SetUserSettings and AdminSetUserSettings: SMS alone, as MFAOptions tell it", async () => {
  const pool = await poolOf();
  const { id: UserPoolId } = pool;
  const bySms = [{ DeliveryMedium: "SMS", AttributeName: "phone_number" } as const];
  const { AuthenticationResult } = await begin(pool);
  const AccessToken = AuthenticationResult?.AccessToken;
  const own = (MFAOptions: MFAOptionType[]) =>
    client.send(new SetUserSettingsCommand({ AccessToken, MFAOptions }));
  const byEmail = own([{ DeliveryMedium: "EMAIL", AttributeName: "email" }]);
  assert.match(await refusal(byEmail), /^InvalidParameterException: MFAOptions take the DeliveryMedium SMS/);
  await own(bySms);
  const user = await client.send(new GetUserCommand({ AccessToken }));
  assert.deepEqual([user.MFAOptions, user.UserMFASettingList], [bySms, ["SMS_MFA"]]);
  assert.deepEqual((await seenUser(UserPoolId)).MFAOptions, bySms);
  assert.equal((await begin(pool)).ChallengeName, "SMS_MFA");
  const set = { UserPoolId, Username: "ada" };
  await client.send(new AdminSetUserSettingsCommand({ ...set, MFAOptions: [] }));
  assert.equal((await seenUser(UserPoolId)).MFAOptions, undefined);
  assert.ok((await begin(pool)).AuthenticationResult);
  await give(UserPoolId, { phone_number: "" });
  assert.match(
    await refusal(client.send(new AdminSetUserSettingsCommand({ ...set, MFAOptions: bySms }))),
    /User does not have a phone_number set to turn on SMS MFA/,
  );
});

test("without a phone number: none can be preferred, and a pool that requires MFA asks to set one up", async () => {
  const pool = await poolOf({ MfaConfiguration: "ON" });
  await give(pool.id, { phone_number: "" });
  assert.equal(
    await refusal(prefer(pool.id, { SMSMfaSettings: { Enabled: true } })),
    "InvalidParameterException: User does not have a phone_number set to turn on SMS MFA",
  );
  const setUp = await begin(pool);
  assert.equal(setUp.ChallengeName, "MFA_SETUP");
  assert.equal(setUp.ChallengeParameters?.["MFAS_CAN_SETUP"], '["SMS_MFA"]');
  const { Session } = setUp;
  assert.match(
    await refusal(client.send(new AssociateSoftwareTokenCommand({ Session }))),
    /^SoftwareTokenMFANotFoundException/,
  );
});

test("the phone that is the second factor recovers no password, where the pool has an order", async () => {
  const RecoveryMechanisms = [{ Name: "verified_phone_number", Priority: 1 } as const];
  const pool = await poolOf({ MfaConfiguration: "ON", AccountRecoverySetting: { RecoveryMechanisms } });
  await give(pool.id, { phone_number: PHONE, phone_number_verified: "true" });
  const forgot = () => client.send(new ForgotPasswordCommand({ ClientId: pool.clientId, Username: "ada" }));
  assert.match(await refusal(forgot()), /^InvalidParameterException/);
  const { id: UserPoolId } = pool;
  const AccountRecoverySetting = { RecoveryMechanisms };
  await client.send(
    new UpdateUserPoolCommand({ UserPoolId, MfaConfiguration: "OFF", ...sms, AccountRecoverySetting }),
  );
  assert.equal((await forgot()).CodeDeliveryDetails?.DeliveryMedium, "SMS");
});

test("amazon-cognito-identity-js: SRP, then the code; a remembered device spares it", async () => {
  const pool = await poolOf({
    MfaConfiguration: "ON",
    DeviceConfiguration: { ChallengeRequiredOnNewDevice: true, DeviceOnlyRememberedOnUserPrompt: false },
  });
  const Pool = new CognitoUserPool({
    UserPoolId: pool.id,
    ClientId: pool.clientId,
    endpoint: setting.server.endpoint,
  });
  const user = new CognitoUser({ Username: "ada", Pool });
  const signIn = () =>
    new Promise<{ session: CognitoUserSession; asks: number }>((resolve, onFailure) => {
      let asks = 0;
      const callbacks = { onSuccess: (session: CognitoUserSession) => resolve({ session, asks }), onFailure };
      user.authenticateUser(new AuthenticationDetails({ Username: "ada", Password }), {
        ...callbacks,
        mfaRequired: () => {
          asks += 1;
          setting.code(pool, "ada").then((code) => user.sendMFACode(code, callbacks), onFailure);
        },
      });
    });
  assert.equal((await signIn()).asks, 1);
  assert.equal((await signIn()).asks, 0);
});

test("the pages: which factor, the code that was sent, and back to the application", async () => {
  const pool = await makeSite(setting, {}, sms);
  const { id: UserPoolId } = pool;
  await setting.user(pool, "ada", Password);
  const SoftwareTokenMfaConfiguration = { Enabled: true };
  const config = { UserPoolId, SoftwareTokenMfaConfiguration, SmsMfaConfiguration: {} };
  const { AuthenticationResult } = await begin(pool);
  await client.send(new SetUserPoolMfaConfigCommand({ ...config, MfaConfiguration: "ON" }));
  const AccessToken = AuthenticationResult?.AccessToken;
  const { SecretCode = "" } = await client.send(new AssociateSoftwareTokenCommand({ AccessToken }));
  const UserCode = totpCode(SecretCode, setting.clock.now());
  await client.send(new VerifySoftwareTokenCommand({ AccessToken, UserCode }));
  await give(UserPoolId, { phone_number: PHONE });
  const visit = browser(pool);
  const which = await signInOnPage(visit, asked(pool), "ada");
  assert.match(which.body, /<button>Send a code to your phone<.*<button>Use your authenticator</);
  const send = (page: { body: string }, fields: Record<string, string>) => {
    const action = /action="([^"]+)"/.exec(page.body)?.[1]?.replaceAll("&amp;", "&");
    return visit(action ?? "", { form: { ...hidden(page.body), ...fields } });
  };
  const asks = await send(which, { ANSWER: "SMS_MFA" });
  assert.match(asks.body, /It was sent to \+\*+0123/);
  const code = await setting.code(pool, "ada");
  const wrong = await send(asks, { SMS_MFA_CODE: wrongOf(code) });
  assert.match(wrong.body, /Invalid code or auth state for the user.*name="SMS_MFA_CODE"/);
  const back = await send(wrong, { SMS_MFA_CODE: code });
  assert.ok(codeOf(back.location), back.body);
  await client.send(
    new SetUserPoolMfaConfigCommand({ UserPoolId, MfaConfiguration: "ON", SmsMfaConfiguration: {} }),
  );
  await give(UserPoolId, { phone_number: "" });
  const none = await signInOnPage(browser(pool), asked(pool), "ada");
  assert.match(none.body, /your account has no phone number/);
});
