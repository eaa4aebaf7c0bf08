/** Signing in: every flow, by AWS's clients, and the tokens that come of it. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  AdminCreateUserCommand,
  AdminDeleteSoftwareTokenCommand,
  AdminGetUserCommand,
  AdminInitiateAuthCommand,
  AdminRespondToAuthChallengeCommand,
  AdminSetUserMFAPreferenceCommand,
  AdminUserGlobalSignOutCommand,
  AssociateSoftwareTokenCommand,
  CreateGroupCommand,
  AdminAddUserToGroupCommand,
  GetTokensFromRefreshTokenCommand,
  GetUserCommand,
  GlobalSignOutCommand,
  InitiateAuthCommand,
  RespondToAuthChallengeCommand,
  RevokeTokenCommand,
  SetUserMFAPreferenceCommand,
  SetUserPoolMfaConfigCommand,
  VerifySoftwareTokenCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import type {
  CognitoIdentityProviderClient,
  InitiateAuthCommandOutput,
} from "@aws-sdk/client-cognito-identity-provider";
import { AuthenticationDetails, CognitoUser, CognitoUserPool } from "amazon-cognito-identity-js";
import type { CognitoUserSession } from "amazon-cognito-identity-js";
import { CognitoJwtVerifier } from "aws-jwt-verify";
import type { JwksCache } from "aws-jwt-verify/jwk";
import { totpCode } from "../../src/services/cognito-identity-provider/auth/totp.ts";
import { missingClient, runClient } from "../harness/client-programs.ts";
import { claims, refusal, startUserPools } from "../harness/user-pools.ts";
import type { TestPool, UserPoolsSetting } from "../harness/user-pools.ts";

const Password = "Passw0rd!";
const DAY_MS = 86_400_000;
const WRONG = "NotAuthorizedException: Incorrect username or password.";
let setting: UserPoolsSetting;
let client: CognitoIdentityProviderClient;
before(async () => {
  // Whoever calls these operations has no keys of AWS.
  setting = await startUserPools({ userPoolIssuer: "aws" });
  client = setting.client;
});
after(() => setting.stop());

const signIn = ({ clientId: ClientId }: TestPool, USERNAME: string, PASSWORD = Password) =>
  client.send(
    new InitiateAuthCommand({
      ClientId,
      AuthFlow: "USER_PASSWORD_AUTH",
      AuthParameters: { USERNAME, PASSWORD },
    }),
  );
const refresh = ({ clientId: ClientId }: TestPool, REFRESH_TOKEN = "") =>
  client.send(
    new InitiateAuthCommand({
      ClientId,
      AuthFlow: "REFRESH_TOKEN_AUTH",
      AuthParameters: { REFRESH_TOKEN },
    }),
  );
const jwksOf = async ({ id }: TestPool) => {
  const response = await fetch(`${setting.server.endpoint}/${id}/.well-known/jwks.json`);
  return (await response.json()) as Parameters<JwksCache["addJwks"]>[1];
};

/** The user of amazon-cognito-identity-js, which signs in by SRP. */
function srpUser({ id: UserPoolId, clientId: ClientId }: TestPool, Username: string): CognitoUser {
  const Pool = new CognitoUserPool({ UserPoolId, ClientId, endpoint: setting.server.endpoint });
  return new CognitoUser({ Username, Pool });
}

function authenticate(user: CognitoUser, password: string, more: { newPassword?: string } = {}) {
  const details = new AuthenticationDetails({ Username: user.getUsername(), Password: password });
  return new Promise<CognitoUserSession>((onSuccess, onFailure) => {
    const callbacks = { onSuccess, onFailure: (error: Error) => onFailure(error) };
    user.authenticateUser(details, {
      ...callbacks,
      newPasswordRequired: () => user.completeNewPasswordChallenge(more.newPassword ?? "", {}, callbacks),
    });
  });
}

test("InitiateAuth and RespondToAuthChallenge by SRP: amazon-cognito-identity-js signs in, aws-jwt-verify verifies both tokens", async () => {
  const pool = await setting.pool();
  await setting.user(pool, "ada", Password, "ada@example.com");
  for (const [GroupName, Precedence] of [
    ["zeta", 1],
    ["admins", 2],
  ] as const) {
    const RoleArn = `arn:aws:iam::000000000000:role/${GroupName}`;
    await client.send(new CreateGroupCommand({ UserPoolId: pool.id, GroupName, Precedence, RoleArn }));
    await client.send(new AdminAddUserToGroupCommand({ UserPoolId: pool.id, GroupName, Username: "ada" }));
  }
  const session = await authenticate(srpUser(pool, "ada"), Password);
  const verifier = CognitoJwtVerifier.create({ userPoolId: pool.id, clientId: pool.clientId });
  verifier.cacheJwks(await jwksOf(pool));
  const id = await verifier.verify(session.getIdToken().getJwtToken(), {
    tokenUse: "id",
    clientId: pool.clientId,
  });
  assert.equal(id["cognito:username"], "ada");
  assert.equal(id.email, "ada@example.com");
  assert.equal(id.email_verified, true);
  assert.deepEqual(id["cognito:groups"], ["zeta", "admins"]);
  assert.equal(id["cognito:preferred_role"], "arn:aws:iam::000000000000:role/zeta");
  const access = await verifier.verify(session.getAccessToken().getJwtToken(), {
    tokenUse: "access",
    clientId: pool.clientId,
    scope: "aws.cognito.signin.user.admin",
    groups: "admins",
  });
  assert.equal(access.username, "ada");
  assert.equal(access.exp - access.iat, 3_600);
  assert.equal(access.iss, `https://cognito-idp.us-east-1.amazonaws.com/${pool.id}`);
  await assert.rejects(
    verifier.verify(session.getAccessToken().getJwtToken(), { tokenUse: "id", clientId: pool.clientId }),
  );
  await assert.rejects(authenticate(srpUser(pool, "ada"), "wrong"), /Incorrect username or password/);
  await assert.rejects(authenticate(srpUser(pool, "nobody"), Password), /User does not exist/);
});

test("SRP where users are hidden: who is not there gets a challenge that nobody can answer", async () => {
  const pool = await setting.pool({}, { PreventUserExistenceErrors: "ENABLED" });
  const begin = () =>
    client.send(
      new InitiateAuthCommand({
        ClientId: pool.clientId,
        AuthFlow: "USER_SRP_AUTH",
        AuthParameters: { USERNAME: "ghost", SRP_A: "abcdef0123" },
      }),
    );
  const [one, two] = [await begin(), await begin()];
  assert.equal(one.ChallengeName, "PASSWORD_VERIFIER");
  assert.equal(one.ChallengeParameters?.["SALT"], two.ChallengeParameters?.["SALT"]);
  assert.notEqual(one.ChallengeParameters?.["SRP_B"], two.ChallengeParameters?.["SRP_B"]);
  await assert.rejects(authenticate(srpUser(pool, "ghost"), Password), /Incorrect username or password/);
  const answer = () =>
    client.send(
      new RespondToAuthChallengeCommand({
        ClientId: pool.clientId,
        ChallengeName: "PASSWORD_VERIFIER",
        ChallengeResponses: {
          USERNAME: "ghost",
          PASSWORD_CLAIM_SECRET_BLOCK: one.ChallengeParameters?.["SECRET_BLOCK"] ?? "",
          PASSWORD_CLAIM_SIGNATURE: "AAAA",
          TIMESTAMP: "Mon Nov 30 01:02:03 UTC 2026",
        },
      }),
    );
  assert.equal(await refusal(answer()), WRONG);
  assert.match(await refusal(answer()), /^NotAuthorizedException: Invalid session/);
});

test("AdminInitiateAuth, AdminRespondToAuthChallenge: a temporary password has to be changed", async () => {
  const pool = await setting.pool({
    Schema: [{ Name: "name", AttributeDataType: "String", Required: true }],
  });
  const ids = { UserPoolId: pool.id, ClientId: pool.clientId };
  const make = (Username: string) =>
    client.send(
      new AdminCreateUserCommand({
        UserPoolId: pool.id,
        Username,
        TemporaryPassword: Password,
        MessageAction: "SUPPRESS",
        ...(Username === "srp" && { UserAttributes: [{ Name: "name", Value: "S" }] }),
      }),
    );
  await make("tom");
  for (const AuthFlow of ["ADMIN_NO_SRP_AUTH", "ADMIN_USER_PASSWORD_AUTH"] as const) {
    const AuthParameters = { USERNAME: "tom", PASSWORD: Password };
    const begun = await client.send(new AdminInitiateAuthCommand({ ...ids, AuthFlow, AuthParameters }));
    assert.equal(begun.ChallengeName, "NEW_PASSWORD_REQUIRED");
    assert.equal(begun.ChallengeParameters?.["requiredAttributes"], '["userAttributes.name"]');
    const respond = (responses: Record<string, string>) =>
      client.send(
        new AdminRespondToAuthChallengeCommand({
          ...ids,
          ChallengeName: "NEW_PASSWORD_REQUIRED",
          Session: begun.Session,
          ChallengeResponses: { USERNAME: "tom", ...responses },
        }),
      );
    if (AuthFlow === "ADMIN_NO_SRP_AUTH") {
      assert.match(await refusal(respond({ NEW_PASSWORD: "x" })), /^Invalid(Password|Parameter)Exception/);
      assert.match(await refusal(respond({ NEW_PASSWORD: "N3w-one" })), /name is missing/);
      continue;
    }
    const done = await respond({ NEW_PASSWORD: "N3w-one", "userAttributes.name": "Tom" });
    assert.equal(claims(done.AuthenticationResult?.IdToken)["name"], "Tom");
    assert.match(
      await refusal(respond({ NEW_PASSWORD: "N3w-two" })),
      /^NotAuthorizedException: Invalid session/,
    );
  }
  await make("srp");
  const session = await authenticate(srpUser(pool, "srp"), Password, { newPassword: "An0ther" });
  assert.equal(session.getIdToken().payload["cognito:username"], "srp");
  const { UserStatus } = await client.send(new AdminGetUserCommand({ UserPoolId: pool.id, Username: "srp" }));
  assert.equal(UserStatus, "CONFIRMED");
});

test("flows that a client does not allow, and those that are not there, are refused", async () => {
  const pool = await setting.pool({}, { ExplicitAuthFlows: ["ALLOW_REFRESH_TOKEN_AUTH"] });
  const begin = (AuthFlow: string) =>
    refusal(
      client.send(
        new InitiateAuthCommand({
          ClientId: pool.clientId,
          AuthFlow: AuthFlow as "USER_AUTH",
          AuthParameters: { USERNAME: "a", PASSWORD: "b", SRP_A: "1" },
        }),
      ),
    );
  const invalid = (text: string) => `InvalidParameterException: ${text}`;
  assert.equal(
    await begin("USER_PASSWORD_AUTH"),
    invalid("USER_PASSWORD_AUTH flow not enabled for this client"),
  );
  assert.equal(await begin("USER_SRP_AUTH"), invalid("USER_SRP_AUTH is not enabled for the client."));
  assert.equal(await begin("CUSTOM_AUTH"), invalid("CUSTOM_AUTH is not enabled for the client."));
  assert.equal(await begin("ADMIN_NO_SRP_AUTH"), invalid("Initiate Auth method not supported."));
  assert.equal(await begin("USER_AUTH"), invalid("USER_AUTH is not enabled for the client."));
  const open = await setting.pool();
  assert.equal(await refusal(signIn(open, "")), invalid("Missing required parameter USERNAME"));
});

test("five wrong passwords lock a user out, for a second first and twice as long each time", async () => {
  const pool = await setting.pool();
  await setting.user(pool, "lou", Password);
  for (let at = 0; at < 5; at++) assert.equal(await refusal(signIn(pool, "lou", "wrong")), WRONG);
  const locked = "NotAuthorizedException: Password attempts exceeded";
  assert.equal(await refusal(signIn(pool, "lou")), locked);
  setting.clock.leap(1_000);
  assert.equal(await refusal(signIn(pool, "lou", "wrong")), WRONG);
  setting.clock.leap(1_000);
  assert.equal(await refusal(signIn(pool, "lou")), locked);
  await assert.rejects(authenticate(srpUser(pool, "lou"), Password), /Password attempts exceeded/);
  setting.clock.leap(1_000);
  assert.ok((await signIn(pool, "lou")).AuthenticationResult);
});

test("REFRESH_TOKEN_AUTH, RevokeToken, GlobalSignOut, AdminUserGlobalSignOut: what is revoked ends, with its access tokens", async () => {
  const pool = await setting.pool();
  await setting.user(pool, "ray", Password);
  const { AuthenticationResult: one } = await signIn(pool, "ray");
  const { AuthenticationResult: two } = await signIn(pool, "ray");
  const again = (await refresh(pool, one?.RefreshToken)).AuthenticationResult;
  assert.equal(again?.RefreshToken, undefined);
  assert.equal(claims(again?.AccessToken)["origin_jti"], claims(one?.AccessToken)["origin_jti"]);
  const get = (AccessToken = "") => client.send(new GetUserCommand({ AccessToken }));
  const { clientId: ClientId } = pool;
  assert.match(
    await refusal(client.send(new RevokeTokenCommand({ ClientId, Token: one?.AccessToken }))),
    /^UnsupportedTokenTypeException/,
  );
  await client.send(new RevokeTokenCommand({ ClientId, Token: one?.RefreshToken }));
  const revoked = "NotAuthorizedException: Access Token has been revoked";
  assert.equal(await refusal(get(again?.AccessToken)), revoked);
  assert.equal(
    await refusal(refresh(pool, one?.RefreshToken)),
    "NotAuthorizedException: Refresh Token has been revoked",
  );
  assert.equal((await get(two?.AccessToken)).Username, "ray");
  await client.send(new GlobalSignOutCommand({ AccessToken: two?.AccessToken }));
  assert.equal(await refusal(get(two?.AccessToken)), revoked);
  const { AuthenticationResult: three } = await signIn(pool, "ray");
  await client.send(new AdminUserGlobalSignOutCommand({ UserPoolId: pool.id, Username: "ray" }));
  assert.equal(await refusal(get(three?.AccessToken)), revoked);
  assert.equal(await refusal(get("a.b.c")), "NotAuthorizedException: Invalid Access Token");
  assert.equal(await refusal(get(three?.IdToken)), "NotAuthorizedException: Invalid Access Token");
});

test("tokens live as long as the client says, and the signing key changes after a while", async () => {
  const pool = await setting.pool(
    {},
    { AccessTokenValidity: 10, TokenValidityUnits: { AccessToken: "minutes" }, RefreshTokenValidity: 365 },
  );
  await setting.user(pool, "eli", Password);
  const { AuthenticationResult: first } = await signIn(pool, "eli");
  assert.equal(first?.ExpiresIn, 600);
  setting.clock.leap(600_000);
  assert.equal(
    await refusal(client.send(new GetUserCommand({ AccessToken: first?.AccessToken }))),
    "NotAuthorizedException: Access Token has expired",
  );
  const kids = async () => (await jwksOf(pool)).keys.map(({ kid }) => kid);
  const before = await kids();
  setting.clock.leap(90 * DAY_MS);
  const { AuthenticationResult: later } = await refresh(pool, first?.RefreshToken);
  const kid = JSON.parse(Buffer.from(later?.IdToken?.split(".")[0] ?? "", "base64url").toString()) as {
    kid: string;
  };
  const after = await kids();
  assert.deepEqual([after[0], after[1]], [kid.kid, before[0]]);
  setting.clock.leap(275 * DAY_MS);
  assert.match(
    await refusal(refresh(pool, first?.RefreshToken)),
    /NotAuthorizedException: Refresh Token has expired/,
  );
});

test("GetTokensFromRefreshToken: refresh tokens that rotate are each taken once, and a little longer", async () => {
  const pool = await setting.pool(
    {},
    {
      ExplicitAuthFlows: ["ALLOW_USER_PASSWORD_AUTH"],
      RefreshTokenRotation: { Feature: "ENABLED", RetryGracePeriodSeconds: 10 },
    },
  );
  await setting.user(pool, "rob", Password);
  const { AuthenticationResult: first } = await signIn(pool, "rob");
  const next = async (RefreshToken = "") =>
    (await client.send(new GetTokensFromRefreshTokenCommand({ ClientId: pool.clientId, RefreshToken })))
      .AuthenticationResult;
  const second = await next(first?.RefreshToken);
  assert.ok(second?.RefreshToken && second.RefreshToken !== first?.RefreshToken);
  assert.ok(await next(first?.RefreshToken));
  setting.clock.leap(10_000);
  assert.match(
    await refusal(next(first?.RefreshToken)),
    /^(RefreshTokenReuseException|NotAuthorizedException)/,
  );
});

test("AssociateSoftwareToken, VerifySoftwareToken, SetUserMFAPreference: a user asks for MFA by TOTP", async () => {
  const pool = await setting.pool();
  await client.send(
    new SetUserPoolMfaConfigCommand({
      UserPoolId: pool.id,
      MfaConfiguration: "OPTIONAL",
      SoftwareTokenMfaConfiguration: { Enabled: true },
    }),
  );
  await setting.user(pool, "max", Password);
  const { AccessToken } = (await signIn(pool, "max")).AuthenticationResult ?? {};
  const prefer = (more = {}) =>
    client.send(
      new SetUserMFAPreferenceCommand({
        AccessToken,
        SoftwareTokenMfaSettings: { Enabled: true, PreferredMfa: true },
        ...more,
      }),
    );
  assert.match(await refusal(prefer()), /User has not verified software token mfa/);
  assert.match(await refusal(prefer({ SMSMfaSettings: { Enabled: true } })), /SMS MFA has not been enabled/);
  const { SecretCode = "" } = await client.send(new AssociateSoftwareTokenCommand({ AccessToken }));
  const verify = (UserCode: string) =>
    client.send(new VerifySoftwareTokenCommand({ AccessToken, UserCode, FriendlyDeviceName: "phone" }));
  const now = () => totpCode(SecretCode, setting.clock.now());
  const wrong = String((Number(now()) + 1) % 1_000_000).padStart(6, "0");
  assert.equal(await refusal(verify(wrong)), "EnableSoftwareTokenMFAException: Code mismatch");
  assert.equal((await verify(now())).Status, "SUCCESS");
  await prefer();
  const user = await client.send(new GetUserCommand({ AccessToken }));
  assert.equal(user.PreferredMfaSetting, "SOFTWARE_TOKEN_MFA");
  const begun = await signIn(pool, "max");
  assert.equal(begun.ChallengeName, "SOFTWARE_TOKEN_MFA");
  assert.equal(begun.ChallengeParameters?.["FRIENDLY_DEVICE_NAME"], "phone");
  const answer = (code: string) =>
    client.send(
      new RespondToAuthChallengeCommand({
        ClientId: pool.clientId,
        ChallengeName: "SOFTWARE_TOKEN_MFA",
        Session: begun.Session,
        ChallengeResponses: { USERNAME: "max", SOFTWARE_TOKEN_MFA_CODE: code },
      }),
    );
  const mismatch = "CodeMismatchException: Invalid code received for user";
  // The code that verified the token is not taken again.
  assert.equal(await refusal(answer(now())), mismatch);
  setting.clock.leap(60_000);
  assert.ok((await answer(now())).AuthenticationResult?.AccessToken);
});

test("MFA that a pool requires is set up at the sign-in; AdminSetUserMFAPreference and AdminDeleteSoftwareToken", async () => {
  const pool = await setting.pool();
  const on = { MfaConfiguration: "ON", SoftwareTokenMfaConfiguration: { Enabled: true } } as const;
  await client.send(new SetUserPoolMfaConfigCommand({ UserPoolId: pool.id, ...on }));
  await setting.user(pool, "ivy", Password);
  const begun: InitiateAuthCommandOutput = await signIn(pool, "ivy");
  assert.equal(begun.ChallengeName, "MFA_SETUP");
  assert.equal(begun.ChallengeParameters?.["MFAS_CAN_SETUP"], '["SOFTWARE_TOKEN_MFA"]');
  const associated = await client.send(new AssociateSoftwareTokenCommand({ Session: begun.Session }));
  const UserCode = totpCode(associated.SecretCode ?? "", setting.clock.now());
  const verified = await client.send(
    new VerifySoftwareTokenCommand({ Session: associated.Session, UserCode }),
  );
  const respond = (Session: string | undefined) =>
    client.send(
      new RespondToAuthChallengeCommand({
        ClientId: pool.clientId,
        ChallengeName: "MFA_SETUP",
        Session,
        ChallengeResponses: { USERNAME: "ivy" },
      }),
    );
  assert.match(await refusal(respond(begun.Session)), /^NotAuthorizedException: Invalid session/);
  assert.ok((await respond(verified.Session)).AuthenticationResult?.AccessToken);
  assert.equal((await signIn(pool, "ivy")).ChallengeName, "SOFTWARE_TOKEN_MFA");
  const who = { UserPoolId: pool.id, Username: "ivy" };
  const SoftwareTokenMfaSettings = { Enabled: true, PreferredMfa: true };
  await client.send(new AdminSetUserMFAPreferenceCommand({ ...who, SoftwareTokenMfaSettings }));
  const { UserMFASettingList } = await client.send(new AdminGetUserCommand(who));
  assert.deepEqual(UserMFASettingList, ["SOFTWARE_TOKEN_MFA"]);
  await client.send(new AdminDeleteSoftwareTokenCommand(who));
  assert.equal((await signIn(pool, "ivy")).ChallengeName, "MFA_SETUP");
});

test("challenges wait as long as the client says, are of one client, and are answered once", async () => {
  const pool = await setting.pool({}, { AuthSessionValidity: 5 });
  await client.send(
    new AdminCreateUserCommand({
      UserPoolId: pool.id,
      Username: "una",
      TemporaryPassword: Password,
      MessageAction: "SUPPRESS",
    }),
  );
  const { Session } = await signIn(pool, "una");
  const other = await setting.pool();
  const respond = ({ clientId: ClientId }: TestPool) =>
    client.send(
      new RespondToAuthChallengeCommand({
        ClientId,
        ChallengeName: "NEW_PASSWORD_REQUIRED",
        Session,
        ChallengeResponses: { USERNAME: "una", NEW_PASSWORD: "N3w-one" },
      }),
    );
  assert.match(await refusal(respond(other)), /^NotAuthorizedException: Invalid session for the user/);
  setting.clock.leap(300_000);
  assert.equal(
    await refusal(respond(pool)),
    "NotAuthorizedException: Invalid session for the user, session is expired.",
  );
});

test("the discovery document and the keys can be read by any page, and a browser may call", async () => {
  const { endpoint } = setting.server;
  const pool = await setting.pool();
  const page = await fetch(`${endpoint}/${pool.id}/.well-known/openid-configuration`);
  assert.equal(page.headers.get("access-control-allow-origin"), "*");
  const document = (await page.json()) as Record<string, unknown>;
  assert.equal(document["issuer"], `https://cognito-idp.us-east-1.amazonaws.com/${pool.id}`);
  assert.equal(document["jwks_uri"], `${endpoint}/${pool.id}/.well-known/jwks.json`);
  const keys = (await jwksOf(pool)).keys;
  assert.deepEqual(
    keys.map(({ alg, use, kty }) => [alg, use, kty]),
    [["RS256", "sig", "RSA"]],
  );
  assert.equal((await fetch(`${endpoint}/us-east-1_none/.well-known/jwks.json`)).status, 404);
  const preflight = await fetch(endpoint, {
    method: "OPTIONS",
    headers: {
      origin: "http://localhost:3000",
      "access-control-request-method": "POST",
      "access-control-request-headers": "content-type,x-amz-target",
    },
  });
  assert.equal(preflight.headers.get("access-control-allow-origin"), "*");
  const called = await fetch(endpoint, {
    method: "POST",
    headers: {
      origin: "http://localhost:3000",
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": "AWSCognitoIdentityProviderService.InitiateAuth",
    },
    body: JSON.stringify({ ClientId: "none", AuthFlow: "USER_SRP_AUTH" }),
  });
  assert.equal(called.headers.get("access-control-allow-origin"), "*");
  assert.match(await called.text(), /ResourceNotFoundException/);
});

const noCli = await missingClient("aws", ["--version"]);
test("the AWS CLI signs a user in, and asks who they are without a signature", { skip: noCli }, async () => {
  const pool = await setting.pool();
  await setting.user(pool, "cleo", Password);
  const aws = async (command: string) =>
    JSON.parse(await runClient(setting.server, "aws", ["cognito-idp", ...command.split(" ")])) as {
      AuthenticationResult?: { AccessToken: string };
      Username?: string;
    };
  const { AuthenticationResult } = await aws(
    `admin-initiate-auth --user-pool-id ${pool.id} --client-id ${pool.clientId} ` +
      `--auth-flow ADMIN_USER_PASSWORD_AUTH --auth-parameters USERNAME=cleo,PASSWORD=${Password}`,
  );
  const token = AuthenticationResult?.AccessToken ?? "";
  const { Username } = await aws(`get-user --no-sign-request --access-token ${token}`);
  assert.equal(Username, "cleo");
});
