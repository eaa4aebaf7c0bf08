/** Signing in: InitiateAuth, RespondToAuthChallenge, and both for administrators. */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { CHOICES, beginChoice, beginSrp } from "../auth/choice.ts";
import { beginCustom } from "../auth/custom.ts";
import type { Door, Outcome } from "../auth/door.ts";
import { signInByPassword } from "../auth/password-sign-in.ts";
import { respond } from "../auth/respond.ts";
import { checkSecretHash } from "../clients/secret-hash.ts";
import type { Client, UserPools } from "../deps.ts";
import { deviceGroupKey, newDeviceKey } from "../devices/device.ts";
import { invalidParameter } from "../errors.ts";
import { clientWithPool, requireClient, requirePool } from "../pools/lookup.ts";
import type { PoolClient } from "../store/clients.ts";
import { SIGN_IN_SCOPE, issueTokens, refreshTokens, requireRefresh } from "../tokens/issue.ts";
import { askingOf } from "../triggers/call.ts";

type Answer = Output<Client, "InitiateAuth">;
type Parameters = Readonly<Record<string, string>>;

/** By flow: the settings that let a client use it, and how a refusal says it. */
const FLOWS = {
  USER_PASSWORD_AUTH: {
    allowedBy: ["ALLOW_USER_PASSWORD_AUTH", "USER_PASSWORD_AUTH"],
    refusal: "USER_PASSWORD_AUTH flow not enabled for this client",
  },
  USER_SRP_AUTH: {
    allowedBy: ["ALLOW_USER_SRP_AUTH", "ADMIN_NO_SRP_AUTH", "USER_PASSWORD_AUTH"],
    refusal: "USER_SRP_AUTH is not enabled for the client.",
  },
  CUSTOM_AUTH: {
    allowedBy: ["ALLOW_CUSTOM_AUTH", "CUSTOM_AUTH_FLOW_ONLY", "ADMIN_NO_SRP_AUTH", "USER_PASSWORD_AUTH"],
    refusal: "CUSTOM_AUTH is not enabled for the client.",
  },
  REFRESH_TOKEN_AUTH: {
    allowedBy: [
      "ALLOW_REFRESH_TOKEN_AUTH",
      "CUSTOM_AUTH_FLOW_ONLY",
      "ADMIN_NO_SRP_AUTH",
      "USER_PASSWORD_AUTH",
    ],
    refusal: "REFRESH_TOKEN_AUTH is not enabled for the client.",
  },
  USER_AUTH: { allowedBy: ["ALLOW_USER_AUTH"], refusal: "USER_AUTH is not enabled for the client." },
  ADMIN_USER_PASSWORD_AUTH: {
    allowedBy: ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"],
    refusal: "Auth flow not enabled for this client",
  },
} as const;
type Flow = keyof typeof FLOWS;
/** The same by earlier names. */
const OTHER_NAMES: Readonly<Record<string, Flow>> = {
  REFRESH_TOKEN: "REFRESH_TOKEN_AUTH",
  ADMIN_NO_SRP_AUTH: "ADMIN_USER_PASSWORD_AUTH",
};
const ADMIN_ONLY: ReadonlySet<string> = new Set(["ADMIN_USER_PASSWORD_AUTH"]);

export async function initiateAuth(
  userPools: UserPools,
  input: Input<Client, "InitiateAuth">,
  context: RequestContext,
): Promise<Answer> {
  const { pool, client } = await clientWithPool(userPools, input.ClientId);
  const flow = flowOf(input.AuthFlow);
  if (ADMIN_ONLY.has(flow)) throw invalidParameter("Initiate Auth method not supported.");
  const asking = {
    ...askingOf(context, undefined, client.clientId),
    validationData: input.ClientMetadata,
  };
  return begin({ userPools, pool, client, asking }, flow, input.AuthParameters ?? {});
}

export async function adminInitiateAuth(
  userPools: UserPools,
  input: Input<Client, "AdminInitiateAuth">,
  context: RequestContext,
): Promise<Output<Client, "AdminInitiateAuth">> {
  const pool = await requirePool(userPools.database, context, input.UserPoolId);
  const client = await requireClient(userPools.database, pool, input.ClientId);
  const flow = flowOf(input.AuthFlow);
  if (flow === "USER_PASSWORD_AUTH") throw invalidParameter("Initiate Auth method not supported.");
  const asking = {
    ...askingOf(context, undefined, client.clientId),
    validationData: input.ClientMetadata,
  };
  return begin({ userPools, pool, client, asking }, flow, input.AuthParameters ?? {});
}

function flowOf(name = ""): Flow {
  const flow = OTHER_NAMES[name] ?? name;
  if (!(flow in FLOWS)) throw notImplemented(`the authentication flow ${name}`);
  return flow as Flow;
}

async function begin(asked: Door, flow: Flow, parameters: Parameters): Promise<Answer> {
  const door = { ...asked, device: parameters["DEVICE_KEY"] };
  const { client } = door;
  const { allowedBy, refusal } = FLOWS[flow];
  const enabled: readonly string[] = client.settings.ExplicitAuthFlows ?? [];
  if (!allowedBy.some((one) => enabled.includes(one))) throw invalidParameter(refusal);
  if (flow === "REFRESH_TOKEN_AUTH") return refresh(door, parameters);
  const username = required(parameters, "USERNAME");
  checkSecretHash(client, [username], parameters["SECRET_HASH"]);
  switch (flow) {
    case "USER_PASSWORD_AUTH":
    case "ADMIN_USER_PASSWORD_AUTH": {
      const password = required(parameters, "PASSWORD");
      return answerOf(door, await signInByPassword(door, username, password));
    }
    case "USER_SRP_AUTH":
      return answerOf(door, await beginSrp(door, username, required(parameters, "SRP_A")));
    case "USER_AUTH":
      return answerOf(door, await beginChoice(door, username, parameters));
    default: {
      const { CHALLENGE_NAME: first } = parameters;
      if (first !== undefined && first !== "SRP_A") throw invalidParameter(`Invalid CHALLENGE_NAME ${first}`);
      const srpA = first === undefined ? undefined : required(parameters, "SRP_A");
      return answerOf(door, await beginCustom(door, username, srpA));
    }
  }
}

function required(parameters: Parameters, name: string): string {
  const value = parameters[name];
  if (value === undefined || value === "") throw invalidParameter(`Missing required parameter ${name}`);
  return value;
}

async function refresh(door: Door, parameters: Parameters): Promise<Answer> {
  const { userPools, pool, client, asking } = door;
  if (client.settings.RefreshTokenRotation?.Feature === "ENABLED")
    throw invalidParameter(
      "Refresh token rotation is enabled for this client: use GetTokensFromRefreshToken.",
    );
  const { session, user } = await requireRefresh(userPools, pool, client, {
    token: required(parameters, "REFRESH_TOKEN"),
    device: parameters["DEVICE_KEY"],
  });
  checkSecretHash(
    client,
    [user.username, user.sub, ...Object.values(user.attributes)],
    parameters["SECRET_HASH"],
  );
  const AuthenticationResult = await refreshTokens(userPools, { pool, client, user, asking }, session);
  return { ChallengeParameters: {}, AuthenticationResult };
}

export async function respondToAuthChallenge(
  userPools: UserPools,
  input: Input<Client, "RespondToAuthChallenge">,
  context: RequestContext,
): Promise<Output<Client, "RespondToAuthChallenge">> {
  const { pool, client } = await clientWithPool(userPools, input.ClientId);
  const asking = askingOf(context, input.ClientMetadata, client.clientId);
  return goOn({ userPools, pool, client, asking }, input);
}

export async function adminRespondToAuthChallenge(
  userPools: UserPools,
  input: Input<Client, "AdminRespondToAuthChallenge">,
  context: RequestContext,
): Promise<Output<Client, "AdminRespondToAuthChallenge">> {
  const pool = await requirePool(userPools.database, context, input.UserPoolId);
  const client: PoolClient = await requireClient(userPools.database, pool, input.ClientId);
  const asking = askingOf(context, input.ClientMetadata, client.clientId);
  return goOn({ userPools, pool, client, asking }, input);
}

const CHALLENGES: ReadonlySet<string> = new Set([
  "PASSWORD_VERIFIER",
  "NEW_PASSWORD_REQUIRED",
  "SMS_MFA",
  "SOFTWARE_TOKEN_MFA",
  "SELECT_MFA_TYPE",
  "MFA_SETUP",
  "CUSTOM_CHALLENGE",
  "SELECT_CHALLENGE",
  "PASSWORD",
  "DEVICE_SRP_AUTH",
  "DEVICE_PASSWORD_VERIFIER",
]);

async function goOn(
  asked: Door,
  {
    ChallengeName = "",
    Session,
    ChallengeResponses = {},
  }: {
    readonly ChallengeName?: string | undefined;
    readonly Session?: string | undefined;
    readonly ChallengeResponses?: Parameters | undefined;
  },
): Promise<Answer> {
  if (!CHALLENGES.has(ChallengeName)) throw notImplemented(`the challenge ${ChallengeName}`);
  const door = { ...asked, device: ChallengeResponses["DEVICE_KEY"] };
  return answerOf(door, await respond(door, ChallengeName, Session, ChallengeResponses));
}

async function answerOf(door: Door, outcome: Outcome): Promise<Answer> {
  if (outcome.kind === "challenge") {
    const { name, session, parameters } = outcome;
    return {
      ChallengeName: name,
      ...(name === "SELECT_CHALLENGE" && { AvailableChallenges: [...CHOICES] }),
      // What a client proves by SRP comes back as its SECRET_BLOCK.
      ...(!name.endsWith("PASSWORD_VERIFIER") && { Session: session }),
      ChallengeParameters: { ...parameters },
    };
  }
  const { userPools, pool, client, asking } = door;
  const { user, source, device } = outcome;
  const isNew = pool.settings.DeviceConfiguration !== undefined && device === undefined;
  const deviceKey = isNew ? newDeviceKey(userPools.ids, pool) : device;
  const request = { pool, client, user, source, asking, scopes: [SIGN_IN_SCOPE], deviceKey };
  const tokens = await issueTokens(userPools, request);
  if (!isNew || deviceKey === undefined) return { ChallengeParameters: {}, AuthenticationResult: tokens };
  const NewDeviceMetadata = { DeviceKey: deviceKey, DeviceGroupKey: deviceGroupKey(pool, deviceKey) };
  return { ChallengeParameters: {}, AuthenticationResult: { ...tokens, NewDeviceMetadata } };
}
