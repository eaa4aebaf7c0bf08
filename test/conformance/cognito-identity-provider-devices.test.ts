/** Devices that a pool remembers: what they prove, what that spares the user, and which trigger is told. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  AdminForgetDeviceCommand,
  AdminGetDeviceCommand,
  AdminInitiateAuthCommand,
  AdminListDevicesCommand,
  AdminSetUserMFAPreferenceCommand,
  AdminUpdateDeviceStatusCommand,
  AssociateSoftwareTokenCommand,
  ConfirmDeviceCommand,
  DescribeUserPoolCommand,
  ForgetDeviceCommand,
  GetDeviceCommand,
  GetTokensFromRefreshTokenCommand,
  InitiateAuthCommand,
  ListDevicesCommand,
  RespondToAuthChallengeCommand,
  SetUserPoolMfaConfigCommand,
  UpdateDeviceStatusCommand,
  VerifySoftwareTokenCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import type {
  AuthenticationResultType,
  CognitoIdentityProviderClient,
  DeviceConfigurationType,
} from "@aws-sdk/client-cognito-identity-provider";
import { AuthenticationDetails, CognitoUser, CognitoUserPool } from "amazon-cognito-identity-js";
import type { CognitoUserSession } from "amazon-cognito-identity-js";
import { totpCode } from "../../src/services/cognito-identity-provider/auth/totp.ts";
import { FUNCTION, Password, startTriggers } from "../harness/user-pool-triggers.ts";
import type { TriggerSetting } from "../harness/user-pool-triggers.ts";
import { ALL_FLOWS, claims, makePool, refusal } from "../harness/user-pools.ts";
import type { TestPool } from "../harness/user-pools.ts";

let setting: TriggerSetting;
let client: CognitoIdentityProviderClient;
before(async () => {
  setting = await startTriggers();
  client = setting.client;
});
after(() => setting.stop());

const always = { ChallengeRequiredOnNewDevice: true, DeviceOnlyRememberedOnUserPrompt: false };
const secret = {
  PasswordVerifier: Buffer.from("0123", "hex").toString("base64"),
  Salt: Buffer.from("4567", "hex").toString("base64"),
};

async function poolOf(DeviceConfiguration: DeviceConfigurationType): Promise<TestPool> {
  const LambdaConfig = { PostAuthentication: FUNCTION, PreTokenGeneration: FUNCTION };
  const pool = await makePool(client, { DeviceConfiguration, LambdaConfig });
  await setting.user(pool, "ada", Password);
  return pool;
}

async function signIn(
  { clientId: ClientId }: TestPool,
  more: Record<string, string> = {},
): Promise<AuthenticationResultType> {
  const AuthParameters = { USERNAME: "ada", PASSWORD: Password, ...more };
  const AuthFlow = "USER_PASSWORD_AUTH";
  const answer = await client.send(new InitiateAuthCommand({ ClientId, AuthFlow, AuthParameters }));
  return answer.AuthenticationResult ?? assert.fail(`a challenge: ${answer.ChallengeName}`);
}

/** A device of amazon-cognito-identity-js, which keeps what it proves itself by. */
function device({ id: UserPoolId, clientId: ClientId }: TestPool) {
  const Pool = new CognitoUserPool({ UserPoolId, ClientId, endpoint: setting.server.endpoint });
  const Username = "ada";
  const user = new CognitoUser({ Username, Pool });
  return {
    user,
    /** @param totp Asked for a code where the pool asks for one. */
    signIn: (totp: () => string) => {
      const asked: string[] = [];
      return new Promise<{ session: CognitoUserSession; asked: string[] }>((resolve, onFailure) => {
        const callbacks = {
          onSuccess: (session: CognitoUserSession) => resolve({ session, asked }),
          onFailure,
        };
        user.authenticateUser(new AuthenticationDetails({ Username, Password }), {
          ...callbacks,
          totpRequired: (name: string) => {
            asked.push(name);
            user.sendMFACode(totp(), callbacks, "SOFTWARE_TOKEN_MFA");
          },
        });
      });
    },
  };
}

test("a new device gets a key, proves itself the next time, and spares the second factor (AdminListDevices, AdminUpdateDeviceStatus)", async () => {
  const pool = await poolOf(always);
  const { id: UserPoolId } = pool;
  const { UserPool } = await client.send(new DescribeUserPoolCommand({ UserPoolId }));
  assert.deepEqual(UserPool?.DeviceConfiguration, always);
  await client.send(
    new SetUserPoolMfaConfigCommand({
      UserPoolId,
      MfaConfiguration: "OPTIONAL",
      SoftwareTokenMfaConfiguration: { Enabled: true },
    }),
  );
  const { AccessToken } = await signIn(pool);
  const { SecretCode = "" } = await client.send(new AssociateSoftwareTokenCommand({ AccessToken }));
  const totp = () => {
    setting.clock.leap(30_000);
    return totpCode(SecretCode, setting.clock.now());
  };
  await client.send(new VerifySoftwareTokenCommand({ AccessToken, UserCode: totp() }));
  const SoftwareTokenMfaSettings = { Enabled: true };
  await client.send(
    new AdminSetUserMFAPreferenceCommand({ UserPoolId, Username: "ada", SoftwareTokenMfaSettings }),
  );
  await setting.seen();
  const phone = device(pool);
  const first = await phone.signIn(totp);
  assert.deepEqual(first.asked, ["SOFTWARE_TOKEN_MFA"]);
  const { Devices = [] } = await client.send(new AdminListDevicesCommand({ UserPoolId, Username: "ada" }));
  assert.equal(Devices.length, 1);
  const [{ DeviceKey = "", DeviceAttributes = [] } = {}] = Devices;
  const told = Object.fromEntries(DeviceAttributes.map(({ Name = "", Value }) => [Name, Value]));
  assert.deepEqual(
    [told["device_status"], told["dev:device_remembered_status"], told["last_ip_used"]],
    ["valid", "remembered", "127.0.0.1"],
  );
  assert.equal(claims(first.session.getAccessToken().getJwtToken())["device_key"], DeviceKey);
  const second = await phone.signIn(() => assert.fail("the device is the second factor"));
  assert.deepEqual(second.asked, []);
  const events = await setting.seen();
  assert.deepEqual(
    events.map(({ triggerSource, request }) => [triggerSource, request["newDeviceUsed"]]),
    [
      ["PostAuthentication_Authentication", true],
      ["TokenGeneration_Authentication", undefined],
      ["PostAuthentication_Authentication", false],
      ["TokenGeneration_AuthenticateDevice", undefined],
    ],
  );
  const status = {
    UserPoolId,
    Username: "ada",
    DeviceKey,
    DeviceRememberedStatus: "not_remembered",
  } as const;
  await client.send(new AdminUpdateDeviceStatusCommand(status));
  assert.deepEqual((await phone.signIn(totp)).asked, ["SOFTWARE_TOKEN_MFA"]);
  await client.send(new AdminForgetDeviceCommand({ UserPoolId, Username: "ada", DeviceKey }));
  // The client takes the refusal for a device that is forgotten, and becomes a new one.
  assert.deepEqual((await phone.signIn(totp)).asked, ["SOFTWARE_TOKEN_MFA"]);
  const left = await client.send(new AdminListDevicesCommand({ UserPoolId, Username: "ada" }));
  assert.notEqual(left.Devices?.[0]?.DeviceKey, DeviceKey);
});

test("ConfirmDevice, GetDevice, ListDevices, UpdateDeviceStatus, ForgetDevice, AdminGetDevice, AdminForgetDevice", async () => {
  const pool = await poolOf({ DeviceOnlyRememberedOnUserPrompt: true });
  const { id: UserPoolId } = pool;
  const { AccessToken, NewDeviceMetadata } = await signIn(pool);
  const { DeviceKey, DeviceGroupKey } = NewDeviceMetadata ?? {};
  assert.match(DeviceKey ?? "", /^us-east-1_[0-9a-f-]{36}$/);
  assert.match(DeviceGroupKey ?? "", /^-\w+$/);
  const confirm = (key: string | undefined, config = secret) =>
    client.send(
      new ConfirmDeviceCommand({
        AccessToken,
        DeviceKey: key,
        DeviceName: "phone",
        DeviceSecretVerifierConfig: config,
      }),
    );
  const strange = `us-east-1_${"0".repeat(36)}`;
  assert.equal(await refusal(confirm(strange)), "ResourceNotFoundException: Device does not exist.");
  assert.match(await refusal(confirm(DeviceKey, { ...secret, Salt: "" })), /Salt is missing/);
  assert.equal((await client.send(new ListDevicesCommand({ AccessToken }))).Devices?.length, 0);
  assert.equal((await confirm(DeviceKey)).UserConfirmationNecessary, true);
  assert.match(await refusal(confirm(DeviceKey)), /^DeviceKeyExistsException/);
  const admin = async () => {
    const command = new AdminGetDeviceCommand({ UserPoolId, Username: "ada", DeviceKey });
    const { Device } = await client.send(command);
    return Device?.DeviceAttributes?.find(({ Name }) => Name === "dev:device_remembered_status")?.Value;
  };
  assert.equal(await admin(), "not_remembered");
  const DeviceRememberedStatus = "remembered";
  await client.send(new UpdateDeviceStatusCommand({ AccessToken, DeviceKey, DeviceRememberedStatus }));
  assert.equal(await admin(), "remembered");
  const { Device } = await client.send(new GetDeviceCommand({ AccessToken, DeviceKey }));
  assert.deepEqual(
    Device?.DeviceAttributes?.map(({ Value }) => Value),
    ["valid", "phone", "127.0.0.1"],
  );
  const forged = await client.send(
    new InitiateAuthCommand({
      ClientId: pool.clientId,
      AuthFlow: "USER_PASSWORD_AUTH",
      AuthParameters: { USERNAME: "ada", PASSWORD: Password, DEVICE_KEY: DeviceKey ?? "" },
    }),
  );
  assert.equal(forged.ChallengeName, "DEVICE_SRP_AUTH");
  const answer = { USERNAME: "ada", DEVICE_KEY: DeviceKey ?? "" };
  const { ChallengeName, ChallengeParameters } = await client.send(
    new RespondToAuthChallengeCommand({
      ClientId: pool.clientId,
      ChallengeName: "DEVICE_SRP_AUTH",
      Session: forged.Session,
      ChallengeResponses: { ...answer, SRP_A: "02" },
    }),
  );
  assert.equal(ChallengeName, "DEVICE_PASSWORD_VERIFIER");
  assert.equal(ChallengeParameters?.["SALT"], "4567");
  const proof = new RespondToAuthChallengeCommand({
    ClientId: pool.clientId,
    ChallengeName: "DEVICE_PASSWORD_VERIFIER",
    ChallengeResponses: {
      ...answer,
      PASSWORD_CLAIM_SECRET_BLOCK: ChallengeParameters?.["SECRET_BLOCK"] ?? "",
      PASSWORD_CLAIM_SIGNATURE: "forged",
      TIMESTAMP: "Tue Apr 7 12:00:00 UTC 2026",
    },
  });
  assert.match(await refusal(client.send(proof)), /^NotAuthorizedException/);
  await client.send(new ForgetDeviceCommand({ AccessToken, DeviceKey }));
  const gone = "ResourceNotFoundException: Device does not exist.";
  assert.equal(await refusal(client.send(new GetDeviceCommand({ AccessToken, DeviceKey }))), gone);
  const forget = new AdminForgetDeviceCommand({ UserPoolId, Username: "ada", DeviceKey });
  assert.equal(await refusal(client.send(forget)), gone);
});

test("what was given to a device is refreshed by that device alone; pools without devices know none", async () => {
  const pool = await poolOf(always);
  const { RefreshToken = "", NewDeviceMetadata } = await signIn(pool);
  const refresh = (more: Record<string, string>) =>
    client.send(
      new InitiateAuthCommand({
        ClientId: pool.clientId,
        AuthFlow: "REFRESH_TOKEN_AUTH",
        AuthParameters: { REFRESH_TOKEN: RefreshToken, ...more },
      }),
    );
  assert.equal(await refusal(refresh({})), "NotAuthorizedException: Invalid Refresh Token");
  const { DeviceKey = "" } = NewDeviceMetadata ?? {};
  const { AuthenticationResult } = await refresh({ DEVICE_KEY: DeviceKey });
  assert.equal(claims(AuthenticationResult?.AccessToken)["device_key"], DeviceKey);
  const tokens = new GetTokensFromRefreshTokenCommand({ ClientId: pool.clientId, RefreshToken, DeviceKey });
  assert.ok((await client.send(tokens)).AuthenticationResult?.AccessToken);
  const plain = await makePool(client, {}, { ExplicitAuthFlows: [...ALL_FLOWS] });
  await setting.user(plain, "ada", Password);
  const none = await signIn(plain, { DEVICE_KEY: DeviceKey });
  assert.equal(none.NewDeviceMetadata, undefined);
  const confirm = new ConfirmDeviceCommand({ AccessToken: none.AccessToken, DeviceKey });
  assert.match(await refusal(client.send(confirm)), /device tracking/);
  const admin = await client.send(
    new AdminInitiateAuthCommand({
      UserPoolId: pool.id,
      ClientId: pool.clientId,
      AuthFlow: "ADMIN_USER_PASSWORD_AUTH",
      AuthParameters: { USERNAME: "ada", PASSWORD: Password },
    }),
  );
  assert.ok(admin.AuthenticationResult?.NewDeviceMetadata?.DeviceKey);
});
