/** What PreTokenGeneration changes of tokens, by the three versions of its event. */
import type { UserPools } from "../deps.ts";
import type { PoolClient } from "../store/clients.ts";
import type { Pool } from "../store/pools.ts";
import type { User } from "../users/user.ts";
import { callTrigger, eventAttributes, invalidResponse, isRecord } from "./call.ts";
import type { Asking } from "./call.ts";

export type TokenSource =
  | "TokenGeneration_HostedAuth"
  | "TokenGeneration_Authentication"
  | "TokenGeneration_NewPasswordChallenge"
  | "TokenGeneration_AuthenticateDevice"
  | "TokenGeneration_RefreshTokens"
  | "TokenGeneration_ClientCredentials";

export interface GroupClaims {
  readonly groups: readonly string[];
  readonly roles: readonly string[];
  readonly preferredRole: string | undefined;
}

export interface TokenChanges {
  readonly add: Readonly<Record<string, unknown>>;
  readonly suppress: readonly string[];
}

/** What the tokens of a sign-in are to have. */
export interface TokenOverrides {
  readonly id: TokenChanges;
  readonly access: TokenChanges;
  readonly scopes: readonly string[];
  readonly groups: GroupClaims;
}

const NOTHING: TokenChanges = { add: {}, suppress: [] };
const VERSIONS = { V1_0: "1", V2_0: "2", V3_0: "3" } as const;

/** @param user Absent for a client that signs in itself, of which only the third version is told. */
export async function tokenOverrides(
  userPools: UserPools,
  pool: Pool,
  client: PoolClient,
  asking: Asking,
  told: {
    readonly source: TokenSource;
    readonly user?: User;
    readonly groups: GroupClaims;
    readonly scopes: readonly string[];
  },
): Promise<TokenOverrides> {
  const { source, user, groups, scopes } = told;
  const plain = { id: NOTHING, access: NOTHING, scopes, groups };
  const version = pool.settings.triggers.PreTokenGenerationConfig?.LambdaVersion ?? "V1_0";
  if (!user && version !== "V3_0") return plain;
  const isFirst = version === "V1_0";
  const details = isFirst ? "claimsOverrideDetails" : "claimsAndScopeOverrideDetails";
  const response = await callTrigger(
    userPools,
    pool,
    { ...asking, clientId: client.clientId },
    {
      trigger: "PreTokenGeneration",
      source,
      username: user?.username ?? client.clientId,
      version: VERSIONS[version],
      request: {
        userAttributes: user ? eventAttributes(pool, user) : {},
        groupConfiguration: {
          groupsToOverride: groups.groups,
          iamRolesToOverride: groups.roles,
          preferredRole: groups.preferredRole ?? null,
        },
        ...(!isFirst && { scopes }),
        clientMetadata: asking.clientMetadata,
      },
      response: { [details]: null },
    },
  );
  const given = response?.[details];
  if (given === undefined || given === null) return plain;
  if (!isRecord(given)) throw invalidResponse(`Invalid lambda function output : ${details} is no object`);
  const changed = { ...plain, groups: groupsAfter(groups, given["groupOverrideDetails"]) };
  if (isFirst) return { ...changed, id: changesOf(given, true) };
  const access = given["accessTokenGeneration"];
  return {
    ...changed,
    id: changesOf(given["idTokenGeneration"], false),
    access: changesOf(access, false),
    scopes: scopesAfter(scopes, access),
  };
}

function changesOf(given: unknown, onlyTexts: boolean): TokenChanges {
  if (given === undefined || given === null) return NOTHING;
  if (!isRecord(given)) throw invalidResponse("Unrecognizable lambda output");
  const add = given["claimsToAddOrOverride"] ?? {};
  if (!isRecord(add)) throw invalidResponse("Unrecognizable lambda output");
  if (onlyTexts && Object.values(add).some((value) => typeof value !== "string"))
    throw invalidResponse("Invalid lambda function output : claims must be strings in version V1_0");
  return { add, suppress: listOf(given["claimsToSuppress"]) };
}

function scopesAfter(scopes: readonly string[], access: unknown): readonly string[] {
  if (!isRecord(access)) return scopes;
  const suppressed = new Set(listOf(access["scopesToSuppress"]));
  const added = listOf(access["scopesToAdd"]);
  return [...new Set([...scopes.filter((scope) => !suppressed.has(scope)), ...added])];
}

/** An override without groups leaves a user in none. */
function groupsAfter(groups: GroupClaims, given: unknown): GroupClaims {
  if (!isRecord(given)) return groups;
  const preferred = given["preferredRole"];
  return {
    groups: listOf(given["groupsToOverride"]),
    roles: listOf(given["iamRolesToOverride"]),
    preferredRole: typeof preferred === "string" ? preferred : undefined,
  };
}

function listOf(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.some((one) => typeof one !== "string"))
    throw invalidResponse("Unrecognizable lambda output");
  return value as string[];
}
