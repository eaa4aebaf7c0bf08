/** Temporary credentials: sessions of roles and users, kept durably until they expire, then deleted. */
import type { AccessKeys, KeyRecord } from "../../aws/authentication.ts";
import type { Principal } from "../../aws/service.ts";
import { BackgroundWork } from "../../kit/background-work.ts";
import { assumedRoleArn, parseEntityArn, roleArn, userArn } from "./arn.ts";
import { evaluate, parseTrustPolicy } from "./policy/index.ts";
import type { UsedResource } from "./resource-policies.ts";
import type { IamState } from "./state.ts";
import { getRole, getRoleById, getUserById } from "./store.ts";
import type { RoleRow } from "./store.ts";
import { deleteExpiredSessions, getKey, getSession, insertSession } from "./store-keys.ts";
import { newSecret, newSessionToken, uniqueId } from "./unique-id.ts";

export interface TemporaryCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** A service's sessions of one role and name are shared while this part of their time is left. */
const SHARED_WHILE_LEFT = 0.5;
const SHARED_MAX = 10_000;

/** What Lambda needs of execution roles. */
export interface ServiceRoles {
  /** @param sourceArn What the service acts for, as the trust's conditions may ask, like `externalId`. */
  canBeAssumedBy(
    roleArn: string,
    servicePrincipal: string,
    sourceArn?: string,
    externalId?: string,
  ): Promise<boolean>;
  session(roleArn: string, sessionName: string, durationSeconds: number): Promise<TemporaryCredentials>;
  /** By the role's own policies alone. */
  allows(roleArn: string, action: string, resourceArn: string): Promise<boolean>;
  /** By the role's policies and the resource's own. */
  mayUse(roleArn: string, action: string, resource: UsedResource): Promise<boolean>;
}

export interface NewSession {
  readonly account: string;
  readonly identityId: string;
  readonly sessionName: string | null;
  readonly durationSeconds: number;
  /** Documents, as text. */
  readonly sessionPolicies?: readonly string[] | undefined;
}

/** Opens a session; the credentials are valid once this has resolved, also after a restart. */
export async function openSession(state: IamState, session: NewSession): Promise<TemporaryCredentials> {
  const credentials = {
    accessKeyId: uniqueId("ASIA", state.ids),
    secretAccessKey: newSecret(),
    sessionToken: newSessionToken(),
    expiresAt: state.clock.now() + session.durationSeconds * 1_000,
  };
  await state.database.tx((tx) =>
    insertSession(tx, {
      access_key_id: credentials.accessKeyId,
      account: session.account,
      identity_id: session.identityId,
      session_name: session.sessionName,
      secret: credentials.secretAccessKey,
      token: credentials.sessionToken,
      session_policies: session.sessionPolicies?.length ? JSON.stringify(session.sessionPolicies) : null,
      expires_at: credentials.expiresAt,
    }),
  );
  return credentials;
}

/** Opens sessions for a service that assumes roles, sharing young ones: a cold start then writes nothing. */
export function createServiceSessions(state: IamState): ServiceRoles["session"] {
  const shared = new Map<string, TemporaryCredentials>();
  return async (arn, sessionName, durationSeconds) => {
    const role = await findRole(state, arn);
    if (!role) throw new Error(`The role ${arn} does not exist`);
    const key = JSON.stringify([role.role_id, sessionName, durationSeconds]);
    const young = shared.get(key);
    const sharedUntil = state.clock.now() + durationSeconds * 1_000 * SHARED_WHILE_LEFT;
    if (young && young.expiresAt >= sharedUntil) return young;
    const opened = await openSession(state, {
      account: role.account,
      identityId: role.role_id,
      sessionName,
      durationSeconds,
    });
    if (shared.size >= SHARED_MAX) shared.clear();
    shared.set(key, opened);
    return opened;
  };
}

/** The role of an ARN, path included, or undefined. */
export async function findRole(state: IamState, arn: string): Promise<RoleRow | undefined> {
  const entity = parseEntityArn(arn);
  if (entity?.kind !== "role") return undefined;
  const role = await getRole(state.database, entity.account, entity.name);
  return role && roleArn(role.account, role.path, role.name) === arn ? role : undefined;
}

/** Whether a role's trust policy lets a service assume it. */
export async function canBeAssumedBy(
  state: IamState,
  arn: string,
  service: string,
  sourceArn?: string,
  externalId?: string,
): Promise<boolean> {
  const role = await findRole(state, arn);
  if (!role) return false;
  const request = {
    action: "sts:AssumeRole",
    resource: arn,
    context: {
      "aws:sourceaccount": role.account,
      ...(sourceArn !== undefined && { "aws:sourcearn": sourceArn }),
      ...(externalId !== undefined && { "sts:externalid": externalId }),
    },
  };
  const trust = parseTrustPolicy(role.trust_policy);
  return evaluate([trust], request, { kind: "service", name: service }).decision === "allowed";
}

/** Finds who an access key belongs to, long-term or temporary. */
export function createAccessKeys(state: IamState): AccessKeys {
  return {
    async find(accessKeyId) {
      if (accessKeyId.startsWith("ASIA")) return findSession(state, accessKeyId);
      if (!accessKeyId.startsWith("AKIA")) return undefined;
      const key = await getKey(state.database, accessKeyId);
      const principal = key && (await principalOf(state, key.user_id, null, accessKeyId));
      if (!key || !principal) return undefined;
      return { secretAccessKey: key.secret, active: key.active === 1, principal };
    },
    known: (accessKeyId) => (/^A[SK]IA/.test(accessKeyId) ? undefined : null),
  };
}

async function findSession(state: IamState, accessKeyId: string): Promise<KeyRecord | undefined> {
  const session = await getSession(state.database, accessKeyId);
  const principal =
    session && (await principalOf(state, session.identity_id, session.session_name, accessKeyId));
  if (!session || !principal) return undefined;
  return {
    secretAccessKey: session.secret,
    sessionToken: session.token,
    expiresAt: session.expires_at,
    active: true,
    principal,
  };
}

/** Who a key stands for. Undefined once the role or user is gone: its keys and sessions end with it. */
async function principalOf(
  state: IamState,
  identityId: string,
  sessionName: string | null,
  accessKeyId: string,
): Promise<Principal | undefined> {
  if (sessionName !== null) {
    const role = await getRoleById(state.database, identityId);
    return (
      role && {
        type: "assumed-role",
        account: role.account,
        arn: assumedRoleArn(role.account, role.name, sessionName),
        userId: `${role.role_id}:${sessionName}`,
        accessKeyId,
        roleArn: roleArn(role.account, role.path, role.name),
      }
    );
  }
  if (/^\d{12}$/.test(identityId))
    return {
      type: "root",
      account: identityId,
      arn: `arn:aws:iam::${identityId}:root`,
      userId: identityId,
      accessKeyId,
    };
  const user = await getUserById(state.database, identityId);
  return (
    user && {
      type: "user",
      account: user.account,
      arn: userArn(user.account, user.path, user.name),
      userId: user.user_id,
      accessKeyId,
    }
  );
}

const SWEEP_MS = 600_000;
/** An expired key is still told from an unknown one for this long. */
const KEPT_AFTER_EXPIRY_MS = 3_600_000;

/** Deletes expired sessions every ten minutes, or when asked. */
export function startSessionSweeper({ clock, database, log }: IamState): BackgroundWork {
  return new BackgroundWork({
    async work() {
      await database.tx((tx) => deleteExpiredSessions(tx, clock.now() - KEPT_AFTER_EXPIRY_MS));
    },
    failed: (error) => log.error("expired sessions could not be removed", { error }),
  }).every(clock, SWEEP_MS);
}
