/** iam: the only file that others import. */
import type { AccessKeys } from "../../aws/authentication.ts";
import { bindService } from "../../aws/service.ts";
import type { Service } from "../../aws/service.ts";
import { createSessions } from "./assume-role.ts";
import type { Sessions } from "./assume-role.ts";
import { authorization } from "./authorization.ts";
import { createAuthorizer, roleAllows } from "./authorizer.ts";
import type { Authorizer } from "./authorizer.ts";
import type { IamDeps } from "./deps.ts";
import { IdentityPolicies } from "./identity-policies.ts";
import { identities } from "./migrations/001-identities.ts";
import { operationTable } from "./operation-table.ts";
import { canBeAssumedBy, createAccessKeys, createServiceSessions, startSessionSweeper } from "./sessions.ts";
import type { ServiceRoles } from "./sessions.ts";
import { createResourcePolicies, roleMayUse } from "./resource-policies.ts";
import type { ResourcePolicies } from "../../aws/resource-policies.ts";
import type { IamState } from "./state.ts";

export type { Authorizer, ConditionContext } from "./authorizer.ts";
export type { IamDeps } from "./deps.ts";

export interface Iam {
  readonly service: Service;
  /** Who an access key belongs to; for the front door. */
  readonly accessKeys: AccessKeys;
  /** Execution roles; for Lambda and others that run on a role's behalf. */
  readonly roles: ServiceRoles;
  /** Sessions for callers; for STS. */
  readonly sessions: Sessions;
  /** What callers may do; for the front door and for services with resource policies. */
  readonly authorizer: Authorizer;
  /** For services whose resources have policies of their own. */
  readonly resourcePolicies: ResourcePolicies;
  /** Deletes the sessions that have expired; done every ten minutes in any case. */
  sweep(): Promise<void>;
  stop(): Promise<void>;
}

/** IAM over a database: global to an account, the same in every region. */
export async function createIam(deps: IamDeps): Promise<Iam> {
  await deps.database.migrate("iam", [identities]);
  const { clock, ids, database, log } = deps;
  const state: IamState = { clock, ids, database, log, policies: new IdentityPolicies(database, clock) };
  const authorizer = createAuthorizer(state);
  const sweeper = startSessionSweeper(state);
  const resourcePolicies = createResourcePolicies(state);
  return {
    service: bindService("iam", operationTable, state, authorization(state)),
    accessKeys: createAccessKeys(state),
    roles: {
      canBeAssumedBy: (roleArn, service, sourceArn, externalId) =>
        canBeAssumedBy(state, roleArn, service, sourceArn, externalId),
      session: createServiceSessions(state),
      allows: (roleArn, action, resourceArn) => roleAllows(state, roleArn, action, resourceArn),
      mayUse: (arn, action, resource) => roleMayUse(state, resourcePolicies, { arn, action }, resource),
    },
    sessions: createSessions(state, authorizer),
    authorizer,
    resourcePolicies,
    sweep: () => sweeper.once(),
    stop: () => sweeper.stop(),
  };
}
