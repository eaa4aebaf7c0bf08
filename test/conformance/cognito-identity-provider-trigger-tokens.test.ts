/** Triggers of signing in: custom challenges, users who come from elsewhere, and what goes into tokens. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  AdminCreateUserCommand,
  AdminInitiateAuthCommand,
  ConfirmForgotPasswordCommand,
  ForgotPasswordCommand,
  InitiateAuthCommand,
  RespondToAuthChallengeCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import type { CognitoIdentityProviderClient } from "@aws-sdk/client-cognito-identity-provider";
import { AuthenticationDetails, CognitoUser, CognitoUserPool } from "amazon-cognito-identity-js";
import { FUNCTION, Password, allTriggers, startTriggers } from "../harness/user-pool-triggers.ts";
import type { TriggerSetting } from "../harness/user-pool-triggers.ts";
import { claims, makePool, refusal } from "../harness/user-pools.ts";
import type { TestPool } from "../harness/user-pools.ts";

let setting: TriggerSetting;
let client: CognitoIdentityProviderClient;
before(async () => {
  setting = await startTriggers();
  client = setting.client;
});
after(() => setting.stop());

test("CUSTOM_AUTH: rounds of challenges, by themselves and after a password, until tokens or failure", async () => {
  const pool = await setting.triggered({
    ...allTriggers,
    PreSignUp: undefined,
    PreTokenGeneration: undefined,
  });
  await setting.user(pool, "fay", Password);
  await setting.seen();
  const begin = () =>
    client.send(
      new InitiateAuthCommand({
        ClientId: pool.clientId,
        AuthFlow: "CUSTOM_AUTH",
        AuthParameters: { USERNAME: "fay" },
      }),
    );
  const answer = (Session: string | undefined, ANSWER: string) =>
    client.send(
      new RespondToAuthChallengeCommand({
        ClientId: pool.clientId,
        ChallengeName: "CUSTOM_CHALLENGE",
        Session,
        ChallengeResponses: { USERNAME: "fay", ANSWER },
        ClientMetadata: { step: "answer" },
      }),
    );
  const first = await begin();
  assert.equal(first.ChallengeName, "CUSTOM_CHALLENGE");
  assert.deepEqual(first.ChallengeParameters, { USERNAME: "fay", question: "1 + 1" });
  const second = await answer(first.Session, "3");
  assert.equal(second.ChallengeName, "CUSTOM_CHALLENGE");
  const done = await answer(second.Session, "2");
  assert.equal(claims(done.AuthenticationResult?.AccessToken)["username"], "fay");
  const events = await setting.seen();
  const define = events.filter(({ triggerSource }) => triggerSource.startsWith("Define"));
  assert.deepEqual(define.at(-1)?.request["session"], [
    { challengeName: "CUSTOM_CHALLENGE", challengeResult: false, challengeMetadata: "SUM" },
    { challengeName: "CUSTOM_CHALLENGE", challengeResult: true, challengeMetadata: "SUM" },
  ]);
  assert.deepEqual(define.at(-1)?.request["clientMetadata"], { step: "answer" });
  const verify = events.find(({ triggerSource }) => triggerSource.startsWith("Verify"));
  assert.deepEqual(verify?.request["privateChallengeParameters"], { answer: "2" });
  assert.equal(events.at(-1)?.triggerSource, "PostAuthentication_Authentication");
  let { Session } = await begin();
  for (const wrong of ["0", "1"]) ({ Session } = await answer(Session, wrong));
  assert.equal(
    await refusal(answer(Session, "3")),
    "NotAuthorizedException: Incorrect username or password.",
  );
  const none = await makePool(client);
  await setting.user(none, "fay", Password);
  const without = client.send(
    new InitiateAuthCommand({
      ClientId: none.clientId,
      AuthFlow: "CUSTOM_AUTH",
      AuthParameters: { USERNAME: "fay" },
    }),
  );
  assert.equal(
    await refusal(without),
    "InvalidParameterException: Custom auth lambda trigger is not configured for the user pool.",
  );
  await setting.seen();
});

test("CUSTOM_AUTH that begins by SRP: amazon-cognito-identity-js proves the password, then answers", async () => {
  const pool = await setting.triggered({ ...allTriggers, PreSignUp: undefined });
  await setting.user(pool, "gus", Password);
  const { endpoint } = setting.server;
  const Pool = new CognitoUserPool({ UserPoolId: pool.id, ClientId: pool.clientId, endpoint });
  const user = new CognitoUser({ Username: "gus", Pool });
  user.setAuthenticationFlowType("CUSTOM_AUTH");
  const name = await new Promise<string>((resolve, reject) => {
    const callbacks = {
      onSuccess: () => resolve(user.getUsername()),
      onFailure: (error: Error) => reject(error),
      customChallenge: () => user.sendCustomChallengeAnswer("2", callbacks),
    };
    const details = new AuthenticationDetails({ Username: "gus", Password });
    user.authenticateUser(details, callbacks);
  });
  assert.equal(name, "gus");
  const define = (await setting.seen()).filter(({ triggerSource }) => triggerSource.startsWith("Define"));
  assert.deepEqual(
    (define.at(-1)?.request["session"] as { challengeName: string }[] | undefined)?.map(
      (one) => one.challengeName,
    ),
    ["SRP_A", "PASSWORD_VERIFIER", "CUSTOM_CHALLENGE"],
  );
});

test("UserMigration: users come when they sign in, or forgot their password", async () => {
  const pool = await setting.triggered({ UserMigration: FUNCTION });
  assert.equal(
    await refusal(setting.signIn(pool, "hal", {}, "wrong")),
    `UserNotFoundException: Exception migrating user in app client ${pool.clientId}`,
  );
  const { AuthenticationResult } = await setting.signIn(pool, "hal", {}, "0ld-one");
  assert.equal(claims(AuthenticationResult?.IdToken)["email"], "hal@example.com");
  assert.ok((await setting.signIn(pool, "hal", {}, "0ld-one")).AuthenticationResult, "the password is kept");
  const { clientId: ClientId } = pool;
  const forgot = await client.send(new ForgotPasswordCommand({ ClientId, Username: "ian" }));
  assert.equal(forgot.CodeDeliveryDetails?.Destination, "i***@e***");
  await client.send(
    new ConfirmForgotPasswordCommand({
      ClientId,
      Username: "ian",
      ConfirmationCode: await setting.code(pool, "ian"),
      Password,
    }),
  );
  assert.ok((await setting.signIn(pool, "ian")).AuthenticationResult);
  const events = await setting.seen();
  const { password, validationData, ...more } = events[0]?.request ?? {};
  assert.deepEqual([password, validationData, more], ["wrong", {}, {}]);
  assert.deepEqual(
    events.map(({ triggerSource }) => triggerSource),
    ["UserMigration_Authentication", "UserMigration_Authentication", "UserMigration_ForgotPassword"],
  );
});

test("PreTokenGeneration in its three versions: claims, scopes and groups; what proves who it is stays", async () => {
  const first = await setting.triggered({ PreTokenGeneration: FUNCTION });
  await setting.user(first, "jo", Password);
  const tokens = async (pool: TestPool, details: string, value: object) => {
    await setting.sayOfTokens({ [details]: value });
    const { AuthenticationResult } = await setting.signIn(pool, "jo");
    return [claims(AuthenticationResult?.IdToken), claims(AuthenticationResult?.AccessToken)] as const;
  };
  const groups = { groupsToOverride: ["x", "y"], iamRolesToOverride: ["arn:r"], preferredRole: "arn:r" };
  const [id, access] = await tokens(first, "claimsOverrideDetails", {
    claimsToAddOrOverride: { team: "blue", sub: "forged" },
    claimsToSuppress: ["event_id", "cognito:username"],
    groupOverrideDetails: groups,
  });
  assert.equal(id["team"], "blue");
  assert.equal(id["cognito:username"], "jo");
  assert.equal(id["sub"], access["sub"]);
  assert.deepEqual(
    [id["cognito:groups"], access["cognito:groups"]],
    [
      ["x", "y"],
      ["x", "y"],
    ],
  );
  assert.deepEqual([id["cognito:roles"], id["cognito:preferred_role"]], [["arn:r"], "arn:r"]);
  const config = (LambdaVersion: "V2_0" | "V3_0") => ({
    PreTokenGenerationConfig: { LambdaArn: FUNCTION, LambdaVersion },
  });
  const second = await setting.triggered(config("V2_0"));
  await setting.user(second, "jo", Password);
  await setting.seen();
  const details = {
    idTokenGeneration: { claimsToAddOrOverride: { list: [1, 2] }, claimsToSuppress: ["email"] },
    accessTokenGeneration: {
      claimsToAddOrOverride: { tenant: { id: 7 } },
      scopesToAdd: ["orders/read"],
      scopesToSuppress: ["aws.cognito.signin.user.admin"],
    },
  };
  const [id2, access2] = await tokens(second, "claimsAndScopeOverrideDetails", details);
  assert.deepEqual(id2["list"], [1, 2]);
  assert.deepEqual([access2["tenant"], access2["scope"]], [{ id: 7 }, "orders/read"]);
  const [event] = await setting.seen();
  assert.equal(event?.version, "2");
  assert.deepEqual(event?.request["scopes"], ["aws.cognito.signin.user.admin"]);
  const forced = client.send(
    new AdminInitiateAuthCommand({
      UserPoolId: first.id,
      ClientId: first.clientId,
      AuthFlow: "ADMIN_USER_PASSWORD_AUTH",
      AuthParameters: { USERNAME: "jo", PASSWORD: Password },
    }),
  );
  // The first version's event has no member of the second's name.
  assert.ok((await forced).AuthenticationResult);
  await setting.seen();
});

test("tokens after a new password and by a refresh token say so to PreTokenGeneration", async () => {
  const pool = await setting.triggered({ PreTokenGeneration: FUNCTION });
  await client.send(
    new AdminCreateUserCommand({
      UserPoolId: pool.id,
      Username: "kay",
      TemporaryPassword: Password,
      MessageAction: "SUPPRESS",
    }),
  );
  const { Session } = await setting.signIn(pool, "kay");
  const { AuthenticationResult } = await client.send(
    new RespondToAuthChallengeCommand({
      ClientId: pool.clientId,
      ChallengeName: "NEW_PASSWORD_REQUIRED",
      Session,
      ChallengeResponses: { USERNAME: "kay", NEW_PASSWORD: "N3w-one" },
    }),
  );
  await client.send(
    new InitiateAuthCommand({
      ClientId: pool.clientId,
      AuthFlow: "REFRESH_TOKEN",
      AuthParameters: { REFRESH_TOKEN: AuthenticationResult?.RefreshToken ?? "" },
    }),
  );
  assert.deepEqual(await setting.sources(), [
    "TokenGeneration_NewPasswordChallenge",
    "TokenGeneration_RefreshTokens",
  ]);
});
