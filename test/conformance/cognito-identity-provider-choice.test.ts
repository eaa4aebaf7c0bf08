/** Sign-in by choice: USER_AUTH with a preferred factor, with none, and for users who are not there. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  AdminInitiateAuthCommand,
  AdminRespondToAuthChallengeCommand,
  CreateUserPoolClientCommand,
  InitiateAuthCommand,
  RespondToAuthChallengeCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import type {
  ChallengeNameType,
  CognitoIdentityProviderClient,
} from "@aws-sdk/client-cognito-identity-provider";
import { refusal, startUserPools } from "../harness/user-pools.ts";
import type { TestPool, UserPoolsSetting } from "../harness/user-pools.ts";

const PASSWORD = "Passw0rd!";
let setting: UserPoolsSetting;
let client: CognitoIdentityProviderClient;
before(async () => {
  setting = await startUserPools();
  client = setting.client;
});
after(() => setting.stop());

const byChoice = { ExplicitAuthFlows: ["ALLOW_USER_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"] } as const;
async function pool(more: { readonly PreventUserExistenceErrors?: "ENABLED" } = {}) {
  const made = await setting.pool({}, { ExplicitAuthFlows: [...byChoice.ExplicitAuthFlows], ...more });
  await setting.user(made, "ada", PASSWORD);
  return made;
}

const begin = ({ clientId: ClientId }: TestPool, parameters: Record<string, string>) =>
  client.send(
    new InitiateAuthCommand({
      ClientId,
      AuthFlow: "USER_AUTH",
      AuthParameters: { USERNAME: "ada", ...parameters },
    }),
  );

const respond = (
  { clientId: ClientId }: TestPool,
  ChallengeName: ChallengeNameType,
  Session: string | undefined,
  responses: Record<string, string>,
) =>
  client.send(
    new RespondToAuthChallengeCommand({
      ClientId,
      ChallengeName,
      Session,
      ChallengeResponses: { USERNAME: "ada", ...responses },
    }),
  );

const wrong = "NotAuthorizedException: Incorrect username or password.";

test("InitiateAuth and RespondToAuthChallenge: USER_AUTH asks which factor, or goes on with the preferred one", async () => {
  const one = await pool();
  const choice = await begin(one, {});
  assert.equal(choice.ChallengeName, "SELECT_CHALLENGE");
  assert.deepEqual(choice.AvailableChallenges, ["PASSWORD_SRP", "PASSWORD"]);
  const { Session } = choice;
  const answer = (responses: Record<string, string>) => respond(one, "SELECT_CHALLENGE", Session, responses);
  assert.match(
    await refusal(answer({ ANSWER: "EMAIL_OTP" })),
    /ANSWER must be one of PASSWORD_SRP, PASSWORD/,
  );
  assert.match(await refusal(answer({ ANSWER: "PASSWORD" })), /Missing required parameter PASSWORD/);
  assert.equal(await refusal(answer({ ANSWER: "PASSWORD", PASSWORD: "nonsense" })), wrong);
  const tokens = await answer({ ANSWER: "PASSWORD", PASSWORD });
  assert.ok(tokens.AuthenticationResult?.AccessToken);
  assert.match(await refusal(answer({ ANSWER: "PASSWORD", PASSWORD })), /session is expired/);
  assert.ok((await begin(one, { PREFERRED_CHALLENGE: "PASSWORD", PASSWORD })).AuthenticationResult);
  const asked = await begin(one, { PREFERRED_CHALLENGE: "PASSWORD" });
  assert.equal(asked.ChallengeName, "PASSWORD");
  assert.ok((await respond(one, "PASSWORD", asked.Session, { PASSWORD })).AuthenticationResult);
  const srp = { PREFERRED_CHALLENGE: "PASSWORD_SRP" };
  assert.equal((await begin(one, { ...srp, SRP_A: "02" })).ChallengeName, "PASSWORD_VERIFIER");
  assert.match(await refusal(begin(one, srp)), /Missing required parameter SRP_A/);
  const later = await begin(one, { PREFERRED_CHALLENGE: "WEB_AUTHN" });
  assert.equal(later.ChallengeName, "SELECT_CHALLENGE");
  const proof = await respond(one, "SELECT_CHALLENGE", later.Session, {
    ANSWER: "PASSWORD_SRP",
    SRP_A: "02",
  });
  assert.equal(proof.ChallengeName, "PASSWORD_VERIFIER");
  assert.ok(proof.ChallengeParameters?.["SRP_B"]);
});

test("AdminInitiateAuth and AdminRespondToAuthChallenge by choice; who is not there is not told", async () => {
  const one = await pool({ PreventUserExistenceErrors: "ENABLED" });
  const who = { UserPoolId: one.id, ClientId: one.clientId };
  const nobody = { USERNAME: "nobody" };
  const { ChallengeName, Session } = await client.send(
    new AdminInitiateAuthCommand({ ...who, AuthFlow: "USER_AUTH", AuthParameters: nobody }),
  );
  assert.equal(ChallengeName, "SELECT_CHALLENGE");
  const ChallengeResponses = { ...nobody, ANSWER: "PASSWORD", PASSWORD };
  const answer = { ...who, ChallengeName, Session, ChallengeResponses };
  assert.equal(await refusal(client.send(new AdminRespondToAuthChallengeCommand(answer))), wrong);
  const open = await pool();
  assert.match(await refusal(begin(open, nobody)), /^UserNotFoundException/);
  const lite = await setting.pool({ UserPoolTier: "LITE" });
  const create = new CreateUserPoolClientCommand({
    UserPoolId: lite.id,
    ClientName: "x",
    ExplicitAuthFlows: ["ALLOW_USER_AUTH"],
  });
  assert.match(await refusal(client.send(create)), /^FeatureUnavailableInTierException/);
});
