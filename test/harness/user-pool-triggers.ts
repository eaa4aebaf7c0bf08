/** A function for every trigger of a user pool, which does what it is told and tells what it has seen. */
import {
  AddPermissionCommand,
  InvokeCommand,
  UpdateFunctionCodeCommand,
  waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";
import type { LambdaClient } from "@aws-sdk/client-lambda";
import { InitiateAuthCommand, SignUpCommand } from "@aws-sdk/client-cognito-identity-provider";
import type {
  CognitoIdentityProviderClient,
  LambdaConfigType,
  SignUpCommandOutput,
} from "@aws-sdk/client-cognito-identity-provider";
import type { Clock } from "../../src/kit/clock.ts";
import { deployFunction } from "./functions.ts";
import { makePool, startUserPools } from "./user-pools.ts";
import type { TestPool, UserPoolsSetting } from "./user-pools.ts";
import { zipOf } from "./zip.ts";

/**
 * Does what the client metadata says: `{ [source]: JSON }`, or `{ say: JSON }` for all, of an error, a wait, a raw answer or members of the
 * response.
 */
export const HANDLER = `
const seen = [];
export async function handler(event) {
  if (event.read) return seen.splice(0);
  seen.push(event);
  const told = { ...event.request.validationData, ...event.request.clientMetadata };
  const say = JSON.parse(told[event.triggerSource] ?? told.say ?? "{}");
  if (say.error) throw new Error(say.error);
  if (say.waitMs) await new Promise((resolve) => setTimeout(resolve, say.waitMs));
  if (say.raw !== undefined) return say.raw;
  const rules = {
    DefineAuthChallenge_Authentication: () => {
      const { session } = event.request;
      const last = session.at(-1);
      if (!last || (last.challengeName !== "CUSTOM_CHALLENGE" && session.length < 2 && last.challengeName === "SRP_A"))
        return { challengeName: last ? "PASSWORD_VERIFIER" : "CUSTOM_CHALLENGE" };
      if (last.challengeName === "PASSWORD_VERIFIER") return { challengeName: "CUSTOM_CHALLENGE" };
      if (last.challengeResult) return { issueTokens: true };
      return session.length < 3 ? { challengeName: "CUSTOM_CHALLENGE" } : { failAuthentication: true };
    },
    CreateAuthChallenge_Authentication: () => ({
      publicChallengeParameters: { question: "1 + 1" },
      privateChallengeParameters: { answer: "2" },
      challengeMetadata: "SUM",
    }),
    VerifyAuthChallengeResponse_Authentication: () => ({
      answerCorrect: event.request.challengeAnswer === event.request.privateChallengeParameters.answer,
    }),
    UserMigration_Authentication: () =>
      event.request.password === "0ld-one"
        ? { userAttributes: { email: event.userName + "@example.com", email_verified: "true" }, finalUserStatus: "CONFIRMED", messageAction: "SUPPRESS" }
        : {},
    UserMigration_ForgotPassword: () => ({
      userAttributes: { email: event.userName + "@example.com", email_verified: "true" }, messageAction: "SUPPRESS",
    }),
  };
  event.response = { ...event.response, ...rules[event.triggerSource]?.(), ...say.response };
  return event;
}`;

export const Password = "Passw0rd!";
export const FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:trigger";

export interface TriggerEvent {
  readonly version: string;
  readonly triggerSource: string;
  readonly region: string;
  readonly userPoolId: string;
  readonly userName: string;
  readonly callerContext: { readonly awsSdkVersion: string; readonly clientId: string };
  readonly request: Record<string, unknown>;
  readonly response: Record<string, unknown>;
}

const NAMES = [
  "PreSignUp",
  "CustomMessage",
  "PostConfirmation",
  "PreAuthentication",
  "PostAuthentication",
  "DefineAuthChallenge",
  "CreateAuthChallenge",
  "VerifyAuthChallengeResponse",
  "PreTokenGeneration",
  "UserMigration",
];
/** The function for all of them. */
export const allTriggers: LambdaConfigType = Object.fromEntries(NAMES.map((name) => [name, FUNCTION]));

export interface TriggerSetting extends UserPoolsSetting {
  readonly lambda: LambdaClient;
  /** A pool with triggers, which verifies e-mail addresses. */
  triggered(config?: LambdaConfigType): Promise<TestPool>;
  /** What the function has seen since it was asked last. */
  seen(): Promise<TriggerEvent[]>;
  sources(): Promise<string[]>;
  /** Makes the function say that of tokens. */
  sayOfTokens(response: object): Promise<void>;
  signUp(pool: TestPool, username: string, metadata?: Record<string, string>): Promise<SignUpCommandOutput>;
  signIn(
    pool: TestPool,
    username: string,
    metadata?: Record<string, string>,
    password?: string,
  ): ReturnType<typeof signInBy>;
}

function signInBy(
  client: CognitoIdentityProviderClient,
  { clientId: ClientId }: TestPool,
  AuthParameters: Record<string, string>,
  ClientMetadata: Record<string, string>,
) {
  const AuthFlow = "USER_PASSWORD_AUTH";
  return client.send(new InitiateAuthCommand({ ClientId, AuthFlow, AuthParameters, ClientMetadata }));
}

export async function startTriggers(clock?: Clock): Promise<TriggerSetting> {
  const setting = await startUserPools(clock ? { clock } : {});
  const { client } = setting;
  const lambda = await deployFunction(setting.server.client(), "trigger", { "index.mjs": HANDLER });
  await lambda.send(
    new AddPermissionCommand({
      FunctionName: "trigger",
      StatementId: "pools",
      Action: "lambda:InvokeFunction",
      Principal: "cognito-idp.amazonaws.com",
      SourceArn: "arn:aws:cognito-idp:us-east-1:000000000000:userpool/*",
    }),
  );
  const seen = async () => {
    const { Payload } = await lambda.send(
      new InvokeCommand({ FunctionName: "trigger", Payload: JSON.stringify({ read: true }) }),
    );
    return JSON.parse(Buffer.from(Payload ?? []).toString()) as TriggerEvent[];
  };
  return {
    ...setting,
    lambda,
    triggered: (LambdaConfig = allTriggers) =>
      makePool(client, { AutoVerifiedAttributes: ["email"], LambdaConfig }),
    seen,
    sources: async () => (await seen()).map(({ triggerSource }) => triggerSource),
    async sayOfTokens(response) {
      const rule = `event.triggerSource.startsWith("TokenGeneration") ? { response: ${JSON.stringify(response)} } : `;
      const ZipFile = await zipOf({ "index.mjs": HANDLER.replace("const say = ", `const say = ${rule}`) });
      await lambda.send(new UpdateFunctionCodeCommand({ FunctionName: "trigger", ZipFile }));
      const wait = { client: lambda, maxWaitTime: 30, minDelay: 0.05, maxDelay: 0.2 };
      await waitUntilFunctionUpdatedV2(wait, { FunctionName: "trigger" });
    },
    signUp: (pool, Username, ClientMetadata = {}) =>
      client.send(
        new SignUpCommand({
          ClientId: pool.clientId,
          Username,
          Password,
          UserAttributes: [{ Name: "email", Value: `${Username}@example.com` }],
          ValidationData: [{ Name: "invited", Value: "yes" }],
          ClientMetadata,
        }),
      ),
    signIn: (pool, USERNAME, metadata = {}, PASSWORD = Password) =>
      signInBy(client, pool, { USERNAME, PASSWORD }, metadata),
    async stop() {
      lambda.destroy();
      await setting.stop();
    },
  };
}
