/** What STS needs: sessions of roles for callers that their trust policies let in, and sessions of the callers themselves. */
import { AwsError } from "../../aws/errors.ts";
import type { Principal } from "../../aws/service.ts";
import { assumedRoleArn } from "./arn.ts";
import type { Authorizer } from "./authorizer.ts";
import {
  evaluate,
  parseIdentityPolicy,
  parseTrustPolicy,
  principalMatch,
  PolicySyntaxError,
} from "./policy/index.ts";
import type { PolicyPrincipal, PolicyRequest } from "./policy/index.ts";
import { findRole, openSession } from "./sessions.ts";
import type { TemporaryCredentials } from "./sessions.ts";
import type { IamState } from "./state.ts";
import type { RoleRow } from "./store.ts";
import { getKey, getSession } from "./store-keys.ts";

/** A role assumed with a role's session lasts an hour at most. */
const CHAINED_SECONDS_MAX = 3_600;
const SESSION_POLICY_CHARACTERS_MAX = 2_048;

export interface AssumeRoleRequest {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly durationSeconds: number;
  readonly externalId: string | undefined;
  /** An inline session policy, as text. */
  readonly policy: string | undefined;
  /** Managed session policies. */
  readonly policyArns: readonly string[];
}

export interface AssumedRole {
  readonly credentials: TemporaryCredentials;
  /** `AROA…:session`. */
  readonly userId: string;
  readonly arn: string;
  /** How much of the room for session policies is taken, in percent; present when there are any. */
  readonly packedPolicyPercent: number | undefined;
}

export interface Sessions {
  /** @throws AwsError AccessDenied, ValidationError, MalformedPolicyDocumentException, PackedPolicyTooLargeException */
  assume(caller: Principal, request: AssumeRoleRequest): Promise<AssumedRole>;
  /** Temporary credentials of the caller (a user or an account's root). */
  ofCaller(caller: Principal, durationSeconds: number): Promise<TemporaryCredentials>;
  /** The account of an access key, or undefined for a key that was never given out. */
  accountOf(accessKeyId: string): Promise<string | undefined>;
}

export function createSessions(state: IamState, authorizer: Authorizer): Sessions {
  return {
    assume: (caller, request) => assume(state, authorizer, caller, request),
    ofCaller: (caller, durationSeconds) =>
      openSession(state, {
        account: caller.account,
        identityId: caller.userId,
        sessionName: null,
        durationSeconds,
      }),
    async accountOf(accessKeyId) {
      const key = await getKey(state.database, accessKeyId);
      return key?.account ?? (await getSession(state.database, accessKeyId))?.account;
    },
  };
}

async function assume(
  state: IamState,
  authorizer: Authorizer,
  caller: Principal,
  request: AssumeRoleRequest,
): Promise<AssumedRole> {
  const role = await findRole(state, request.roleArn);
  if (!role || !(await mayAssume(authorizer, caller, role, request)))
    throw new AwsError(
      "AccessDenied",
      `User: ${caller.arn} is not authorized to perform: sts:AssumeRole on resource: ${request.roleArn}`,
      {},
      403,
    );
  if (caller.type === "assumed-role" && request.durationSeconds > CHAINED_SECONDS_MAX)
    throw invalid(
      "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
    );
  if (request.durationSeconds > role.max_session_seconds)
    throw invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
  const sessionPolicies = await readSessionPolicies(state, request);
  const credentials = await openSession(state, {
    account: role.account,
    identityId: role.role_id,
    sessionName: request.sessionName,
    durationSeconds: request.durationSeconds,
    sessionPolicies,
  });
  return {
    credentials,
    userId: `${role.role_id}:${request.sessionName}`,
    arn: assumedRoleArn(role.account, role.name, request.sessionName),
    packedPolicyPercent: sessionPolicies.length === 0 ? undefined : packedPercent(request),
  };
}

/**
 * The trust policy must let the caller in. Where it names the caller's account rather than the caller, or the caller
 * is of another account, the caller's own policies must allow the action too. AWS lets no root assume roles; here a
 * root may where the trust policy names its account, since with authentication off every caller is one.
 */
async function mayAssume(
  authorizer: Authorizer,
  caller: Principal,
  role: RoleRow,
  request: AssumeRoleRequest,
): Promise<boolean> {
  const principal: PolicyPrincipal = {
    kind: "aws",
    account: caller.account,
    arn: caller.arn,
    userId: caller.userId,
    roleArn: caller.roleArn,
  };
  const asked: PolicyRequest = {
    action: "sts:AssumeRole",
    resource: request.roleArn,
    context: {
      "aws:principalarn": caller.roleArn ?? caller.arn,
      "aws:principalaccount": caller.account,
      "sts:rolesessionname": request.sessionName,
      ...(request.externalId !== undefined && { "sts:externalid": request.externalId }),
    },
  };
  const trust = evaluate([parseTrustPolicy(role.trust_policy)], asked, principal);
  if (trust.decision !== "allowed") return false;
  const direct = trust.matched.some(
    (statement) => !statement.principals || principalMatch(statement.principals, principal) === "direct",
  );
  const own = await authorizer.decide(caller, asked.action, asked.resource, asked.context);
  if (own.decision === "explicitDeny") return false;
  return own.decision === "allowed" || (direct && caller.account === role.account);
}

async function readSessionPolicies(state: IamState, request: AssumeRoleRequest): Promise<string[]> {
  const documents: string[] = [];
  const percent = packedPercent(request);
  if (percent > 100)
    throw new AwsError(
      "PackedPolicyTooLargeException",
      `Packed policy consumes ${percent}% of allotted space, please use smaller policy.`,
    );
  if (request.policy !== undefined) {
    try {
      parseIdentityPolicy(request.policy);
    } catch (error) {
      if (!(error instanceof PolicySyntaxError)) throw error;
      throw new AwsError("MalformedPolicyDocumentException", error.message);
    }
    documents.push(request.policy);
  }
  for (const arn of request.policyArns) {
    const document = await state.policies.document(arn);
    if (document === undefined) throw invalid(`Policy ${arn} does not exist or is not attachable.`);
    documents.push(document);
  }
  return documents;
}

/** AWS packs session policies into a form of its own, of unpublished size; ours counts their characters. */
function packedPercent(request: AssumeRoleRequest): number {
  const characters = (request.policy?.length ?? 0) + request.policyArns.join("").length;
  return Math.max(1, Math.ceil((characters * 100) / SESSION_POLICY_CHARACTERS_MAX));
}

function invalid(message: string): AwsError {
  return new AwsError("ValidationError", message, {}, 400);
}
